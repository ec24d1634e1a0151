"""The action that does the story's next step, and notices the steps that the reader does."""

import asyncio
from dataclasses import replace
from functools import partial

from textual.widget import Widget
from textual.worker import Worker

from nntui.presets.preset import Step
from nntui.tui.actions import fill_keys
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.workbench.bench import Bench, Handlers

PANELS: dict[str, tuple[type[Widget], str]] = {
    "loss": (LossPlot, "the loss"),
    "activations": (Heatmap, "the activations"),
    "network": (NetworkPanel, "the network"),
    "timeline": (Timeline, "the timeline"),
}
"""What a step's ``look`` names."""
WAIT = 0.03
"""Seconds in which a panel gets the focus, and between two looks whether training has ended."""


class Guiding:
    """Walks through the steps of the story, by the reader's keys or in their place."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._steps = bench.scenario.story.steps
        self._left: list[str] | None = None
        """The actions of the present step that are still to be done; None before any was."""
        self._performing = False
        self._awaited: Worker[None] | None = None
        """The training that the last action of the present step began, while it goes on."""
        self.handlers: Handlers = {"do_step": self._do_step}

    @property
    def _step(self) -> Step | None:
        """The step that comes next, None after the last."""
        done = self._bench.view.steps_done
        return self._steps[done] if done < len(self._steps) else None

    def acted(self, action: str) -> None:
        """Note an action that was performed, such as ``one_epoch`` or ``jump 300``."""
        if self._performing:
            return
        step, control = self._step, self._bench.control
        if step is not None and self._awaited not in (None, control.training):
            # The training was cut short: what began it is still to be done.
            self._cut_short(step)
            return
        if step is None:
            return
        if self._left is None:
            self._left = list(step.perform)
        if self._left and self._left[0] == action:
            self._left.pop(0)
            if self._left or control.running:
                self._bench.look(replace(self._bench.view, pointed=None))
            if not self._left and control.running:
                self._awaited = control.training
                self._bench.work(partial(self._finish_later, step), "guide")
            elif not self._left:
                self._end(step)

    def moved(self) -> None:
        """Note that the heatmap's cursor was moved: the last that a step asks for may be that."""
        step = self._step
        if step is not None and step.cell is not None and self._left == [] and not self._performing:
            self._end(step)

    def _end(self, step: Step) -> None:
        """Finish ``step``, whose actions are done, once the cursor is where it is to be."""
        if self._awaited is not None and not self._awaited.is_finished:
            return
        if step.cell is None or self._bench.panel(Heatmap).is_at(step.cell):
            self._finish(step)
            return
        unit, _, sample = step.cell.partition(" ")
        of = f", sample {sample}" if sample else ""
        said = self._bench.control.ended_with
        note = f"now put the heatmap's cursor on {unit}{of}"
        if note not in self._bench.note:
            self._bench.show(f"{said}; {note}" if said else note)

    async def _training_ends(self) -> None:
        """Wait until the training that the step began has ended."""
        while self._awaited is not None and self._awaited is self._bench.control.training:
            await asyncio.sleep(WAIT)

    async def _finish_later(self, step: Step) -> None:
        """Finish ``step`` when its training has ended."""
        await self._training_ends()
        if self._awaited is None:
            return
        if self._awaited.is_cancelled:
            self._cut_short(step)
        else:
            self._awaited = None
            self._end(step)

    def _cut_short(self, step: Step) -> None:
        """The last action of ``step`` did not come to its end, and is to be done again."""
        self._left, self._awaited = list(step.perform[-1:]), None

    def _finish(self, step: Step) -> None:
        """Go on to the next step, and say what to look at, after how the training ended."""
        self._left = self._awaited = None
        pointed, words = PANELS[step.look] if step.look else (None, "")
        done = self._bench.view.steps_done + 1
        where = f": look at {words}" if words else ""
        view = replace(self._bench.view, steps_done=done, pointed=pointed)
        said, note = self._bench.control.ended_with, f"step {done} is done{where}"
        self._bench.look(view, f"{said}; {note}" if said and said == self._bench.note else note)

    def _do_step(self) -> None:
        """Perform what is left of the present step."""
        step = self._step
        if step is None:
            self._bench.show("the story has no further step")
        elif self._performing:
            self._bench.show("the step is being done")
        elif not step.perform:
            self._finish(step)
        else:
            left = list(step.perform) if self._left is None else self._left
            self._bench.work(partial(self._perform, step, left), "guide")

    async def _perform(self, step: Step, left: list[str]) -> None:
        self._performing = True
        try:
            if not left:
                await self._training_ends()  # its last action was done by hand
            for action in left:
                self._bench.show(fill_keys(f"doing: {{{action.split()[0]}}}"))
                self._bench.perform(action)
                await asyncio.sleep(WAIT)
                while self._bench.control.running:
                    await asyncio.sleep(WAIT)
        finally:
            self._performing = False
        if step.cell is not None:
            self._bench.panel(Heatmap).put_at(step.cell)
        self._finish(step)
