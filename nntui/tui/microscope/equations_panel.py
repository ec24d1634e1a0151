"""The equations with their numbers, for one unit, sample and weight, as far as computed."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isinf

from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from nntui.core.number_text import brief
from nntui.timeline.microscope import Line, written
from nntui.timeline.microscope.computed import Deviation
from nntui.timeline.microscope.substeps import Phase, SubStep
from nntui.tui.panels.panel import TextPanel

MEANING = {
    Phase.FORWARD: "the layer computes its units from what comes in",
    Phase.LOSS: "the output is compared with its target",
    Phase.BACKWARD: "the error comes back, and becomes gradients",
    Phase.UPDATE: "the optimiser makes its step",
}
HANGING = 4
WIDE, MANY, FEW = 100, 12, 6
"""From so many columns on, a sum has up to so many terms written out; below, fewer."""
UNBROKEN = 10**6
"""Columns in which every line fits."""

Styled = tuple[str, str]
"""A line of text and its style."""


@dataclass(frozen=True)
class Told:
    """What the panel tells."""

    where: str
    """The unit, the sample and the weight, in words."""
    lines: tuple[Line, ...]
    steps: tuple[SubStep, ...]
    parts: int
    """How many parts of the update are made."""
    deviations: tuple[Deviation, ...]
    """Where all of the update is off, shown when all is known."""
    faulty: bool
    """Whether a fault is on."""


def tell(told: Told, width: int) -> tuple[list[Styled], dict[int, int]]:
    """Lines of at most ``width`` columns, and the line at which each part begins."""
    lines: list[Styled] = [(text, "bold") for text in _wrapped(told.where, width, 0)]
    begins: dict[int, int] = {}
    known = [line for line in told.lines if line.step < told.parts]
    for line in known:
        if line.step not in begins:
            step = told.steps[line.step]
            lines.append(("", ""))
            begins[line.step] = len(lines)
            heading = f"{step.name.upper()}: {MEANING[step.phase]}"
            lines += [(text, "bold $text-accent") for text in _wrapped(heading, width, 0)]
        lines += _equation(line, width)
    if told.parts < len(told.steps):
        lines.append(("", ""))
        begins.setdefault(told.parts - 1, len(lines))
        lines += _missing(told, width)
    else:
        lines += _summary(told, width)
    return lines, begins


def _missing(told: Told, width: int) -> Iterator[Styled]:
    """What this unit waits for."""
    later = [line.step for line in told.lines if line.step >= told.parts]
    text = f"Next comes {told.steps[told.parts].name}."
    if later and later[0] > told.parts:
        text += f" This unit's next numbers come with {told.steps[later[0]].name}."
    return ((each, "$foreground-muted") for each in _wrapped(text, width, 0))


def _equation(line: Line, width: int) -> Iterator[Styled]:
    most = MANY if width >= WIDE else FEW
    style = "bold $text-error" if line.faulty else ""
    yield from ((text, style) for text in _wrapped(written(line.made, most), width, 0))
    if line.made.why:
        why = line.made.why
        yield from ((text, "$foreground-muted") for text in _wrapped(why, width, HANGING))
    for fault in line.made.faults:
        what = f"FAULT {fault.name}: {fault.what}"
        yield from ((text, "$text-error") for text in _wrapped(what, width, HANGING))
    if line.correct is not None:
        right = f"correct: {written(line.correct, most)}"
        yield from ((text, "$text-success") for text in _wrapped(right, width, HANGING))
    elif line.faulty:
        same = "correct backpropagation gives the same here"
        yield from ((text, "$text-success") for text in _wrapped(same, width, HANGING))
    for note in line.made.notes:
        yield from ((text, "$text-warning") for text in _wrapped(f"! {note}", width, HANGING))


def _summary(told: Told, width: int) -> Iterator[Styled]:
    """Where the whole update is off; shares are of the greatest correct magnitude."""
    if not told.faulty:
        return
    yield "", ""
    heading = "THE WHOLE UPDATE, beside correct backpropagation"
    yield from ((text, "bold $text-accent") for text in _wrapped(heading, width, 0))
    if not told.deviations:
        yield "no number is off: the faults make no difference in this update", "$text-success"
    for each in told.deviations:
        share = "all should be 0" if isinf(each.share) else f"{brief(100 * each.share)} %"
        text = f"{each.tensor} of layer {each.layer}: off by up to {brief(each.largest)} ({share})"
        yield from ((line, "") for line in _wrapped(text, width, 0))


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    """``text`` in lines, the first ``indent`` columns in and the others a little more."""
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + HANGING),
        break_on_hyphens=False,
    )


class EquationsPanel(TextPanel, can_focus=False):
    """The equations with their numbers, those of the part under way in view."""

    told: reactive[Told | None] = reactive(None)
    """What is told."""

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def copied(self) -> str:
        """What is told, each equation in one line, however long."""
        lines = [] if self.told is None else tell(self.told, UNBROKEN)[0]
        return "".join(f"{text}\n" for text, _ in lines)

    def watch_told(self, before: Told | None, told: Told | None) -> None:
        """Tell it, with the present part in view."""
        if told is None:
            return
        begins = self._draw(told)
        if told.parts < len(told.steps):
            self.call_after_refresh(self._show, begins.get(told.parts - 1, 0))
        elif before is None or before.parts != told.parts:
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Fit the text to the width."""
        if self.told is not None:
            self._draw(self.told)

    def _draw(self, told: Told) -> dict[int, int]:
        lines, begins = tell(told, self.scrollable_content_region.width)
        self.query_one(Static).update(_content(lines))
        return begins

    def _show(self, line: int) -> None:
        self.scroll_to(y=line, animate=False)


def _content(lines: Sequence[Styled]) -> Content:
    return Content("\n").join([Content.styled(text, style) for text, style in lines])
