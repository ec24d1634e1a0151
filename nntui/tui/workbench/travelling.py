"""The workbench's actions that move the cursor: back, to numbers, events, checkpoints, answers."""

from nntui.timeline.history.events import Event, events_text, next_event, previous_event
from nntui.timeline.views.questions import Occurrence, questions, when_loss_was_below
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.screens.ask import Ask, AskNumber, read_number
from nntui.tui.screens.choose import Choose
from nntui.tui.workbench.training_screen import TrainingScreen

FARTHEST = 10**12
"""The highest update that can be asked for; years away, but still a number that fits."""


class Travelling(TrainingScreen):
    """Going anywhere in time."""

    def action_one_back(self) -> None:
        """Go one update back."""
        if self.run_shown.update == 0:
            self.pause()
            self.show("there is nothing before update 0")
        else:
            self.seek(self.run_shown.update - 1, "one update back")

    def action_to_start(self) -> None:
        """Go to update 0."""
        self.seek(0, "update 0")

    def action_to_head(self) -> None:
        """Go to the furthest update, and follow it."""
        self.seek(self.run_shown.head, "at the head")

    def on_timeline_sought(self, message: Timeline.Sought) -> None:
        """Follow the strip's cursor."""
        self.seek(message.update)

    def action_checkpoint(self) -> None:
        """Set a checkpoint."""
        update = self.run_shown.set_checkpoint()
        self.show(f"checkpoint at update {update:,}")

    def action_last_checkpoint(self) -> None:
        """Go back to the last checkpoint."""
        update = self.run_shown.checkpoint_before()
        what = "checkpoint" if update in self.run_shown.checkpoints else "no checkpoint:"
        self.seek(update, f"{what} update {update:,}")

    def action_jump(self) -> None:
        """Ask for an update and go there."""
        if self.app.screen is not self:
            return
        head = self.run_shown.head
        hint = f"Trained so far: 0 to {head:,}. A later update is trained first."
        ask = AskNumber("Go to update", hint, 0, FARTHEST)
        self.app.push_screen(ask, lambda update: self._jump(update))

    def _jump(self, update: int | None) -> None:
        if update is not None:
            self.seek(update)
            self.acted(f"jump {update}")

    def action_next_event(self) -> None:
        """Go to the next event."""
        run = self.run_shown
        self._to_event(next_event(run.branch, run.update), "no event beyond here")

    def action_previous_event(self) -> None:
        """Go to the previous event."""
        run = self.run_shown
        self._to_event(previous_event(run.branch, run.update), "no event before here")

    def _to_event(self, found: tuple[int, Event] | None, nothing: str) -> None:
        if found is None:
            self.show(nothing)
        else:
            self.seek(found[0], events_text(self.run_shown.branch, found[0]) or found[1].text)

    def action_when(self) -> None:
        """Ask about the unit under the heatmap's cursor; every answer is a jump."""
        if not self.stop_to_ask():
            return
        run = self.run_shown
        place = self.query_one(Heatmap).unit
        layer, unit = place or (len(run.preset.configuration.layers) - 1, 0)
        asked = questions(run, layer, unit)

        def answer(chosen: int | None) -> None:
            if chosen == 0:
                hint = "A reported loss, such as 0.01."
                ask = Ask("When was the loss last below", hint, read_number)
                self.app.push_screen(ask, self._last_below)
            elif chosen is not None:
                self._answered(asked[chosen - 1][1]())

        title = f"When, up to update {run.update:,}, ..."
        texts = ["was the loss last below ...?", *(words for words, _ in asked)]
        hint = "Enter goes there; the unit is the heatmap cursor's"
        self.app.push_screen(Choose(title, texts, hint), answer)

    def _last_below(self, loss: float | None) -> None:
        if loss is not None:
            run = self.run_shown
            self._answered(when_loss_was_below(run.branch, run.update, loss))

    def _answered(self, answer: Occurrence) -> None:
        if answer.update is None:
            self.show(answer.text)
        else:
            self.seek(answer.update, answer.text)
