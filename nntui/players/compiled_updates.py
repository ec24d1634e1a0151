"""Compiled updates: what the stepper recorded, played by machine code, many updates in a call.

There is no second definition of any mathematics: the calls that NumPy would play, and the sums of
the reported loss, are handed to the compiler as they were recorded.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import cached_property, partial

import numpy as np

from nntui.compiler.calls.array_operations import Step, Translator
from nntui.compiler.calls.regions import AnyArray
from nntui.compiler.loop_code import LoopCode
from nntui.compiler.machine import compiled
from nntui.compiler.recorded_program import Program, Written, with_entries
from nntui.compiler.training_loop import Batches, Loop, with_loop
from nntui.core.engine.data import load_data
from nntui.core.engine.reported_loss import ReportedLoss
from nntui.core.engine.stepper import Stepper
from nntui.core.engine.update import Update
from nntui.core.formulas.recording import RecordedSum
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.report_settings import BEFORE
from nntui.core.tape import Array

LONGEST_CALL = 2e7
"""Operations on numbers, roughly, in one call: some ten milliseconds, after which Python gets its
turn."""
OVERHEAD = 200
"""The same for what an update costs however small it is."""
MAIN, LAST, REPORT = "main", "last", "report"


class CompiledUpdates:
    """The updates of a trainer or an ensemble as machine code, on the buffers of its stepper.

    ``batches`` are those of an epoch; with ``ordered``, the samples of each are taken in an order
    that is drawn.  With ``watched`` the loop ends at a number that is not finite.  Raises
    NotCompilableError for a call that the compiler does not know.
    """

    def __init__(
        self,
        configuration: Configuration,
        stepper: Stepper,
        reported: ReportedLoss,
        ordered: bool,
        watched: bool,
    ) -> None:
        self._configuration, self._stepper = configuration, stepper
        self._reported, self._ordered, self._watched = reported, ordered, watched
        self.total: Array = np.zeros(stepper.tail)
        """The losses of the unfinished epoch, one for each replica; () for a single network."""
        self._sum, self._loss = np.zeros(stepper.tail), np.zeros(stepper.tail)
        clock, self.saved = stepper.clock, list[tuple[Array, Array]]()
        """What an update changes, and copies of what it was before the last update of a call."""
        if watched:
            changing = (stepper.theta, *stepper.slots, clock.count, clock.rate)
            self.saved = [(each, np.empty_like(each)) for each in changing]
        samples = configuration.samples_per_epoch % configuration.batch_size
        width, replicas = len(load_data(configuration).xy), stepper.tail if ordered else (1,)
        tail = replicas if stepper.tail else ()
        self._main = stepper.update_for((width, configuration.batch_size, *tail))
        self._last = stepper.update_for((width, samples, *tail)) if samples else self._main

    @cached_property
    def loop(self) -> LoopCode:
        """The loop over many updates."""
        return LoopCode(compiled(self.text), self._written[0].buffers)

    def prepare(self) -> None:
        """Compile everything now, and not when it is used."""
        _ = self.loop, self._replays

    @property
    def text(self) -> str:
        """The module of `loop` as LLVM IR."""
        return self._written[1]

    @cached_property
    def most(self) -> int:
        """How many updates to make in one call."""
        work, report = self._written[0].work, self._configuration.report
        rows = sum(work[part] for part, _ in self._parts)
        work_of_update = work[MAIN] + rows / (self._configuration.updates_per_epoch * report.every)
        return max(int(LONGEST_CALL / (OVERHEAD + work_of_update)), 1)

    def translate(self) -> Program:
        """The recorded calls as a program; raises NotCompilableError if one is not known."""
        return self._translated[0]

    @cached_property
    def _translated(self) -> tuple[Program, Loop]:
        configuration, report = self._configuration, self._configuration.report
        xy = load_data(configuration).xy
        arena, clock = self._stepper.arena, self._stepper.clock
        lasting = ("theta", *self._stepper.slot_names)
        self._kept = [arena.parts[name] for name in lasting]
        self._kept += [clock.rate, clock.count, xy, self.total, self._sum, self._loss]
        self._kept += [copy for _, copy in self.saved]
        self._kept += [each.batch for each in {id(x): x for x in (self._main, self._last)}.values()]
        others = [part for name, part in arena.parts.items() if name not in lasting]
        program = Program(self._kept, others)
        main, last = (self._add(program, *each) for each in self._updates)
        self._parts = self._add_parts(program) if report.covers_all else []
        self._add_report(program)
        loop = Loop(
            rows=xy,
            main=main,
            last=last,
            per_epoch=configuration.updates_per_epoch,
            samples=configuration.samples_per_epoch,
            ordered=self._ordered,
            rate=clock.rate,
            reported=self._sum,
            total=self.total,
            loss=self._loss,
            report=REPORT,
            parts=self._parts,
            early=report.when == BEFORE,
            watches=self._watched,
            saved=self.saved,
        )
        return program, loop

    @cached_property
    def _written(self) -> tuple[Written, str]:
        program, loop = self._translated
        written = program.written(self._kept)
        return written, with_loop(program, written, loop)

    @property
    def _updates(self) -> tuple[tuple[str, Update], tuple[str, Update]]:
        return (MAIN, self._main), (MAIN if self._last is self._main else LAST, self._last)

    def _add(self, program: Program, name: str, update: Update) -> Batches:
        if all(each.name != name for each in program.pieces):
            steps = program.translator.steps(update.calls)
            if not self._configuration.report.covers_all:
                steps += _summed(program.translator, update.report, self._sum)
            program.add(name, steps, self._stepper.arena.watched_parts if self._watched else ())
        return Batches(name, update.batch)

    def _add_parts(self, program: Program) -> list[tuple[str, int]]:
        """The functions that add the losses of all rows to the total, a part of them each."""
        translate, found = program.translator, []
        first: dict[int, tuple[str, int]] = {}
        start = 0
        for part in self._reported.parts:
            samples = part.columns.shape[1]
            if samples not in first:
                name = f"rows{len(first)}"
                first[samples] = name, start
                steps: list[Step] = [translate.elementwise("positive", part.batch, part.columns)]
                steps += translate.steps(part.forward.calls)
                output = part.forward.layers[-1].h
                steps.append(translate.elementwise("subtract", part.error, output, part.y))
                steps += _summed(translate, part.summed, self._sum)
                steps.append(translate.elementwise("add", self.total, self.total, self._sum))
                program.add(name, steps)
            name, at = first[samples]
            found.append((name, start - at))
            start += samples
        return found

    def _add_report(self, program: Program) -> None:
        """The function that states the loss of an epoch, made of the total."""
        translate, report = program.translator, self._configuration.report
        samples = float(self._configuration.reported_samples if report.reduction == "mean" else 1)
        steps: list[Step] = [translate.elementwise("divide", self._loss, self.total, samples)]
        for factor, sums in self._reported.penalty.sums:
            part, whole = np.empty(self._loss.shape), np.empty(self._loss.shape)
            steps.append(translate.elementwise("positive", whole, 0.0))
            for each in sums:
                steps += _summed(translate, each, part)
                steps.append(translate.elementwise("add", whole, whole, part))
            steps.append(translate.elementwise("multiply", whole, whole, factor))
            steps.append(translate.elementwise("add", self._loss, self._loss, whole))
        program.add(REPORT, steps)

    @cached_property
    def _replays(self) -> dict[int, Callable[[], None]]:
        """By batch size, the update that fills every buffer."""
        arena, clock = self._stepper.arena, self._stepper.clock
        updates = dict(self._updates)
        kept = [*arena.parts.values(), clock.rate, clock.count]
        program = Program([*kept, *(each.batch for each in updates.values())])
        for name, update in updates.items():
            program.add(name, program.translator.steps(update.calls))
        written = program.written()
        code = compiled(with_entries(written))
        table = (ctypes.c_void_p * len(written.buffers))(
            *(each.ctypes.data for each in written.buffers)
        )
        made: dict[int, Callable[[], None]] = {}
        for name, update in updates.items():
            entry = code.function(f"run.{name}", ctypes.c_void_p)
            made[update.batch.shape[1]] = _calling(entry, table, written.buffers)
        return made

    def fill_buffers(self, batch: Array) -> None:
        """Make the update of ``batch``, a buffer that is filled, and leave all its tensors behind.

        The loop leaves only what the next update needs.
        """
        self._replays[batch.shape[1]]()


def _calling(
    entry: Callable[..., int], table: object, kept: Sequence[AnyArray]
) -> Callable[[], None]:
    """A call of ``entry``; it keeps the arrays whose addresses are in ``table``."""
    return partial(_called, entry, table, kept)


def _called(entry: Callable[..., int], table: object, kept: Sequence[AnyArray]) -> None:
    entry(table)


def _summed(translator: Translator, summed: RecordedSum, out: AnyArray) -> list[Step]:
    """``out``, with one number for each replica, becomes the sum."""
    steps = translator.steps(summed.calls)
    steps.append(translator.total(summed.terms, out, summed.squared))
    if summed.divisor != 1.0:
        steps.append(translator.elementwise("divide", out, out, summed.divisor))
    return steps
