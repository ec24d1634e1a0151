"""Moves the program: updates, epochs, events, checkpoints."""

from nntui.program.debugging.seen import ProgramEvent
from nntui.tui.actions import fill_keys
from nntui.tui.drawing.printed_text import in_one_line
from nntui.tui.programs.actions.handlers import Handlers
from nntui.tui.programs.program_bench import ProgramBench
from nntui.tui.screens.dialogs.ask import Ask, AskNumber, read_number
from nntui.tui.screens.dialogs.choose import Choose

FARTHEST = 10**12
HUNDRED = 100


class Moving:
    """The actions that move the cursor."""

    def __init__(self, screen: ProgramBench) -> None:
        self._screen = screen
        self.handlers: Handlers = {
            "one_update": lambda: screen.control.step(1),
            "one_back": self._one_back,
            "one_epoch": lambda: self._epochs(1),
            "many_epochs": lambda: self._epochs(HUNDRED),
            "run": self._run,
            "jump": self._jump,
            "to_start": lambda: screen.control.go_to(0, "update 0"),
            "to_head": lambda: screen.control.go_to(screen.seen.head, "at the head"),
            "previous_event": lambda: self._to_event(-1),
            "next_event": lambda: self._to_event(1),
            "when": self._when,
            "checkpoint": self._checkpoint,
            "last_checkpoint": self._last_checkpoint,
            "interrupt": self._interrupt,
        }

    def _one_back(self) -> None:
        if self._screen.run_shown.update == 0:
            self._screen.tell("there is nothing before update 0")
        else:
            self._screen.control.step(-1)

    def _epochs(self, count: int) -> None:
        """So many turns of the loop around the updates; without one, so many updates."""
        control, run = self._screen.control, self._screen.run_shown
        # What is not known yet is decided when it is: the move waits for the program.
        if run.has_epochs or run.branch.insight is None:
            control.epochs(count)
        else:
            control.step(count)

    def _run(self) -> None:
        control, seen = self._screen.control, self._screen.seen
        if seen.check is None and not seen.problem:
            self._screen.tell("the program is still being checked")
        elif control.halt():
            self._screen.tell(
                fill_keys("pausing at the next update; {run} runs on")
                + "; I ends an update that takes too long"
            )
        elif seen.problem:
            self._screen.tell(seen.problem)
        elif seen.ended_here or (seen.ending is not None and seen.update >= seen.head):
            self._screen.tell(fill_keys("the program has ended here; {one_back} goes back"))
        else:
            control.play()
            self._screen.tell(fill_keys("running; {run} pauses"))

    def _interrupt(self) -> None:
        idle = not self._screen.control.is_busy
        self._screen.control.interrupt()
        self._screen.tell("nothing is running" if idle else "interrupted")

    def _jump(self, update: int | None = None) -> None:
        if update is not None:
            self._screen.control.go_to(update)
            return
        head = self._screen.seen.head
        hint = f"Known so far: 0 to {head:,}. A later update is made first."
        question = AskNumber("Go to update", hint, 0, FARTHEST)
        self._screen.ask(question, lambda to: None if to is None else self._jump(to))

    def _to_event(self, by: int) -> None:
        seen, nothing = self._screen.seen, f"no event {'beyond' if by > 0 else 'before'} here"
        beyond = [each for each in seen.events if by * (each.by - seen.update) > 0]
        if not beyond:
            self._screen.tell(nothing)
        elif by < 0 or beyond[0].exact:
            self._go_to(beyond[0] if by > 0 else beyond[-1])
        else:
            self._screen.control.ask(
                "looking for the next event",
                self._screen.run_shown.next_event,
                lambda found: nothing if found is None else found.text,
            )

    def _go_to(self, event: ProgramEvent) -> None:
        """Go to an event, whose very update is looked for where only a range is known."""
        run, control = self._screen.run_shown, self._screen.control
        if event.exact:
            control.go_to(event.by, event.text)
        else:
            control.ask(
                f"looking for the update at which {event.text}",
                lambda: run.locate(event),
                lambda found: found.text,
            )

    def _when(self) -> None:
        """Ask when something was; every answer is a jump."""
        seen, control = self._screen.seen, self._screen.control
        record = self._screen.run_shown.branch.record
        control.halt()

        def below(loss: float | None) -> None:
            if loss is None:
                return
            at = record.shown.last_below(loss, record.points(seen.head))
            if at is None:
                self._screen.tell(f"the loss was never below {loss:g}")
            else:
                control.go_to(record.update_of(at + 1), f"last below {loss:g}")

        def answered(chosen: int | None) -> None:
            if chosen == 0:
                question = Ask("When was the loss last below", "A loss, such as 0.01.", read_number)
                self._screen.ask(question, below)
            elif chosen is not None:
                self._go_to(seen.events[chosen - 1])

        texts = [f"{_event_text(each)} (update {each.by:,})" for each in seen.events]
        title = f"When, up to update {seen.head:,}, ..."
        texts.insert(0, "was the loss last below ...?")
        self._screen.ask(Choose(title, texts, "Enter goes there"), answered)

    def _checkpoint(self) -> None:
        run = self._screen.run_shown
        self._screen.control.ask(
            "setting a checkpoint", run.checkpoint, lambda _: f"checkpoint at update {run.update:,}"
        )

    def _last_checkpoint(self) -> None:
        seen = self._screen.seen
        before = [each for each in seen.checkpoints if each < seen.update]
        what = "checkpoint" if before else "no checkpoint:"
        update = before[-1] if before else 0
        self._screen.control.go_to(update, f"{what} update {update:,}")


def _event_text(event: ProgramEvent) -> str:
    text = in_one_line(event.text)
    return f"{text}, after update {event.after:,}" if event.after < event.by - 1 else text
