"""A program: functions made of recorded calls, as one module of LLVM IR with its buffers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from nntui.compiler.calls.array_operations import (
    SUM,
    Elementwise,
    Operand,
    Reduction,
    Step,
    Translator,
)
from nntui.compiler.calls.bands import Band, banded, row_length
from nntui.compiler.calls.fusion import Nest, fused
from nntui.compiler.calls.padding import Padding
from nntui.compiler.calls.regions import FLAG, AnyArray, Memory, Region, View
from nntui.compiler.calls.watching import is_test, with_tests, without_superfluous
from nntui.compiler.text.elementary import Functions
from nntui.compiler.text.function_text import FunctionText
from nntui.compiler.text.lane_sums import folded
from nntui.compiler.text.nest_text import WIDE, NestText
from nntui.compiler.text.registers import Registers

MOST_UNROLLED, MOST_IN_ALL = 160, 5000
"""Instructions, roughly, up to which a nest, and a function, is written without loops: LLVM takes
longer the more there are."""
LARGEST_LOCAL = 512
"""Numbers of a scratch buffer up to which it is a local variable of the function."""

Calls = Iterable[Callable[[], object]]


@dataclass(frozen=True)
class Piece:
    """One function of a program: its operations, and the buffers whose numbers it watches."""

    name: str
    steps: tuple[Step, ...]
    watched: tuple[AnyArray, ...] = ()


class Program:
    """Functions on common buffers.

    ``kept`` are the buffers whose contents count before and after a call; ``parts`` are further
    ones that are separate although they lie in one block.
    """

    def __init__(self, kept: Iterable[AnyArray], parts: Iterable[AnyArray] = ()) -> None:
        self.memory = Memory(kept, parts)
        self.translator = Translator(self.memory)
        self.pieces: list[Piece] = []

    def add(self, name: str, steps: Sequence[Step], watched: Iterable[AnyArray] = ()) -> None:
        """Add a function: it makes ``steps``, and tells whether ``watched`` are finite."""
        self.pieces.append(Piece(name, tuple(steps), tuple(watched)))

    def written(self, also: Iterable[AnyArray] = ()) -> "Written":
        """The program as text; ``also`` are buffers that its callers need beside those it uses."""
        needed = {self.memory.view(each).region for each in also}
        uses = _Uses(self.memory.regions)
        pieces = [self._watching(each) for each in self.pieces]
        for piece in pieces:
            uses.add(piece.steps)
        known, texts = Functions(), []
        signatures: dict[str, tuple[int, ...]] = {}
        pieces = [replace(each, steps=tuple(map(uses.simplified, each.steps))) for each in pieces]
        padding = uses.padding(pieces)
        pieces = [replace(each, steps=tuple(map(padding.step, each.steps))) for each in pieces]
        for piece in pieces:
            text, used = _function(piece, uses, known)
            texts.append(text)
            signatures[piece.name] = used
        table = sorted(needed.union(*signatures.values()))
        work = {each.name: sum(map(_work, each.steps)) for each in pieces}
        buffers = [uses.values(region) for region in table]
        return Written(known, tuple(texts), tuple(table), buffers, signatures, work)

    def _watching(self, piece: Piece) -> Piece:
        """The piece with the tests of its watched numbers that are needed."""
        tested = with_tests(piece.steps, piece.watched, self.memory)
        return replace(piece, steps=tuple(without_superfluous(tested)))


@dataclass(frozen=True)
class Written:
    """A program as LLVM IR: each function takes its buffers, and returns 0 or NaN."""

    known: Functions
    texts: tuple[str, ...]
    table: tuple[int, ...]
    """The regions that lie in memory, as the table of buffers lists them."""
    buffers: list[AnyArray]
    """The same as arrays."""
    signatures: Mapping[str, tuple[int, ...]]
    """The regions that each function takes, in the order of its parameters."""
    work: Mapping[str, int]
    """Operations on numbers that each function takes, roughly."""

    def module(self, *more: str) -> str:
        """The whole text, with ``more`` functions that call these."""
        return "\n".join([self.known.text, *self.texts, *more])

    def call(self, name: str, pointers: Mapping[int, str]) -> str:
        """The call of a function, with the names of its pointers."""
        given = ", ".join(f"ptr {pointers[region]}" for region in self.signatures[name])
        return f"call double @{name}({given})"


class _Uses:
    """How the regions are used: which are constant, scratch, or must lie in memory."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._regions = regions
        self._writes: set[int] = set()
        self._lasting: set[int] = {each.index for each in regions if each.kept}
        self._pieces: list[tuple[Step, ...]] = []

    def add(self, steps: Sequence[Step]) -> None:
        """Take note of a function."""
        self._pieces.append(tuple(steps))
        done: dict[int, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
        for step in steps:
            for view in step.reads:
                if view.region in self._lasting:
                    continue
                size = self._regions[view.region].size
                mask = done.get(view.region)
                if mask is None or not mask[view.touched(size)].all():
                    # It reads what was there before.
                    self._lasting.add(view.region)
            if is_test(step):
                continue
            out = step.out
            self._writes.add(out.region)
            size = self._regions[out.region].size
            done.setdefault(out.region, np.zeros(size, dtype=np.bool_))
            done[out.region] |= out.touched(size)

    def simplified(self, step: Step) -> Step:
        """``step`` with constants as numbers."""
        if isinstance(step, Elementwise):
            return replace(step, operands=tuple(map(self._value, step.operands)))
        factors = tuple(each for each in step.factors if self._value(each) != 1.0)
        return replace(step, factors=factors or step.factors[:1])

    def _value(self, operand: Operand) -> Operand:
        if not isinstance(operand, View):
            return operand
        region = self._regions[operand.region]
        if region.kept or operand.region in self._writes:
            return operand
        values = region.values
        return float(values[0]) if (values == values[0]).all() else operand

    def padding(self, pieces: Iterable[Piece]) -> Padding:
        """Larger scratch buffers laid out anew."""
        views: dict[int, list[View]] = {}
        for piece in pieces:
            for step in piece.steps:
                for view in (*step.reads, step.out):
                    values = self._regions[view.region].values
                    is_scratch = not self.is_lasting(view.region) and values.dtype != FLAG
                    if is_scratch and values.size > LARGEST_LOCAL:
                        views.setdefault(view.region, []).append(view)
        padding = Padding(views)
        self._padded = padding.buffers
        return padding

    def is_lasting(self, region: int) -> bool:
        """Whether the contents of ``region`` come from outside, or count outside."""
        return region in self._lasting

    def values(self, region: int) -> AnyArray:
        """The buffer of ``region``."""
        return self._padded.get(region, self._regions[region].values)


def _function(piece: Piece, uses: _Uses, known: Functions) -> tuple[str, tuple[int, ...]]:
    """The text of a function, and the regions that it takes."""
    function = FunctionText(known)
    bands = banded(fused(piece.steps))
    within: dict[int, list[_Use]] = {}
    for number, (at, nest, axis) in enumerate(_numbered(bands)):
        for step in nest.steps:
            for view in (*step.reads, step.out):
                within.setdefault(view.region, []).append(_Use(number, at, axis, step, view))
    pointers: dict[int, str] = {}
    taken: list[int] = []
    own: dict[int, str] = {}
    blocks: dict[int, int] = {}
    for region, found in sorted(within.items()):
        if not uses.is_lasting(region) and _stays_in_registers(found):
            continue
        values = uses.values(region)
        length = 0 if uses.is_lasting(region) else _block_rows(found, bands)
        if length:
            blocks[region] = length
            pointers[region] = own[region] = f"%own{region}"
        elif uses.is_lasting(region) or (values.size > LARGEST_LOCAL and values.dtype != FLAG):
            pointers[region] = f"%r{region}"
            taken.append(region)
        else:
            pointers[region] = own[region] = f"%own{region}"
    watches: dict[int, str] = {}
    registers = Registers(function, frozenset(own))
    most = min(MOST_UNROLLED, MOST_IN_ALL // max(sum(len(band.nests) for band in bands), 1))
    for band in bands:
        texts = [
            NestText(function, nest, pointers, watches, registers, most, axis, blocks)
            for nest, axis in band.columned
        ]
        if not band.columns:
            texts[0].write()
            continue
        whole, rest = band.columns - band.columns % WIDE, band.columns % WIDE
        with function.loop(whole, WIDE) as index:
            for text in texts:
                text.write_block(index, WIDE)
        for text in texts if rest else ():
            text.write_block(whole, rest)
    registers.finish()
    for region, name in own.items():
        size = int(uses.values(region).size)
        if region in blocks:
            size = -(-size // blocks[region]) * WIDE
        function.declare(name, size)
    total = ""
    for width, held in watches.items():
        kind = "double" if width == 1 else f"<{width} x double>"
        part = folded(function, function.load(kind, held), width, SUM)
        total = function.formulas(1).add(total, part) if total else part
    function.run(f"ret double {total or '0.0'}")
    parameters = ", ".join(f"ptr noalias %r{region}" for region in taken)
    return function.text(f"define internal double @{piece.name}({parameters}) nounwind"), tuple(
        taken
    )


class _Use(NamedTuple):
    """Where a buffer is used: in which nest and band, with which axis of columns."""

    nest: int
    band: int
    columns: int | None
    step: Step
    view: View


def _numbered(bands: Sequence[Band]) -> Iterator[tuple[int, Nest, int | None]]:
    """Each nest with the number of its band and its axis of columns."""
    for at, band in enumerate(bands):
        for nest, axis in band.columned:
            yield at, nest, axis


def _stays_in_registers(found: Sequence[_Use]) -> bool:
    """Whether a scratch buffer is used in one nest only, and number by number."""
    like = found[0]
    return all(
        each.nest == like.nest
        and (each.view.offset, each.view.strides) == (like.view.offset, like.view.strides)
        and (isinstance(each.step, Elementwise) or each.view == each.step.out)
        for each in found
    )


def _block_rows(found: Sequence[_Use], bands: Sequence[Band]) -> int:
    """The length of a scratch buffer's rows if one block of columns at a time is enough; else 0."""
    band = bands[found[0].band]
    if not band.columns or any(each.band != found[0].band for each in found):
        return 0
    views = [(each.view, each.columns) for each in found if each.columns is not None]
    if any(view.strides[axis] != 1 for view, axis in views):
        return 0
    length = row_length(views) or band.columns
    fits = all(view.offset % length == 0 for view, _ in views)
    return length if fits and length >= band.columns else 0


def _work(step: Step) -> int:
    results = int(np.prod(step.out.shape))
    return results * int(np.prod(step.inner)) if isinstance(step, Reduction) else results


def with_entries(written: Written) -> str:
    """The module of ``written`` with a function ``run.NAME`` for each of its functions.

    It takes the table of buffers, and returns 0.
    """
    texts = []
    for name in written.signatures:
        function = FunctionText(written.known)
        pointers = {}
        for place, region in enumerate(written.table):
            slot = function.write(f"getelementptr ptr, ptr %table, i64 {place}")
            pointers[region] = function.write(f"load ptr, ptr {slot}, align 8")
        function.write(written.call(name, pointers))
        function.run("ret i64 0")
        texts.append(function.text(f"define i64 @run.{name}(ptr %table) nounwind"))
    return written.module(*texts)
