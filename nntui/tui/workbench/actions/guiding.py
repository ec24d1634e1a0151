"""The action that does the story's next step, and notices the steps that the reader does."""

import asyncio
from dataclasses import replace
from functools import partial

from textual.widget import Widget

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
        self.handlers: Handlers = {"do_step": self._do_step}

    @property
    def _step(self) -> Step | None:
        """The step that comes next, None after the last."""
        done = self._bench.view.steps_done
        return self._steps[done] if done < len(self._steps) else None

    def acted(self, action: str) -> None:
        """Note an action that was performed, such as ``one_epoch`` or ``jump 300``."""
        step = self._step
        if step is None or self._performing:
            return
        if self._left is None:
            self._left = list(step.perform)
        if self._left and self._left[0] == action:
            self._left.pop(0)
            if self._left:
                self._bench.look(replace(self._bench.view, pointed=None))
            else:
                self._finish(step)

    def _finish(self, step: Step) -> None:
        """Go on to the next step, and say what to look at."""
        self._left = None
        pointed, words = PANELS[step.look] if step.look else (None, "")
        done = self._bench.view.steps_done + 1
        where = f": look at {words}" if words else ""
        view = replace(self._bench.view, steps_done=done, pointed=pointed)
        self._bench.look(view, f"step {done} is done{where}")

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
            for action in left:
                self._bench.show(fill_keys(f"doing: {{{action.split()[0]}}}"))
                self._bench.perform(action)
                await asyncio.sleep(WAIT)
                while self._bench.control.running:
                    await asyncio.sleep(WAIT)
        finally:
            self._performing = False
        self._finish(step)
