"""The workbench's guide: the story's steps, performed on request, and known when done by hand."""

import asyncio

from textual.widget import Widget
from textual.worker import Worker

from nntui.presets.preset import Step
from nntui.tui.actions import fill_keys
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.status_line import StatusLine
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.workbench.branching import Branching
from nntui.tui.workbench.travelling import Travelling

PANELS: dict[str, tuple[type[Widget], str]] = {
    "loss": (LossPlot, "the loss"),
    "activations": (Heatmap, "the activations"),
    "network": (NetworkPanel, "the network"),
    "timeline": (Timeline, "the timeline"),
}
"""What a step's ``look`` names."""
WAIT = 0.03
"""Seconds in which a panel gets the focus, and between two looks whether training has ended."""


class Guiding(Travelling, Branching):
    """Walks through the steps of the story, by the reader's keys or in their place."""

    _left: list[str] | None = None
    """The actions of the present step that are still to be done; None before any was."""
    _performing = False
    _awaited: Worker[None] | None = None
    """The training that the last action of the present step began, where it still goes on."""

    @property
    def _steps(self) -> tuple[Step, ...]:
        return self._preset.story.steps

    @property
    def _step(self) -> Step | None:
        """The step that comes next, None after the last."""
        done = self.query_one(StoryPanel).done
        return self._steps[done] if done < len(self._steps) else None

    def acted(self, action: str) -> None:
        """Note an action that was performed, such as ``one_epoch`` or ``jump 300``."""
        if self._performing:
            return
        step = self._step
        if step is not None and self._awaited not in (None, self.playing):
            # It was cut short by what was just done, which may belong to the next step.
            self._finish(step)
            step = self._step
        if step is None:
            return
        if self._left is None:
            self._left = list(step.perform)
        if self._left and self._left[0] == action:
            self._left.pop(0)
            self._look_at(None)
            if not self._left and self.running:
                self._awaited = self.playing
                self.run_worker(self._finish_later(step), exclusive=True, group="guide")
            elif not self._left:
                self._finish(step)

    async def _finish_later(self, step: Step) -> None:
        """Finish ``step`` when its training has ended."""
        while self._awaited is not None and self._awaited is self.playing:
            await asyncio.sleep(WAIT)
        if self._awaited is not None:
            self._finish(step)

    def _finish(self, step: Step) -> None:
        """Go on to the next step, and say what to look at, behind how the training ended."""
        panel = self.query_one(StoryPanel)
        panel.done += 1
        self._left = self._awaited = None
        self._look_at(step.look)
        where = f": look at {PANELS[step.look][1]}" if step.look else ""
        note, done = self.query_one(StatusLine).note, f"step {panel.done} is done{where}"
        self.show(f"{note}; {done}" if note and note == self.said_at_the_end else done)

    def _look_at(self, name: str | None) -> None:
        for key, (kind, _) in PANELS.items():
            self.query_one(kind).set_class(key == name, "-look")

    def action_do_step(self) -> None:
        """Perform what is left of the present step."""
        step = self._step
        if step is None:
            self.show("the story has no further step")
        elif self._performing:
            self.show("the step is being done")
        elif not step.perform:
            self._finish(step)
        else:
            left = list(step.perform) if self._left is None else self._left
            self.run_worker(self._perform(step, left), exclusive=True, group="guide")

    async def _perform(self, step: Step, left: list[str]) -> None:
        self._performing = True
        try:
            if not left and self._awaited is not None:
                # Its last action was done by hand.
                while self._awaited is self.playing:
                    await asyncio.sleep(WAIT)
            for action in left:
                self.show(fill_keys(f"doing: {{{action.split()[0]}}}"))
                self._do(action)
                await asyncio.sleep(WAIT)
                while self.running:
                    await asyncio.sleep(WAIT)
        finally:
            self._performing = False
        self._finish(step)

    def _do(self, action: str) -> None:
        name, _, number = action.partition(" ")
        if name == "jump":
            self._jump(int(number))
        elif name == "choose_seed":
            self.start(int(number))
        else:
            getattr(self, f"action_{name}")()
