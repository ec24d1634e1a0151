"""Derivatives of the recorded operations, one line each.

A rule gets the adjoint `g` of the result, the result `y` and the operands, all as float64 arrays,
and gives the adjoint of every positional operand; what broadcasting repeated is summed afterwards.
`None` stands for an operand that has no derivative.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nntui.program.record.deriving.gradients import (
    added,
    chosen,
    clip,
    cumulative,
    deviation,
    dot,
    einsum,
    extent,
    extreme,
    greater,
    matmul,
    norm,
    power,
    product,
    sort,
    spread,
    tensordot,
    variance,
)
from nntui.program.record.operations import words

Rule = Callable[..., tuple[Any, ...]]

# Piecewise constant: every derivative is 0.
CONSTANT = words(
    """> >= < <= == != // sign argmax argmin argsort zeros_like ones_like empty_like zeros
    ones empty eye identity arange linspace heaviside floor ceil trunc rint isfinite isnan
    isinf logical_and logical_or logical_not logical_xor signbit any all count_nonzero nonzero
    round around spacing & | ^ << >> shuffle isclose searchsorted digitize bincount"""
)

# Elementwise functions of one operand: dy/dx from x and y.
SLOPES: dict[str, Callable[[Any, Any], Any]] = {
    "neg": lambda x, y: -np.ones_like(x),
    "positive": lambda x, y: np.ones_like(x),
    "exp": lambda x, y: y,
    "exp2": lambda x, y: y * math.log(2),
    "expm1": lambda x, y: y + 1,
    "log": lambda x, y: 1 / x,
    "log2": lambda x, y: 1 / (x * math.log(2)),
    "log10": lambda x, y: 1 / (x * math.log(10)),
    "log1p": lambda x, y: 1 / (1 + x),
    "sqrt": lambda x, y: 0.5 / y,
    "cbrt": lambda x, y: 1 / (3 * y * y),
    "square": lambda x, y: 2 * x,
    "reciprocal": lambda x, y: -y * y,
    "abs": lambda x, y: np.sign(x),
    "sin": lambda x, y: np.cos(x),
    "cos": lambda x, y: -np.sin(x),
    "tan": lambda x, y: 1 + y * y,
    "sinh": lambda x, y: np.cosh(x),
    "cosh": lambda x, y: np.sinh(x),
    "tanh": lambda x, y: 1 - y * y,
    "arcsin": lambda x, y: 1 / np.sqrt(1 - x * x),
    "arccos": lambda x, y: -1 / np.sqrt(1 - x * x),
    "arctan": lambda x, y: 1 / (1 + x * x),
    "arcsinh": lambda x, y: 1 / np.sqrt(1 + x * x),
    "arccosh": lambda x, y: 1 / np.sqrt(x * x - 1),
    "arctanh": lambda x, y: 1 / (1 - x * x),
    "expit": lambda x, y: y * (1 - y),
    "erf": lambda x, y: 2 / math.sqrt(math.pi) * np.exp(-x * x),
    "deg2rad": lambda x, y: np.full_like(x, math.pi / 180),
    "rad2deg": lambda x, y: np.full_like(x, 180 / math.pi),
    "nan_to_num": lambda x, y: np.isfinite(x) * 1.0,
    "float": lambda x, y: np.ones_like(x),
    "float64": lambda x, y: np.ones_like(x),
    "float32": lambda x, y: np.ones_like(x),
    "astype": lambda x, y: np.ones_like(x),
    "conj": lambda x, y: np.ones_like(x),
}


RULES: dict[str, Rule] = {
    "+": lambda g, y, a, b: (g, g),
    "-": lambda g, y, a, b: (g, -g),
    "*": lambda g, y, a, b: (g * b, g * a),
    "/": lambda g, y, a, b: (g / b, -g * y / b),
    "%": lambda g, y, a, b: (g, -g * np.floor(a / b)),
    "**": power,
    "@": matmul,
    "dot": dot,
    "inner": lambda g, y, a, b: (
        (g * b, g * a)
        if np.ndim(a) == 0 or np.ndim(b) == 0
        else tensordot(g, y, a, b, ((-1,), (-1,)))
    ),
    "vdot": lambda g, y, a, b: (
        g * np.reshape(b, np.shape(a)),
        g * np.reshape(a, np.shape(b)),
    ),
    "outer": lambda g, y, a, b: (
        np.reshape(g @ np.ravel(b), np.shape(a)),
        np.reshape(np.ravel(a) @ g, np.shape(b)),
    ),
    "tensordot": tensordot,
    "maximum": lambda g, y, a, b: greater(g, a, b, 1),
    "minimum": lambda g, y, a, b: greater(g, a, b, -1),
    "fmax": lambda g, y, a, b: greater(g, a, b, 1),
    "fmin": lambda g, y, a, b: greater(g, a, b, -1),
    "where": lambda g, y, c, a, b: (None, g * np.not_equal(c, 0), g * np.equal(c, 0)),
    "clip": clip,
    "hypot": lambda g, y, a, b: (g * a / y, g * b / y),
    "arctan2": lambda g, y, a, b: (g * b / (a * a + b * b), -g * a / (a * a + b * b)),
    "logaddexp": lambda g, y, a, b: (g * np.exp(a - y), g * np.exp(b - y)),
    "sum": lambda g, y, x, axis=None: (spread(g, x, axis),),
    "mean": lambda g, y, x, axis=None: (spread(g, x, axis) / extent(x, axis),),
    "average": lambda g, y, x, axis=None: (spread(g, x, axis) / extent(x, axis),),
    "max": extreme,
    "min": extreme,
    "prod": product,
    "var": variance,
    "std": deviation,
    "norm": norm,
    "cumsum": cumulative,
    "sort": sort,
    "einsum": einsum,
    "logsumexp": lambda g, y, x, axis=None: (spread(g, x, axis) * np.exp(x - spread(y, x, axis)),),
}
for _name, _slope in SLOPES.items():
    RULES[_name] = lambda g, y, x, *_, slope=_slope: (g * slope(x, y),)

# Python's own functions, where they differ from NumPy's of the same name.
OF_BUILTINS: dict[Any, Rule] = {builtins.sum: added, builtins.max: chosen, builtins.min: chosen}

# Keywords a rule understands; with any other the derivative is numeric.
UNDERSTOOD: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("sum", "mean", "max", "min", "prod", "norm", "logsumexp", "average"),
        frozenset({"axis", "keepdims"}),
    ),
    "var": frozenset({"axis", "keepdims", "ddof"}),
    "std": frozenset({"axis", "keepdims", "ddof"}),
    "cumsum": frozenset({"axis"}),
    "sort": frozenset({"axis", "kind", "stable"}),
    "tensordot": frozenset({"axes"}),
    "clip": frozenset({"low", "high", "min", "max", "a_min", "a_max"}),
    "astype": frozenset({"dtype", "copy", "order"}),
    "einsum": frozenset({"optimize"}),
}

# These only move elements: index numbers sent through them say where each one went.
COPYING = words(
    """array asarray asanyarray item full full_like
    ascontiguousarray asfortranarray asmatrix mat matrix copy deepcopy
    reshape ravel flatten squeeze expand_dims atleast_1d atleast_2d atleast_3d transpose swapaxes
    moveaxis rollaxis concatenate hstack vstack dstack stack column_stack row_stack append insert
    delete tile repeat roll flip flipud fliplr rot90 taken take_along_axis diag diagonal diagflat
    pad broadcast_to split array_split hsplit vsplit block r_ c_ resize tril triu compress choose
    select extract fromiter meshgrid broadcast_arrays copyto put place
    putmask fill fill_diagonal put_along_axis itemset"""
)
