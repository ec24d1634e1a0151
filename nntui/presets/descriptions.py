"""Describes the declaration of an entry in words: its type, choices and limits."""

from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args

from nntui.core.settings.rows import Rows

TYPES: dict[Any, str] = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    Rows: "rows of numbers",
    tuple[float, ...]: "list of numbers",
    tuple[int, ...]: "list of whole numbers",
    tuple[str, ...]: "list of texts",
}
"""The name of each type of a preset's entries; a union is written with "or"."""


def type_in_words(kind: Any) -> str:
    """The type of an entry in words."""
    if kind in TYPES:
        return TYPES[kind]
    return " or ".join(TYPES[each] for each in get_args(kind) if each is not NoneType)


def limits_in_words(metadata: Mapping[str, Any]) -> str:
    """The choices or limits of an entry in words; empty if there are none."""
    if metadata["choices"] is not None:
        also = "; or a formula" if metadata["formula"] else ""
        return f"one of: {', '.join(metadata['choices'])}{also}"
    limits = (
        (words, metadata[name])
        for name, words in (
            ("low", "at least"),
            ("above", "more than"),
            ("high", "at most"),
            ("below", "less than"),
        )
    )
    said = [f"{words} {_bound(bound)}" for words, bound in limits if bound is not None]
    if metadata["most"] is not None:
        said.append(f"at most {metadata['most']:,} of them")
    return ", ".join(said)


def _bound(bound: float) -> str:
    return f"{bound:g}" if abs(bound) > 1e15 or bound != int(bound) else f"{int(bound):,}"
