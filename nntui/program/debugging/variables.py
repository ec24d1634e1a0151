"""The live variables of a program, in words: shapes, ranges and norms."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.program.debugging.seen import Variable

MOST = 400
"""Variables that are listed."""


@dataclass(frozen=True)
class Variables:
    """The variables at one update, and the hash of the whole state."""

    listed: tuple[Variable, ...]
    state_hash: str


def variables_of(values: Mapping[str, Any], parameters: Collection[str]) -> tuple[Variable, ...]:
    """The variables ``values``, parameters first; large arrays have their shape only."""
    named = [(name, values[name]) for name in parameters if name in values]
    named += [(name, each) for name, each in values.items() if name not in set(parameters)]
    known = set(parameters)
    return tuple(
        _variable(name, value, "parameter" if name in known else "") for name, value in named[:MOST]
    )


def _variable(name: str, value: Any, role: str) -> Variable:
    if isinstance(value, Mapping):
        return Variable(name, tuple(value["shape"]), "large", None, role)
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return Variable(name, array.shape, str(value)[:60], None, role)
    if not array.ndim:
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        return Variable(name, (), text, None, role)
    if not array.size:
        return Variable(name, array.shape, "empty", 0.0, role)
    numbers = np.asarray(array, float)
    with np.errstate(all="ignore"):
        norm = float(np.sqrt(np.sum(numbers * numbers)))
    finite = numbers[np.isfinite(numbers)]
    bad = numbers.size - len(finite)
    text = f"{finite.min():.3g} .. {finite.max():.3g}" if len(finite) else ""
    if bad:
        text = f"{text}, {bad} not finite".lstrip(", ")
    return Variable(name, array.shape, text, norm, role)
