"""Values as JSON text: arrays as nested lists, numbers that are not finite as null."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

PIECE = 10_000
"""Numbers that are converted at once; as Python's objects they take several times their memory."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of equal lengths, which JSON has as a list of rows."""

    columns: tuple[npt.NDArray[Any], ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, part: slice) -> list[list[Any]]:
        columns = [json_ready(each[part]) for each in self.columns]
        return list(map(list, zip(*columns, strict=True)))


def json_ready(values: Any) -> Any:
    """``values`` with every array as nested lists and every non-finite number as None."""
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    if isinstance(values, (list, tuple)):
        return [json_ready(each) for each in values]
    if isinstance(values, (np.ndarray, np.generic)):
        plain = values.tolist()
        return plain if np.isfinite(values).all() else json_ready(plain)
    return values


def json_pieces(value: Any) -> Iterator[str]:
    """The JSON text of ``value`` in pieces; arrays and `Columns` may stand in it.

    Only a piece of an array at a time is converted to Python's numbers.
    """
    if isinstance(value, dict):
        yield "{"
        for at, (key, each) in enumerate(value.items()):
            yield f"{', ' if at else ''}{json.dumps(key)}: "
            yield from json_pieces(each)
        yield "}"
    elif isinstance(value, (list, tuple)):
        yield "["
        for at, each in enumerate(value):
            yield ", " if at else ""
            yield from json_pieces(each)
        yield "]"
    elif isinstance(value, (np.ndarray, Columns)):
        yield "["
        yield from _items(value)
        yield "]"
    else:
        yield json.dumps(json_ready(value), allow_nan=False)


def _items(values: npt.NDArray[Any] | Columns) -> Iterator[str]:
    """The items of ``values``, separated by commas, many in each piece."""
    each = len(values.columns) if isinstance(values, Columns) else math.prod(values.shape[1:])
    step = max(PIECE // max(each, 1), 1)
    for at in range(0, len(values), step):
        piece = json.dumps(json_ready(values[at : at + step]), allow_nan=False)
        yield f"{', ' if at else ''}{piece[1:-1]}"
