"""All actions on one program: by the action's name, the handler that does it."""

from nntui.tui.actions import fill_program_keys
from nntui.tui.programs.actions.forking import Forking
from nntui.tui.programs.actions.handlers import Handlers
from nntui.tui.programs.actions.looking import Looking
from nntui.tui.programs.actions.moving import Moving
from nntui.tui.programs.actions.remembering import Remembering
from nntui.tui.programs.actions.repairing import Repairing
from nntui.tui.programs.program_bench import ProgramBench

RUNNING = (
    *("one_update", "one_back", "one_epoch", "many_epochs", "run", "jump", "to_start", "to_head"),
    *("previous_event", "next_event", "when", "checkpoint", "last_checkpoint", "fork"),
    *("next_seed", "choose_seed", "restart", "mend", "take", "preset"),
)
"""Actions that run the program, or need one that runs."""
MOVES = RUNNING[: RUNNING.index("fork")]
"""Those that need one that can be stepped."""


class ProgramActions:
    """The groups of actions on one screen."""

    def __init__(self, screen: ProgramBench) -> None:
        self._screen = screen
        self.forking = Forking(screen)
        self.repairing = Repairing(screen, self.forking)
        self.remembering = Remembering(screen, self.forking)
        groups = (self.forking, self.repairing, self.remembering, Moving(screen), Looking(screen))
        self.handlers: Handlers = {
            name: handler for group in groups for name, handler in group.handlers.items()
        }

    def perform(self, action: str) -> None:
        """Do what ``action`` names, with the number behind it if there is one."""
        name, _, number = action.partition(" ")
        if name in RUNNING and self._screen.run_shown.is_kept:
            self._screen.tell(fill_program_keys("nothing has run: {edit} runs it again first"))
            return
        if name in MOVES and self._screen.seen.problem:
            self._screen.tell(f"it cannot be stepped: {self._screen.seen.problem}")
            return
        handler = self.handlers[name]
        if number:
            handler(int(number))
        else:
            handler()
