"""Operations: what each recorded NumPy call computes, as data that does not name NumPy.

An operation is elementwise, or a sum or maximum over further axes; matrix products and ``einsum``
are sums of products.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nntui.compiler.calls.regions import AnyArray, Memory, NotCompilableError, View

Operand = View | float

ELEMENTWISE: dict[Any, str] = {
    getattr(np, name): name
    for name in (
        *("add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "heaviside"),
        *("logaddexp", "positive", "negative", "abs", "sign", "sqrt", "floor", "exp", "expm1"),
        *("log", "log1p", "sin", "cos", "tanh", "greater", "greater_equal", "less", "less_equal"),
        "equal",
    )
}
"""The name of each ufunc that is known, which is NumPy's."""
CHOOSE, WATCH = "choose", "watch"
"""``choose(mask, then, other)``, and the test whether all numbers are finite."""
SUM, GREATEST = "sum", "greatest"


@dataclass(frozen=True)
class Elementwise:
    """``out = function(*operands)``, number by number; operands have the shape of ``out``."""

    function: str
    operands: tuple[Operand, ...]
    out: View

    @property
    def reads(self) -> tuple[View, ...]:
        """The arrays that it reads."""
        return tuple(each for each in self.operands if isinstance(each, View))


@dataclass(frozen=True)
class Reduction:
    """``out`` is the sum, or the maximum, of the product of ``factors`` over their last axes.

    The shape of a factor is that of ``out`` followed by ``inner``, the axes that are summed over.
    """

    kind: str
    factors: tuple[View, ...]
    inner: tuple[int, ...]
    out: View

    @property
    def reads(self) -> tuple[View, ...]:
        """The arrays that it reads."""
        return self.factors


Step = Elementwise | Reduction


def _checked(step: Step) -> Step:
    """``step``, unless it reads its result at other places than it is about to write."""
    for view in step.reads:
        same = isinstance(step, Elementwise) and (view.offset, view.strides) == (
            step.out.offset,
            step.out.strides,
        )
        if view.overlaps(step.out) and not same:
            raise NotCompilableError("an operation that overwrites what it still has to read")
    return step


class Translator:
    """Translates recorded calls into operations on the regions of ``memory``."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def steps(self, calls: Iterable[Callable[[], object]]) -> list[Step]:
        """The operations of ``calls``; raises NotCompilableError if one is not known."""
        made = []
        for call in calls:
            if not isinstance(call, partial):
                raise NotCompilableError(f"{call!r} is not recorded")
            made.append(_checked(self._step(call.func, call.args, dict(call.keywords))))
        return made

    def total(self, values: AnyArray, out: AnyArray, squared: bool = False) -> Reduction:
        """``out`` = the sum of ``values``, or of their squares, over their first two axes."""
        view = self._memory.view(values)
        order = (*range(2, len(view.shape)), 0, 1)
        turned = View(
            view.region,
            view.offset,
            tuple(view.shape[axis] for axis in order),
            tuple(view.strides[axis] for axis in order),
        )
        factors = (turned, turned) if squared else (turned,)
        return Reduction(SUM, factors, view.shape[:2], self._memory.view(out))

    def elementwise(self, function: str, out: AnyArray, *operands: AnyArray | float) -> Elementwise:
        """``out = function(*operands)``."""
        view = self._memory.view(out)
        return Elementwise(function, tuple(self._operand(x, view.shape) for x in operands), view)

    def _step(self, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Step:
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(function, np.ufunc) and function in ELEMENTWISE:
            return self._ufunc(function, arguments, named)
        if isinstance(owner, np.ufunc) and name == "reduce" and not named:
            return self._reduce(owner, *arguments)
        if isinstance(owner, np.ndarray) and name == "dot" and not named and len(arguments) == 2:
            return self._dot(owner, *arguments)
        if isinstance(owner, np.ndarray) and name == "fill" and not named:
            return self.elementwise("positive", owner, float(arguments[0]))
        if function is np.copyto:
            return self._copy(*arguments, **named)
        if function is np.einsum:
            return self._einsum(arguments[0], arguments[1:], **named)
        raise NotCompilableError(f"{function!r}")

    def _operand(self, value: Any, shape: tuple[int, ...]) -> Operand:
        if isinstance(value, np.ndarray):
            return self._memory.view(value).broadcast(shape)
        return float(value)

    def _ufunc(self, function: np.ufunc, arguments: tuple[Any, ...], named: dict[str, Any]) -> Step:
        out = named.pop("out", None)
        if out is None:
            *arguments_in, out = arguments
        else:
            arguments_in = list(arguments)
        if named or len(arguments_in) != function.nin or not isinstance(out, np.ndarray):
            raise NotCompilableError(f"{function.__name__} with other arguments")
        return self.elementwise(ELEMENTWISE[function], out, *arguments_in)

    def _reduce(
        self, ufunc: np.ufunc, values: AnyArray, axis: Any, dtype: Any, out: Any, keep: Any = False
    ) -> Step:
        kind = SUM if ufunc is np.add else GREATEST if ufunc is np.maximum else ""
        if not kind or dtype is not None or not isinstance(axis, int) or keep is not True:
            raise NotCompilableError(f"{ufunc.__name__}.reduce in another way")
        view, result = self._memory.view(values), self._memory.view(out)
        axis %= len(view.shape)
        strides = (*view.strides[:axis], 0, *view.strides[axis + 1 :], view.strides[axis])
        inner = (view.shape[axis],)
        factor = View(view.region, view.offset, (*result.shape, *inner), strides)
        return Reduction(kind, (factor,), inner, result)

    def _dot(self, left: AnyArray, right: AnyArray, out: AnyArray) -> Step:
        if left.ndim != 2 or right.ndim != 2:
            raise NotCompilableError("a product of other arrays than matrices")
        return self._contraction("mk,kn->mn", (left, right), out)

    def _einsum(self, subscripts: str, factors: Sequence[Any], *, out: AnyArray) -> Step:
        return self._contraction(subscripts, factors, out)

    def _contraction(self, subscripts: str, factors: Sequence[AnyArray], out: AnyArray) -> Step:
        sources, target = subscripts.split("->")
        letters, views = sources.split(","), [self._memory.view(each) for each in factors]
        sizes: dict[str, int] = {}
        for names, view in zip(letters, views, strict=True):
            for letter, size in zip(names, view.shape, strict=True):
                sizes[letter] = max(sizes.get(letter, 1), size)
        summed = [letter for letter in sizes if letter not in target]
        axes = [*target, *summed]
        turned = []
        for names, view in zip(letters, views, strict=True):
            stride = dict(zip(names, view.strides, strict=True))
            shape, strides = [sizes[x] for x in axes], [stride.get(x, 0) for x in axes]
            turned.append(View(view.region, view.offset, tuple(shape), tuple(strides)))
        inner = tuple(sizes[letter] for letter in summed)
        return Reduction(SUM, tuple(turned), inner, self._memory.view(out))

    def _copy(self, out: AnyArray, values: Any, where: AnyArray | None = None) -> Step:
        if where is None:
            return self.elementwise("positive", out, values)
        return self.elementwise(CHOOSE, out, where, values, out)
