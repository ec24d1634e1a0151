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

from .operations import words

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


def unbroadcast(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum over what broadcasting repeated."""
    gradient = np.asarray(gradient, float)
    if gradient.shape == shape:
        return gradient
    if gradient.ndim < len(shape):
        gradient = gradient.reshape((1,) * (len(shape) - gradient.ndim) + gradient.shape)
    if gradient.ndim > len(shape):
        gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(axis for axis, n in enumerate(shape) if n == 1 and gradient.shape[axis] != 1)
    if repeated:
        gradient = gradient.sum(axis=repeated, keepdims=True)
    return np.broadcast_to(gradient, shape) if gradient.shape != shape else gradient


def reduced(x: Any, axis: Any) -> tuple[int, ...]:
    """The axes a reduction runs over."""
    if axis is None or axis is np._NoValue:
        return tuple(range(np.ndim(x)))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(int(each) % np.ndim(x) for each in axes)


def spread(g: Any, x: Any, axis: Any = None) -> Any:
    """What belongs to a reduced array, back in the shape before the reduction."""
    axes = reduced(x, axis)
    kept = [1 if each in axes else n for each, n in enumerate(np.shape(x))]
    return np.broadcast_to(np.reshape(g, kept), np.shape(x))


def extent(x: Any, axis: Any) -> int:
    """How many elements each result of a reduction has."""
    return int(np.prod([np.shape(x)[each] for each in reduced(x, axis)], dtype=np.int64))


def matmul(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """y = a @ b: ga = g @ b', gb = a' @ g."""
    a, b = np.asarray(a), np.asarray(b)
    one_row, one_column = a.ndim == 1, b.ndim == 1
    a2 = a[None, :] if one_row else a
    b2 = b[:, None] if one_column else b
    g2 = np.reshape(g, np.shape(a2 @ b2)) if one_row or one_column else g
    ga = g2 @ np.swapaxes(b2, -1, -2)
    gb = np.swapaxes(a2, -1, -2) @ g2
    return unbroadcast(ga, a2.shape).reshape(a.shape), unbroadcast(gb, b2.shape).reshape(b.shape)


def dot(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """y = dot(a, b): the last axis of a against the last but one of b."""
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim == 0 or b.ndim == 0:
        return g * b, g * a
    if b.ndim <= 2 and a.ndim <= 2:
        return matmul(g, y, a, b)
    axis = max(b.ndim - 2, 0)
    return tensordot(g, y, a, b, ((a.ndim - 1,), (axis,)))


def tensordot(g: Any, y: Any, a: Any, b: Any, axes: Any = 2) -> tuple[Any, Any]:
    """y = tensordot(a, b, axes): contract g with the other operand, and put the axes back."""
    a, b = np.asarray(a), np.asarray(b)
    if isinstance(axes, int):
        axes = (tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)))
    first, second = (tuple(np.atleast_1d(each)) for each in axes)
    first = tuple(int(each) % a.ndim for each in first)
    second = tuple(int(each) % b.ndim for each in second)
    free_a = [each for each in range(a.ndim) if each not in first]
    free_b = [each for each in range(b.ndim) if each not in second]
    g = np.reshape(g, [a.shape[each] for each in free_a] + [b.shape[each] for each in free_b])
    ga = np.tensordot(g, b, (range(len(free_a), g.ndim), free_b))
    gb = np.tensordot(a, g, (free_a, range(len(free_a))))
    order_b = sorted(range(len(second)), key=lambda each: second[each])
    ga = np.transpose(ga, np.argsort(free_a + [first[each] for each in order_b]))
    order_a = sorted(range(len(first)), key=lambda each: first[each])
    gb = np.transpose(gb, np.argsort([second[each] for each in order_a] + free_b))
    return ga, gb


def greater(g: Any, a: Any, b: Any, sign: float) -> tuple[Any, Any]:
    """The larger (or smaller) of two; at a tie each gets half."""
    difference = sign * (np.asarray(a, float) - np.asarray(b, float))
    share = np.where(difference == 0, 0.5, difference > 0)
    return g * share, g * (1 - share)


def extreme(g: Any, y: Any, x: Any, axis: Any = None) -> tuple[Any]:
    """The largest (or smallest) of many; equal ones share."""
    chosen = spread(y, x, axis) == x
    count = np.sum(chosen, axis=reduced(x, axis), keepdims=True)
    return (spread(g, x, axis) * chosen / count,)


def power(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """y = a ** b."""
    ga = g * b * np.where(np.equal(b, 0), 0, np.power(a * 1.0, np.where(np.equal(b, 0), 1, b) - 1))
    return ga, g * y * np.log(np.where(np.greater(a, 0), a, 1.0))


def clip(g: Any, y: Any, x: Any, low: Any, high: Any) -> tuple[Any, ...]:
    """Between low and high; at the bounds the slope is that of x."""
    below = np.zeros(np.shape(y), bool) if low is None else np.less(x, low)
    above = np.zeros(np.shape(y), bool) if high is None else np.greater(x, high)
    return g * ~(below | above), g * below, g * above


def product(g: Any, y: Any, x: Any, axis: Any = None) -> tuple[Any]:
    """y = prod(x): the product of the others."""
    axes = reduced(x, axis)
    others = np.empty_like(x)
    rest = [each for each in range(x.ndim) if each not in axes]
    moved = np.transpose(x, (*rest, *axes))
    flat = moved.reshape(*[x.shape[each] for each in rest], -1)
    result = np.empty_like(flat)
    for number in range(flat.shape[-1]):
        result[..., number] = np.prod(np.delete(flat, number, axis=-1), axis=-1)
    others = np.transpose(result.reshape(moved.shape), np.argsort((*rest, *axes)))
    return (spread(g, x, axis) * others,)


def variance(g: Any, y: Any, x: Any, axis: Any = None, ddof: Any = 0) -> tuple[Any]:
    """y = mean of (x - mean)^2."""
    centred = x - np.mean(x, axis=reduced(x, axis), keepdims=True)
    return (spread(g, x, axis) * 2 * centred / (extent(x, axis) - ddof),)


def deviation(g: Any, y: Any, x: Any, axis: Any = None, ddof: Any = 0) -> tuple[Any]:
    """y = sqrt(var(x))."""
    half = np.divide(g, 2 * y, out=np.zeros_like(np.asarray(y, float)), where=np.asarray(y) != 0)
    return variance(half, y, x, axis, ddof)


def norm(g: Any, y: Any, x: Any, axis: Any = None) -> tuple[Any]:
    """y = sqrt(sum of x^2)."""
    ratio = np.divide(g, y, out=np.zeros_like(np.asarray(y, float)), where=np.asarray(y) != 0)
    return (spread(ratio, x, axis) * x,)


def cumulative(g: Any, y: Any, x: Any, axis: Any = None) -> tuple[Any]:
    """y[i] = x[0] + ... + x[i]."""
    if axis is None:
        return (np.cumsum(g.reshape(-1)[::-1])[::-1].reshape(x.shape),)
    return (np.flip(np.cumsum(np.flip(g, axis), axis), axis),)


def einsum(g: Any, y: Any, subscripts: Any, *operands: Any) -> tuple[Any, ...]:
    """Each operand's adjoint is the einsum of g and the others."""
    if not isinstance(subscripts, str) or "..." in subscripts:
        raise NotImplementedError
    text = subscripts.replace(" ", "")
    inputs, _, output = text.partition("->")
    letters = inputs.split(",")
    if "->" not in text:
        joined = inputs.replace(",", "")
        output = "".join(sorted(each for each in set(joined) if joined.count(each) == 1))
    gradients: list[Any] = [None]
    for number, own in enumerate(letters):
        others = [each for index, each in enumerate(letters) if index != number]
        if len(set(own)) != len(own):  # a diagonal
            raise NotImplementedError
        present = set(output).union(*others)
        reachable = "".join(each for each in own if each in present)
        rest = [operand for index, operand in enumerate(operands) if index != number]
        terms = ",".join([output, *others])
        gradient = np.einsum(f"{terms}->{reachable}", g, *rest)
        shape = [
            n if each in present else 1
            for each, n in zip(own, np.shape(operands[number]), strict=True)
        ]
        gradients.append(np.broadcast_to(gradient.reshape(shape), operands[number].shape))
    return tuple(gradients)


def gathered(g: Any, positions: Any, shape: tuple[int, ...]) -> Any:
    """Add what was read back to where it was read."""
    count = int(np.prod(shape, dtype=np.int64))
    flat = np.broadcast_to(g, np.shape(positions)).reshape(-1)
    return np.bincount(np.reshape(positions, -1), flat, count).reshape(shape)


def added(g: Any, y: Any, terms: Any, start: Any = 0) -> tuple[Any, Any]:
    """y = sum(terms, start), Python's: over the first axis of an array, or a list of anything."""
    if isinstance(terms, np.ndarray):
        return np.broadcast_to(g, terms.shape), g
    return [g] * len(terms), g


def chosen(g: Any, y: Any, *values: Any, **_: Any) -> tuple[Any, ...]:
    """y = max(...) or min(...), Python's, of arguments or of one list; equal ones share."""
    of_one = len(values) == 1
    many = list(values[0]) if of_one else list(values)
    equal = [float(np.all(each == y)) for each in many]
    shares = [g * each / sum(equal) for each in equal]
    return (shares,) if of_one else tuple(shares)


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
    select extract fromiter meshgrid broadcast_arrays sort partition unique copyto put place
    putmask fill fill_diagonal put_along_axis itemset"""
)
