"""Actions that move the cursor: back, to numbers, to events, checkpoints and answers."""

from nntui.timeline.history.events import Event, events_text, next_event, previous_event
from nntui.timeline.views.questions import Occurrence, questions, when_loss_was_below
from nntui.tui.screens.dialogs.ask import Ask, AskNumber, read_number
from nntui.tui.screens.dialogs.choose import Choose
from nntui.tui.workbench.bench import Bench, Handlers

FARTHEST = 10**12
"""The highest update that can be asked for; years away, but still a number that fits."""


class Travelling:
    """Goes anywhere in time."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.handlers: Handlers = {
            "one_back": self._one_back,
            "to_start": lambda: self._seek(0, "update 0"),
            "to_head": lambda: self._seek(bench.run_shown.head, "at the head"),
            "checkpoint": self._checkpoint,
            "last_checkpoint": self._last_checkpoint,
            "jump": self._jump,
            "next_event": self._next_event,
            "previous_event": self._previous_event,
            "when": self._when,
        }

    def _seek(self, update: int, note: str = "") -> None:
        self._bench.control.seek(update, note)

    def _one_back(self) -> None:
        update = self._bench.run_shown.update
        if update == 0:
            self._bench.control.pause()
            self._bench.show("there is nothing before update 0")
        else:
            self._seek(update - 1, "one update back")

    def _checkpoint(self) -> None:
        update = self._bench.run_shown.set_checkpoint()
        self._bench.show(f"checkpoint at update {update:,}")

    def _last_checkpoint(self) -> None:
        run = self._bench.run_shown
        update = run.checkpoint_before()
        what = "checkpoint" if update in run.checkpoints else "no checkpoint:"
        self._seek(update, f"{what} update {update:,}")

    def _jump(self, update: int | None = None) -> None:
        """Go to ``update``, or ask for it."""
        if update is not None:
            self._seek(update)
        elif self._bench.is_in_front:
            head = self._bench.run_shown.head
            hint = f"Trained so far: 0 to {head:,}. A later update is trained first."
            self._bench.ask(AskNumber("Go to update", hint, 0, FARTHEST), self._jump_answered)

    def _jump_answered(self, update: int | None) -> None:
        if update is not None:
            self._bench.perform(f"jump {update}")

    def _next_event(self) -> None:
        run = self._bench.run_shown
        self._to_event(next_event(run.branch, run.update), "no event beyond here")

    def _previous_event(self) -> None:
        run = self._bench.run_shown
        self._to_event(previous_event(run.branch, run.update), "no event before here")

    def _to_event(self, found: tuple[int, Event] | None, nothing: str) -> None:
        if found is None:
            self._bench.show(nothing)
        else:
            self._seek(
                found[0], events_text(self._bench.run_shown.branch, found[0]) or found[1].text
            )

    def _when(self) -> None:
        """Ask about the unit under the heatmap's cursor; every answer is a jump."""
        if not self._bench.stop_to_ask():
            return
        run = self._bench.run_shown
        asked = questions(run, *self._bench.unit)

        def answer(chosen: int | None) -> None:
            if chosen == 0:
                hint = "A reported loss, such as 0.01."
                question = Ask("When was the loss last below", hint, read_number)
                self._bench.ask(question, self._last_below)
            elif chosen is not None:
                self._answered(asked[chosen - 1][1]())

        title = f"When, up to update {run.update:,}, ..."
        texts = ["was the loss last below ...?", *(words for words, _ in asked)]
        hint = "Enter goes there; the unit is the heatmap cursor's"
        self._bench.ask(Choose(title, texts, hint), answer)

    def _last_below(self, loss: float | None) -> None:
        if loss is not None:
            run = self._bench.run_shown
            self._answered(when_loss_was_below(run.branch, run.update, loss))

    def _answered(self, answer: Occurrence) -> None:
        if answer.update is None:
            self._bench.show(answer.text)
        else:
            self._seek(answer.update, answer.text)
