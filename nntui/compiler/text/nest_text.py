"""Writes a nest of loops as LLVM IR: vectors along one axis, sums in an order that never changes.

The order of a sum depends on the shapes alone: every processor adds in the same way, whatever
the length of its vectors.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from nntui.compiler.calls.array_operations import WATCH, Elementwise, Reduction, Step
from nntui.compiler.calls.fusion import TERMS, Nest, vector_axis
from nntui.compiler.calls.regions import NotCompilableError, View
from nntui.compiler.text.elementary import CALLED
from nntui.compiler.text.function_text import FunctionText, Index
from nntui.compiler.text.lane_sums import combined, folded, neutral
from nntui.compiler.text.nest_axes import Laid, joined_axes, picked, unravelled
from nntui.compiler.text.registers import Registers
from nntui.compiler.text.vector_formulas import constant, type_of

WIDE, WIDEST, NARROW = 16, 32, 8
"""Numbers side by side: in sums, in long sums along their own axis, and else."""
CALL = 10
"""Instructions, roughly, of a function that is no instruction of processors."""
MOST_SUMMED = 8
"""Terms of a sum up to which it is written without a loop."""


class NestText:
    """Writes one nest into ``function``.

    ``pointers`` are the buffers that lie in memory, ``watches`` the local variables, by width, in
    which 0 stays 0 as long as every number that is watched is finite.
    """

    def __init__(
        self,
        function: FunctionText,
        nest: Nest,
        pointers: Mapping[int, str],
        watches: dict[int, str],
        registers: Registers,
        most: int,
        columns: int | None = None,
        blocks: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """Up to ``most`` instructions, roughly, are written without loops.

        With ``columns``, an axis of the nest, it is written block by block along that; ``blocks``
        are the buffers that hold a block only, with the length of their rows.
        """
        self._function, self._nest, self._pointers = function, nest, pointers
        self._watches, self._registers, self._most = watches, registers, most
        views = [view for step in nest.steps for view in (*step.reads, step.out)]
        self._groups, self._sizes = joined_axes(
            nest.shape, [view.strides[: len(nest.shape)] for view in views], columns
        )
        self._blocks = blocks
        self._axis: int | None = None
        if columns is not None:
            self._axis = self._groups.index(columns)
        elif nest.mode != TERMS:
            laid = [_as_view(self._laid(view), self._sizes) for view in views]
            outs = [_as_view(self._laid(step.out), self._sizes) for step in nest.steps]
            self._axis = vector_axis(self._sizes, laid, outs)
        self._values: dict[tuple[int, int, tuple[int, ...]], str] = {}

    def write(self) -> None:
        """Write the whole nest."""
        sums = any(isinstance(step, Reduction) for step in self._nest.steps)
        block = WIDE if sums else NARROW
        outer = [axis for axis in range(len(self._sizes)) if axis != self._axis]
        along = 1 if self._axis is None else self._sizes[self._axis]
        pieces = -(-along // block)
        bodies = math.prod(self._sizes[axis] for axis in outer) * pieces
        unrolled = bodies * sum(map(_weight, self._nest.steps)) <= self._most
        place: dict[int, Index] = {}

        def at(depth: int) -> None:
            if depth < len(outer):
                axis = outer[depth]

                def inside(index: Index) -> None:
                    place[axis] = index
                    at(depth + 1)

                self._function.repeat(self._sizes[axis], unrolled, inside)
            else:
                self._pieces(place, along, block, unrolled)

        at(0)

    def write_block(self, index: Index, width: int) -> None:
        """Write what the nest computes in the ``width`` columns from ``index`` on."""
        assert self._axis is not None
        outer = [axis for axis in range(len(self._sizes)) if axis != self._axis]
        bodies = math.prod(self._sizes[axis] for axis in outer)
        unrolled = bodies * sum(map(_weight, self._nest.steps)) <= self._most
        place: dict[int, Index] = {self._axis: index}

        def at(depth: int) -> None:
            if depth == len(outer):
                self._body(place, width)
                return

            def inside(row: Index) -> None:
                place[outer[depth]] = row
                at(depth + 1)

            self._function.repeat(self._sizes[outer[depth]], unrolled, inside)

        at(0)

    def _pieces(self, place: dict[int, Index], along: int, block: int, unrolled: bool) -> None:
        if self._axis is None:
            self._body(place, 1)
            return
        blocks, rest = divmod(along, block)
        if unrolled or blocks == 1:
            for at in range(blocks):
                self._body({**place, self._axis: at * block}, block)
        elif blocks:
            with self._function.loop(blocks * block, block) as index:
                self._body({**place, self._axis: index}, block)
        if rest:
            self._body({**place, self._axis: blocks * block}, rest)

    def _body(self, place: Mapping[int, Index], width: int) -> None:
        self._values.clear()
        formulas = self._function.formulas(width)
        for step in self._nest.steps:
            if isinstance(step, Reduction):
                value = self._reduced(step, place, width)
            else:
                operands = [
                    formulas.number(each)
                    if not isinstance(each, View)
                    else self._loaded(self._laid(each), place, width)
                    for each in step.operands
                ]
                if step.function == WATCH:
                    self._watched(operands[0], width)
                    continue
                value = formulas.apply(step.function, *operands)
            out = self._laid(step.out)
            self._values[out.key] = value
            self._store(out, place, width, value)

    def _store(self, out: Laid, place: Mapping[int, Index], width: int, value: str) -> None:
        if out.region not in self._pointers:
            return
        if width > 1 and self._stride(out) != 1:
            raise NotCompilableError("results that do not lie side by side")
        registers, moves = self._registers, self._moves(out, place, ())
        if all(isinstance(index, int) for index, _ in moves):
            registers.note(out.region, self._offset(out, moves), width, value)
        else:
            registers.forget(out.region)
        pointer = self._pointer(out, moves)
        registers.store(out.region, type_of(width), value, pointer)

    def _watched(self, value: str, width: int) -> None:
        """Add to the watch 0 for a finite number and else NaN."""
        function, vector = self._function, type_of(width)
        if width not in self._watches:
            self._watches[width] = function.local(vector, start=constant(0.0, width))
        held, formulas = self._watches[width], function.formulas(width)
        sum_ = formulas.add(function.load(vector, held), formulas.sub(value, value))
        function.store(vector, sum_, held)

    def _reduced(self, step: Reduction, place: Mapping[int, Index], width: int) -> str:
        factors = [self._laid(each, step) for each in step.factors]
        groups, inner = joined_axes(step.inner, [each.inner for each in factors])
        factors = [
            Laid(each.region, each.offset, each.strides, picked(each.inner, groups))
            for each in factors
        ]
        if self._nest.mode == TERMS:
            return self._summed_along(step.kind, factors, inner, place)
        terms = math.prod(inner)
        if terms <= MOST_SUMMED:
            total = ""
            for at in range(terms):
                term = self._product(factors, place, unravelled(at, inner), width)
                total = self._combined(step.kind, total, term, width) if total else term
            return total
        return self._accumulated(
            step.kind, inner, width, lambda at: self._product(factors, place, at, width)
        )

    def _accumulated(
        self,
        kind: str,
        sizes: Sequence[int],
        width: int,
        term: Callable[[tuple[Index, ...]], str],
        stride: int = 1,
    ) -> str:
        """The sum of ``term`` over all indices, the last of which moves by ``stride``."""
        function, vector = self._function, type_of(width)
        held = function.local(vector)
        function.store(vector, constant(neutral(kind), width), held)

        def at(done: tuple[Index, ...]) -> None:
            if len(done) == len(sizes):
                value = term(done)
                before = function.load(vector, held)
                function.store(vector, self._combined(kind, before, value, width), held)
                return
            last = len(done) == len(sizes) - 1
            with function.loop(sizes[len(done)], stride if last else 1) as index:
                at((*done, index))

        at(())
        return function.load(vector, held)

    def _summed_along(
        self, kind: str, factors: Sequence[Laid], inner: Sequence[int], place: Mapping[int, Index]
    ) -> str:
        """A sum whose terms lie side by side: in lanes, which are added up at the end."""
        *outer, count = inner
        lanes = WIDEST if count >= 2 * WIDEST else WIDE
        whole, rest = count - count % lanes, count % lanes
        parts: list[str] = []

        def term(at: tuple[Index, ...]) -> str:
            return self._product(factors, place, at, lanes, along=True)

        if whole == lanes and not outer:
            parts.append(folded(self._function, term((0,)), lanes, kind))
        elif whole:
            total = self._accumulated(kind, (*outer, whole), lanes, term, lanes)
            parts.append(folded(self._function, total, lanes, kind))
        if rest and outer:
            total = self._accumulated(
                kind,
                outer,
                rest,
                lambda at: self._product(factors, place, (*at, whole), rest, along=True),
            )
            parts.append(folded(self._function, total, rest, kind))
        elif rest:
            value = self._product(factors, place, (whole,), rest, along=True)
            parts.append(folded(self._function, value, rest, kind))
        total = parts[0]
        for part in parts[1:]:
            total = self._combined(kind, total, part, 1)
        return total

    def _product(
        self,
        factors: Sequence[Laid],
        place: Mapping[int, Index],
        inner: Sequence[Index],
        width: int,
        along: bool = False,
    ) -> str:
        values = [self._loaded(each, place, width, inner, along) for each in factors]
        return values[0] if len(values) == 1 else self._function.formulas(width).mul(*values)

    def _combined(self, kind: str, one: str, two: str, width: int) -> str:
        return combined(self._function, kind, one, two, width)

    def _laid(self, view: View, step: Reduction | None = None) -> Laid:
        depth = len(self._nest.shape)
        own, inner = view.strides[:depth], view.strides[depth:]
        return Laid(view.region, view.offset, picked(own, self._groups), inner)

    def _stride(self, laid: Laid) -> int:
        return 0 if self._axis is None else laid.strides[self._axis]

    def _loaded(
        self,
        laid: Laid,
        place: Mapping[int, Index],
        width: int,
        inner: Sequence[Index] = (),
        along: bool = False,
    ) -> str:
        if not inner and laid.key in self._values:
            return self._values[laid.key]
        function, moves = self._function, self._moves(laid, place, inner)
        stride = laid.inner[-1] if along else self._stride(laid)
        many = width if stride == 1 else 1
        fixed = all(isinstance(index, int) for index, _ in moves)
        offset = self._offset(laid, moves)
        found = self._registers.find(laid.region, offset, many) if fixed else None
        if found is None:
            found = function.load(type_of(many), self._pointer(laid, moves))
            self._registers.read.add(laid.region)
            if fixed:
                self._registers.note(laid.region, offset, many, found)
        value = found if many == width else function.splat(found, width)
        if not inner:
            self._values[laid.key] = value
        return value

    def _moves(
        self, laid: Laid, place: Mapping[int, Index], inner: Sequence[Index]
    ) -> list[tuple[Index, int]]:
        """The indices that matter, each with its stride."""
        length = self._blocks.get(laid.region, 0)
        moves = [
            (index, laid.strides[axis])
            for axis, index in place.items()
            if not (length and axis == self._axis)
        ]
        moves += zip(inner, laid.inner, strict=False)
        if length:
            moves = [(index, stride // length * WIDE) for index, stride in moves]
        return [(index, stride) for index, stride in moves if stride]

    def _offset(self, laid: Laid, moves: Sequence[tuple[Index, int]]) -> int:
        length = self._blocks.get(laid.region, 0)
        start = laid.offset // length * WIDE if length else laid.offset
        return start + sum(at * stride for at, stride in moves if isinstance(at, int))

    def _pointer(self, laid: Laid, moves: Sequence[tuple[Index, int]]) -> str:
        write = self._function.write
        offset = str(self._offset(laid, moves))
        for at, stride in moves:
            if isinstance(at, str):
                moved = at if stride == 1 else write(f"mul nuw nsw i64 {at}, {stride}")
                offset = moved if offset == "0" else write(f"add nuw nsw i64 {offset}, {moved}")
        base = self._pointers[laid.region]
        if offset == "0":
            return base
        return write(f"getelementptr inbounds double, ptr {base}, i64 {offset}")


def _weight(step: Step) -> int:
    """Instructions, roughly, that one result takes."""
    if isinstance(step, Elementwise):
        return CALL if step.function in CALLED else 1
    return math.prod(step.inner) if step.inner[-1] <= MOST_SUMMED else MOST_SUMMED


def _as_view(laid: Laid, sizes: Sequence[int]) -> View:
    return View(laid.region, laid.offset, tuple(sizes), laid.strides)
