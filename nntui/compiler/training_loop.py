"""The loop over many updates, batches and epochs, around the functions of a program.

One call makes as many updates as are asked for: it copies each batch, adds up the reported losses,
ends epochs, and returns after the first update that computes a number that is not finite.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nntui.compiler.calls.regions import AnyArray
from nntui.compiler.loop_code import FLAG, MADE, REACHED, REPORTS, SUM, UNREPORTED, WILD
from nntui.compiler.recorded_program import Program, Written
from nntui.compiler.text.function_text import FunctionText
from nntui.compiler.text.vector_formulas import literal

INFINITY = float("inf")


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of one size: the function that makes an update, and its batch, which it reads."""

    function: str
    batch: AnyArray
    """(width, samples, ...), with one more axis if every replica has samples of its own."""


@dataclass(frozen=True, eq=False)
class Loop:
    """What the loop needs to know of a training."""

    rows: AnyArray
    """(width, rows): what batches are made of."""
    main: Batches
    last: Batches
    """Those of an epoch's last update."""
    per_epoch: int
    samples: int
    """Of one epoch."""
    ordered: bool
    """Whether samples are taken in an order that is given, and not one after the other."""
    rate: AnyArray
    reported: AnyArray
    """The loss of a batch, as the update leaves it behind; one number for each replica."""
    total: AnyArray
    """The sum of the losses of an epoch so far."""
    loss: AnyArray
    """Where the function that reports leaves the loss of an epoch."""
    report: str
    """The function that makes ``loss`` of ``total``, or of all rows after `parts`."""
    parts: Sequence[tuple[str, int]]
    """The functions that add the losses of all rows to ``total``, and the row each begins with."""
    early: bool
    """Whether all rows are reported before the epoch's last update."""
    watches: bool
    """Whether numbers that are not finite end the loop."""
    saved: Sequence[tuple[AnyArray, AnyArray]] = ()
    """Buffers, and where they are copied to before the last update of a call."""

    @property
    def replicas(self) -> int:
        """How many losses an epoch has."""
        return int(self.loss.size)


def with_loop(program: Program, written: Written, loop: Loop) -> str:
    """The module of ``written`` with the function ``play`` around its functions."""
    text = _LoopText(FunctionText(written.known), program, written, loop).text()
    return written.module(text)


class _LoopText:
    """Writes the function ``play``."""

    def __init__(
        self, function: FunctionText, program: Program, written: Written, loop: Loop
    ) -> None:
        self._function, self._written, self._loop = function, written, loop
        self._pointers: dict[int, str] = {}
        for place, region in enumerate(written.table):
            slot = function.write(f"getelementptr ptr, ptr %table, i64 {place}")
            self._pointers[region] = function.write(f"load ptr, ptr {slot}, align 8")
        self._memory = program.memory

    def _pointer(self, array: AnyArray) -> str:
        return self._pointers[self._memory.view(array).region]

    def text(self) -> str:
        function, loop = self._function, self._loop
        whole = "i64"
        self._position = function.local(whole)
        self._epoch = function.local(whole, start="0")
        self._reports = function.local(whole, start="0")
        self._flag = function.local(whole, start="0")
        self._made = function.local(whole, start="0")
        self._fault = function.local("double")
        function.store(whole, "%begin", self._position)
        function.run("br label %update")
        function.label("update")
        position = function.load(whole, self._position)
        due_at = function.write(
            f"getelementptr i8, ptr %due, i64 {function.load(whole, self._epoch)}"
        )
        due = function.write(f"load i8, ptr {due_at}, align 1")
        is_due = function.write(f"icmp ne i8 {due}, 0")
        is_last = function.write(f"icmp eq i64 {position}, {loop.per_epoch - 1}")
        if loop.parts and loop.early:
            both = function.write(f"and i1 {is_due}, {is_last}")
            self._branch(both, "early", self._all_rows)
        if loop.saved:
            following = function.write(f"add i64 {function.load(whole, self._made)}, 1")
            final = function.write(f"icmp eq i64 {following}, %updates")
            self._branch(final, "saving", self._save)
        if loop.main.function == loop.last.function:
            self._update(loop.main, position)
        else:
            function.run(f"br i1 {is_last}, label %short, label %full")
            for name, batches in (("short", loop.last), ("full", loop.main)):
                function.label(name)
                self._update(batches, position)
                function.run("br label %updated")
            function.label("updated")
        if not loop.parts:
            self._branch(is_due, "counted", self._add_reported)
        self._count(self._made)
        self._count(self._position)
        if loop.watches:
            finite = function.write(
                f"fcmp oeq double {function.load('double', self._fault)}, {literal(0.0)}"
            )
            bad = function.write(f"xor i1 {finite}, true")
            if not loop.parts:
                bad = function.write(f"or i1 {bad}, {self._is_wild(self._pointer(loop.total))}")
            self._branch(bad, "wild", self._note_wild)
        now = function.load(whole, self._position)
        ended = function.write(f"icmp eq i64 {now}, {loop.per_epoch}")
        self._branch(ended, "ended", lambda: self._end_of_epoch(is_due))
        flag = function.load(whole, self._flag)
        going = function.write(f"icmp eq i64 {flag}, 0")
        made = function.load(whole, self._made)
        below = function.write(f"icmp ult i64 {made}, %updates")
        again = function.write(f"and i1 {going}, {below}")
        function.run(f"br i1 {again}, label %update, label %done")
        function.label("done")
        for place, held in ((MADE, self._made), (REPORTS, self._reports), (FLAG, self._flag)):
            slot = function.write(f"getelementptr i64, ptr %left, i64 {place}")
            function.store(whole, function.load(whole, held), slot)
        function.run("ret i64 0")
        parameters = "ptr %table, ptr %orders, ptr %rates, ptr %due, ptr %losses, ptr %left"
        return function.text(
            f"define i64 @play({parameters}, i64 %begin, i64 %updates, double %lowest) nounwind"
        )

    def _save(self) -> None:
        for source, target in self._loop.saved:
            read, written = self._pointer(source), self._pointer(target)

            def copy(at: str | int, read: str = read, written: str = written) -> None:
                value = self._function.load("double", self._place(read, str(at)))
                self._function.store("double", value, self._place(written, str(at)))

            self._function.repeat(int(source.size), False, copy)

    def _set_flag(self, flag: int) -> None:
        self._function.store("i64", str(flag), self._flag)

    def _note_wild(self) -> None:
        function = self._function
        self._set_flag(WILD)
        slot = function.write(f"getelementptr i64, ptr %left, i64 {SUM}")
        total = function.load("double", self._pointer(self._loop.total))
        function.store("double", total, slot)

    def _branch(self, condition: str, name: str, body: Callable[[], Any]) -> None:
        function = self._function
        function.run(f"br i1 {condition}, label %{name}, label %after.{name}")
        function.label(name)
        body()
        function.run(f"br label %after.{name}")
        function.label(f"after.{name}")

    def _count(self, held: str) -> None:
        before = self._function.load("i64", held)
        self._function.store("i64", self._function.write(f"add i64 {before}, 1"), held)

    def _is_wild(self, pointer: str) -> str:
        """Whether the number at ``pointer`` is not finite."""
        function = self._function
        value = function.load("double", pointer)
        size = function.formulas(1).intrinsic("fabs", value)
        return function.write(f"fcmp uge double {size}, {literal(INFINITY)}")

    def _place(self, pointer: str, at: str) -> str:
        return self._function.write(f"getelementptr double, ptr {pointer}, i64 {at}")

    def _update(self, batches: Batches, position: str) -> None:
        """Copy the batch, and make the update."""
        function, loop = self._function, self._loop
        width, samples = batches.batch.shape[:2]
        replicas = batches.batch.shape[2] if batches.batch.ndim > 2 else 1
        begin = function.write(f"mul i64 {position}, {loop.main.batch.shape[1]}")
        rows, batch = self._pointer(loop.rows), self._pointer(batches.batch)
        if loop.ordered:
            epoch = function.load("i64", self._epoch)
            before = function.write(f"mul i64 {epoch}, {loop.samples}")
            first = function.write(f"add i64 {before}, {begin}")
            begin = function.write(f"mul i64 {first}, {replicas}") if replicas > 1 else first
        count = samples * replicas

        def copy(source: str, at: str | int) -> None:
            for component in range(width):
                shifted = function.write(f"add i64 {source}, {component * loop.rows.shape[1]}")
                value = function.load("double", self._place(rows, shifted))
                to = function.write(f"add i64 {at}, {component * count}")
                function.store("double", value, self._place(batch, to))

        def one(at: str | int) -> None:
            source = function.write(f"add i64 {begin}, {at}")
            if loop.ordered:
                slot = function.write(f"getelementptr i64, ptr %orders, i64 {source}")
                source = function.load("i64", slot)
            copy(source, at)

        function.repeat(count, count * width <= 16, one)
        self._call(batches.function, keep=loop.watches)

    def _call(self, name: str, keep: bool = False, moved: tuple[str, str] | None = None) -> None:
        pointers = self._pointers
        if moved is not None:
            region = self._memory.view(self._loop.rows).region
            pointers = {**pointers, region: moved[1]}
        result = self._function.write(self._written.call(name, pointers))
        if keep:
            self._function.store("double", result, self._fault)

    def _add_reported(self) -> None:
        function, loop = self._function, self._loop
        reported, total = self._pointer(loop.reported), self._pointer(loop.total)

        def add(at: str | int) -> None:
            to = self._place(total, str(at))
            value = function.load("double", self._place(reported, str(at)))
            before = function.load("double", to)
            function.store("double", function.formulas(1).add(before, value), to)

        function.repeat(loop.replicas, False, add)

    def _clear(self) -> None:
        total = self._pointer(self._loop.total)

        def clear(at: str | int) -> None:
            self._function.store("double", literal(0.0), self._place(total, str(at)))

        self._function.repeat(self._loop.replicas, False, clear)

    def _all_rows(self) -> None:
        """Report the loss of all rows; the total is 0 before and after."""
        loop = self._loop
        self._clear()
        rows = self._pointer(loop.rows)
        for name, start in loop.parts:
            self._call(name, moved=(name, self._place(rows, str(start))))
        self._call(loop.report)
        self._clear()

    def _end_of_epoch(self, is_due: str) -> None:
        function, loop = self._function, self._loop

        def report() -> None:
            if not loop.parts:
                self._call(loop.report)
            elif not loop.early:
                self._all_rows()
            loss = self._pointer(loop.loss)
            before = function.load("i64", self._reports)
            first = function.write(f"mul i64 {before}, {loop.replicas}")

            def copy(at: str | int) -> None:
                value = function.load("double", self._place(loss, str(at)))
                to = function.write(f"add i64 {first}, {at}")
                function.store("double", value, self._place("%losses", to))

            function.repeat(loop.replicas, False, copy)
            self._count(self._reports)
            if loop.watches:
                flag = function.load("i64", self._flag)
                quiet = function.write(f"icmp eq i64 {flag}, 0")
                wild = function.write(f"and i1 {quiet}, {self._is_wild(loss)}")
                self._branch(wild, "unreported", lambda: self._set_flag(UNREPORTED))
                value = function.load("double", loss)
                low = function.write(f"fcmp ole double {value}, %lowest")
                quiet = function.write(f"icmp eq i64 {function.load('i64', self._flag)}, 0")
                reached = function.write(f"and i1 {quiet}, {low}")
                self._branch(reached, "reached", lambda: self._set_flag(REACHED))

        self._branch(is_due, "reporting", report)
        function.store("i64", "0", self._position)
        self._clear()
        epoch = function.load("i64", self._epoch)
        slot = function.write(f"getelementptr double, ptr %rates, i64 {epoch}")
        function.store("double", function.load("double", slot), self._pointer(loop.rate))
        self._count(self._epoch)
