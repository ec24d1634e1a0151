"""Functions that the recorder knows: what they read, change, draw and run over."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from nntui.program.record.deriving.rules import CONSTANT, COPYING, RULES
from nntui.program.record.following.live_values import identity
from nntui.program.record.operations import words

DISPATCHED = type(np.sum)
OVER_ELEMENTS: tuple[Any, ...] = (
    zip,
    enumerate,
    map,
    filter,
    reversed,
    list,
    tuple,
    iter,
    sorted,
)
REDUCTIONS = {identity(f): f.__name__ for f in (sum, max, min, abs, pow, round, divmod)}
CONVERSIONS = {
    identity(float): "float",
    identity(np.float64): "float64",
    identity(np.float32): "float32",
}
NOT_OPERATIONS = words(
    """seed save savetxt savez load loadtxt genfromtxt seterr set_printoptions get_printoptions
    array_equal allclose shape size ndim may_share_memory shares_memory array2string array_str
    array_repr tobytes tofile dump dumps setflags printoptions errstate isscalar iscomplexobj
    result_type can_cast min_scalar_type geterr"""
)
CHANGING_METHODS = frozenset({"fill", "sort", "put", "itemset", "partition"})
CHANGING_FUNCTIONS = frozenset(
    {"copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"}
)
SHARING = (np.nditer, memoryview, np.frombuffer)
"""What they give can be used to write to an array at any time."""
POSITION_OF_OUT = {"dot": 2, "clip": 3}
OPAQUE = frozenset(
    {"apply_along_axis", "apply_over_axes", "piecewise", "fromfunction", "vectorize"}
)
CALL = "__call__"
GENERATORS = (np.random.RandomState, np.random.Generator, random.Random)
HARMLESS_OWNERS = frozenset({list, dict, set, str, tuple, bytes, float, int})
PURE = frozenset(RULES) | CONSTANT | COPYING
