"""JSON of large results: the same text as of lists, made a piece at a time."""

import json
import math
from typing import Any

import numpy as np
import pytest

from nntui.timeline.views.json_text import PIECE, Columns, json_pieces, json_ready

NOT_FINITE = np.array([[0.1, np.nan], [-np.inf, 1e300]])


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"a": 1, "é": None, "b": [True, "x", 0.5, math.inf]}, None),
        ({}, {}),
        ([], []),
        (np.zeros((0, 3)), []),
        (np.zeros((2, 0)), [[], []]),
        (NOT_FINITE, [[0.1, None], [None, 1e300]]),
        ([{"W": NOT_FINITE, "b": None}, {"W": np.arange(2), "b": np.array([0.1])}], None),
        (np.arange(3.0 * PIECE), None),
        (np.arange(6.0 * PIECE).reshape(-1, 2) / 7, None),
        (np.ones((2, PIECE + 1)), None),
        (Columns((np.arange(2), np.array([0.5, np.nan]))), [[0, 0.5], [1, None]]),
        (Columns((np.arange(3 * PIECE), np.ones(3 * PIECE))), [[at, 1.0] for at in range(30_000)]),
    ],
)
def test_the_pieces_are_the_text_of_the_whole(value: Any, plain: Any) -> None:
    if plain is None:
        plain = _listed(value)
    pieces = list(json_pieces(value))
    assert "".join(pieces) == json.dumps(plain, allow_nan=False)
    assert json.loads("".join(pieces)) == plain
    # A row of an array is never divided.
    assert max(map(len, pieces)) <= 25 * PIECE


def _listed(value: Any) -> Any:
    """``value`` without arrays, by another way than the module's."""
    if isinstance(value, dict):
        return {key: _listed(each) for key, each in value.items()}
    if isinstance(value, (list, np.ndarray)):
        return [_listed(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def test_single_numbers_are_ready() -> None:
    assert json_ready([np.float64(0.5), np.float64("nan"), np.int64(3), True]) == [
        0.5,
        None,
        3,
        True,
    ]
