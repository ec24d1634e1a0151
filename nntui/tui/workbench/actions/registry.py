"""All actions of the workbench: by name, the one handler that does it."""

from nntui.timeline.edits import Edits
from nntui.tui.workbench.actions.arranging import Arranging
from nntui.tui.workbench.actions.branching import Branching
from nntui.tui.workbench.actions.diagnosing import Diagnosing
from nntui.tui.workbench.actions.editing import Editing
from nntui.tui.workbench.actions.exporting import Exporting
from nntui.tui.workbench.actions.guiding import Guiding
from nntui.tui.workbench.actions.stepping import Stepping
from nntui.tui.workbench.actions.travelling import Travelling
from nntui.tui.workbench.actions.viewing import Viewing
from nntui.tui.workbench.bench import Bench, Handlers


class Actions:
    """The groups of actions on one bench; what `nntui.tui.actions` names is looked up here."""

    def __init__(self, bench: Bench, others: Handlers) -> None:
        """``others`` are the handlers that belong to the screen itself.

        Raises ValueError if two groups handle the same action.
        """
        edits = Edits()
        self.branching = Branching(bench, edits)
        self.editing = Editing(bench, edits)
        self.diagnosing = Diagnosing(bench)
        self.guiding = Guiding(bench)
        groups = (
            *(Stepping(bench), Travelling(bench), Viewing(bench), Arranging(bench)),
            *(Exporting(bench), self.branching, self.editing, self.guiding),
        )
        found = [*others.items(), *(each for group in groups for each in group.handlers.items())]
        self.handlers: Handlers = dict(found)
        if len(self.handlers) < len(found):
            raise ValueError("two groups handle the same action")

    def perform(self, action: str) -> None:
        """Do what ``action`` names, and note it, as the story may ask for it."""
        name, _, number = action.partition(" ")
        if number:
            self.handlers[name](int(number))
        else:
            self.handlers[name]()
        self.guiding.acted(action)
