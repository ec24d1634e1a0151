"""Derivatives that take more than a line; `rules` has the table.

Each gets the adjoint `g` of the result, the result `y` and the operands, and gives the adjoints of
the operands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nntui.program.record.recompute import solid


class NoRuleError(ValueError):
    """The derivative of this form of an operation is not written here; differences may give it."""


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
    g2 = solid(np.reshape(g, np.shape(a2 @ b2)) if one_row or one_column else np.asarray(g))
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
        raise NoRuleError
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
            raise NoRuleError
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


def sort(g: Any, y: Any, x: Any, axis: Any = -1) -> tuple[Any]:
    """Each sorted element comes from one place."""
    if axis is None:
        return (sort(g, y, x.reshape(-1), 0)[0].reshape(x.shape),)
    back = np.zeros(np.shape(x))
    np.put_along_axis(back, np.argsort(x, axis=int(axis), kind="stable"), g, int(axis))
    return (back,)


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
