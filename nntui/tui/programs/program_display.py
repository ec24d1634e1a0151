"""Hands every panel of a program what it shows."""

from dataclasses import replace

import numpy as np

from nntui.program.debugging.seen import ProgramSeen, Value, scaled
from nntui.program.debugging.snapshot_of_run import seen_of
from nntui.timeline.views.compare import A, B
from nntui.tui.drawing.printed_text import in_one_line
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.content import BranchesContent, BranchLine
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.message_line import MessageContent, MessageLine
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.programs.panels.array_heatmap import ArrayHeatmap, ArrayPart, ArraysContent
from nntui.tui.programs.panels.findings_panel import FindingsContent, FindingsPanel
from nntui.tui.programs.panels.printed_panel import PrintedPanel
from nntui.tui.programs.panels.program_status import (
    CHECKING,
    CRASHED,
    ENDED,
    KEPT,
    MOVING,
    PAST,
    PAUSED,
    RUNNING,
    STUCK,
    ProgramStatus,
    ProgramStatusContent,
)
from nntui.tui.programs.panels.source_panel import SourceContent, SourcePanel
from nntui.tui.programs.panels.value_text import gradient_text
from nntui.tui.programs.panels.variables_panel import VariablesPanel
from nntui.tui.programs.program_bench import ProgramBench
from nntui.tui.programs.program_control import MOVES
from nntui.tui.programs.program_plot import ProgramPlot
from nntui.tui.programs.program_view import ProgramView


class ProgramDisplay:
    """Brings the panels up to date with what is seen; nothing else writes to them."""

    def __init__(self, screen: ProgramBench) -> None:
        self._screen = screen
        self.seen: ProgramSeen = seen_of(screen.run_shown)
        """What is on the screen."""
        self.note = ""
        self.finding_note = ""
        """What is said below the findings."""

    def tell(self, note: str) -> None:
        """Say what just happened."""
        self.note = in_one_line(note)
        self._screen.panel(MessageLine).content = MessageContent(self.note)
        self._show_status()

    def show(self, seen: ProgramSeen, note: str | None = None) -> None:
        """Hand out ``seen``, with another ``note`` unless it is None."""
        before, self.seen = self.seen, seen
        screen, view = self._screen, self._screen.view
        with screen.app.batch_update():
            if len(before.branches) != len(seen.branches):
                screen.share_room()
            screen.panel(SourcePanel).content = SourceContent(seen, view.file or seen.file)
            screen.panel(LossPlot).content = ProgramPlot(seen, view.log_axis, view.recent)
            screen.panel(VariablesPanel).variables = seen.variables
            screen.panel(PrintedPanel).text = seen.output
            screen.panel(Timeline).snapshot = seen
            screen.panel(ArrayHeatmap).content = arrays(seen, view)
            waiting = in_one_line(seen.problem) or FindingsContent().waiting
            screen.panel(FindingsPanel).content = FindingsContent(
                seen.check, waiting, self.finding_note
            )
            screen.panel(BranchesPanel).content = BranchesContent(_branches(seen), False)
            self._show_status()
        if note is not None:
            self.tell(note)

    def _show_status(self) -> None:
        screen, seen = self._screen, self.seen
        screen.panel(ProgramStatus).content = ProgramStatusContent(seen, self._state(seen))

    def _state(self, seen: ProgramSeen) -> str:
        control = self._screen.control
        if self._screen.run_shown.is_kept:
            return KEPT
        if seen.problem:
            return STUCK
        if seen.check is None:
            return CHECKING
        if control.running:
            return RUNNING
        if control.doing == MOVES:
            return MOVING
        if seen.update < seen.head:
            return PAST
        if seen.ending is not None and seen.ending.kind in ("crash", "died", "refused"):
            return CRASHED
        return ENDED if seen.ended_here or seen.ending is not None else PAUSED


def _branches(seen: ProgramSeen) -> tuple[BranchLine, ...]:
    """The branches, each below what it parted from."""
    depth: dict[int, int] = {}
    for each in seen.branches:
        depth[each.number] = 0 if each.parent is None else depth.get(each.parent, 0) + 1
    return tuple(
        BranchLine(
            each.number,
            depth[each.number],
            each.name,
            each.parted,
            each.head,
            "-" if each.loss is None else f"{each.loss:.3g}",
            False,
            each.loss is not None and not np.isfinite(each.loss),
            each.pinned,
            "A"
            if each.number == seen.branch.number
            else "B"
            if each.number == seen.overlaid
            else " ",
        )
        for each in seen.branches
    )


def arrays(seen: ProgramSeen, view: ProgramView) -> ArraysContent:
    """The arrays that are chosen: those of a line or a parameter, of A, B, or A minus B."""
    mine = _arrays_of(seen, view)
    if view.compared == A or seen.other is None:
        return mine
    theirs = _arrays_of(replace(seen, seen=seen.other), view)
    if view.compared == B:
        return replace(theirs, title=f"B: {theirs.title}")
    parts = tuple(
        ArrayPart(f"{one.name}, A-B", one.array - other.array)
        for one, other in zip(mine.parts, theirs.parts, strict=False)
        if one.array.shape == other.array.shape
    )
    return ArraysContent(f"A-B: {mine.title}", parts, "" if parts else "other shapes in B")


def _arrays_of(seen: ProgramSeen, view: ProgramView) -> ArraysContent:
    update = seen.seen
    if update.problem:
        return ArraysContent("Arrays", note=update.problem)
    if not update.lines:
        note = "the loop was left: no update follows" if seen.ended_here else "nothing recorded yet"
        return ArraysContent("Arrays", note=note)
    choices = len(update.parameters) + 1
    at = view.array % choices
    if at == 0:
        if update.on(view.file or seen.file, view.line) or not update.parameters:
            return _of_line(seen, view)
        at = 1
    parameter = update.parameters[at - 1]
    parts = [
        ArrayPart(name, array)
        for name, array in (
            (parameter.name, parameter.value),
            ("true gradient", parameter.gradient),
            ("step of this update", parameter.step),
        )
        if array is not None
    ]
    if not parts:
        return ArraysContent(f"Arrays of {parameter.name}", note="too large to be shown")
    return ArraysContent(f"Parameter {parameter.name} of update {update.update:,}", tuple(parts))


def _of_line(seen: ProgramSeen, view: ProgramView) -> ArraysContent:
    found = seen.seen.on(view.file or seen.file, view.line)
    if not found:
        note = f"line {view.line} gives no array in this update"
        return ArraysContent(f"Arrays of line {view.line}", note=note)
    parts: list[ArrayPart] = []
    notes, times = [], ""
    for each in found:
        turn = min(view.turn, len(each.values) - 1)
        value = each.values[-1 - turn]
        if each.times > 1:
            times = f", value {each.times - turn} of {each.times}"
        name = f"returned by line {each.line}" if each.target == "<return>" else each.target
        parts += _parts(name, value)
        parts += _step(seen, value)
        notes += [text for text in [gradient_text(value)] if text]
    if not parts:
        return ArraysContent(f"Arrays of line {view.line}", note="too large to be shown")
    title = f"Arrays of line {view.line}{times}"
    return ArraysContent(title, tuple(parts), "; ".join(notes))


def _step(seen: ProgramSeen, value: Value) -> list[ArrayPart]:
    """Of the new value of a parameter: its step, the true gradient, and the difference."""
    found = next((x for x in seen.seen.parameters if x.name == value.updates), None)
    if found is None or found.step is None:
        return []
    parts = [ArrayPart(f"step of {found.name}", found.step)]
    if found.gradient is not None and found.gradient.shape == found.step.shape:
        factor, _ = scaled(found.step, found.gradient)
        true = factor * found.gradient
        parts.append(ArrayPart(f"true gradient x {factor:.4g}", true))
        parts.append(ArrayPart("difference", found.step - true))
    return parts


def _parts(name: str, value: Value) -> list[ArrayPart]:
    """A value, and beside it the true gradient and the difference, or the loss's slope by it."""
    number = value.number
    if number is None:
        return []
    parts = [ArrayPart(name, number)]
    if value.true is not None and value.true.shape != number.shape:
        parts.append(ArrayPart(f"true gradient of {value.of}", value.true))
    elif value.true is not None:
        factor, _ = scaled(number, value.true)
        times = "" if abs(factor - 1.0) < 1e-6 else f" x {factor:.4g}"
        true = factor * value.true
        parts.append(ArrayPart(f"true gradient of {value.of}{times}", true))
        parts.append(ArrayPart("difference", number - true))
    elif value.slope is not None:
        parts.append(ArrayPart(f"true gradient of the loss by {name}", value.slope))
    return parts
