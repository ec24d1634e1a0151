"""What is known beforehand of a statement: from running the program, and from the finding."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

Shapes = Mapping[str, list[tuple[int, ...]]]


@dataclass(frozen=True)
class Facts:
    """What running the program has shown."""

    shapes: Shapes = field(default_factory=dict)
    """By `shape_keys`, the shapes that a value has."""
    slopes: tuple[tuple[str, float], ...] = ()
    """The activations that it uses: (kind, constant); see `slope_texts`."""
    activations: tuple[tuple[str, str], ...] = ()
    """(activation, pre-activation), as the program calls them."""


@dataclass(frozen=True)
class Wanted:
    """What a finding says of the change."""

    code: str = ""
    used: str = ""
    """What stands there, as written."""
    meant: str = ""
    """What belongs there, as written."""
    activation: str = ""
    """The activation whose slope, or by which the derivative, belongs there."""
    before: str = ""
    """Its pre-activation."""
    parameters: tuple[str, ...] = ()


def words(text: str) -> set[str]:
    """The last word of a value as written, and its singular: of ``zs[-l]`` ``zs`` and ``z``."""
    plain = re.sub(r"\[[^\]'\"]*\]", "", text)
    found = re.findall(r"\w+", plain)
    return {found[-1], found[-1].removesuffix("s")} if found else set()


def stem(text: str) -> str:
    """``text`` without its numbers: what W1 and W2 share."""
    return re.sub(r"\d+", "", text)


def shape_keys(file: str, function: int, text: str) -> tuple[str, str]:
    """The keys of a value written as ``text``: in its function, and wherever it is so written."""
    return f"{file}:{function}:{text}", f"{file}:*:{text}"


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The expression ``text`` as Python writes it; a slice stays as it is."""
    try:
        return ast.unparse(ast.parse(text.strip(), mode="eval"))
    except SyntaxError:
        return text
