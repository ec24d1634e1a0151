"""The one registry of what can be done in the app: it feeds keys, key bar, palette and help.

Presets name these actions in their stories, as ``{one_update}``; `fill_keys` puts in the keys.
"""

import re
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Action:
    """Something that can be done: its name, its keys, and how it is explained."""

    name: str
    keys: str
    """Comma-separated, in Textual's words."""
    label: str
    """One or two words for the key bar."""
    help: str
    shown: str = ""
    """The key as people read it, where Textual's word is another."""
    rank: int = 9
    """The key bar drops the highest ranks first when there is little room."""

    @property
    def key(self) -> str:
        """The first key, as people read it."""
        return self.shown or self.keys.split(",")[0]


WORKBENCH = (
    Action("one_update", "u", "update", "Make one update.", rank=1),
    Action("one_epoch", "e", "epoch", "Train to the end of this epoch.", rank=1),
    Action("many_epochs", "m", "100 epochs", "Train 100 epochs.", rank=4),
    Action(
        "run", "space", "run/pause", "Run until the budget or the stop rule; again: pause.", rank=1
    ),
    Action("one_back", "b", "back", "Go one update back.", rank=2),
    Action("checkpoint", "c", "checkpoint", "Set a checkpoint at this update.", rank=5),
    Action(
        "last_checkpoint",
        "B,backspace",
        "to checkpoint",
        "Back to the last checkpoint before here, or to update 0.",
        rank=6,
    ),
    Action("jump", "j", "jump", "Go to an update by its number.", rank=3),
    Action("next_seed", "n", "next seed", "Start anew with the next seed.", rank=2),
    Action("choose_seed", "N", "seed", "Start anew with a seed that you give.", rank=6),
    Action("many_seeds", "s", "100 seeds", "Train 100 seeds in the background; open one.", rank=4),
    Action("restart", "r", "restart", "Go to update 0 with the same seed.", rank=4),
    Action("faster", "plus,equals_sign", "faster", "Run faster.", shown="+", rank=5),
    Action("slower", "minus", "slower", "Run slower.", shown="-", rank=5),
    Action("log_scale", "y", "log/linear", "Switch the loss axis: logarithmic or linear.", rank=6),
    Action("zoom", "z", "zoom", "Show the focused panel alone; again: all panels.", rank=4),
    Action("next_panel", "tab", "next panel", "Move the focus to the next panel.", rank=7),
    Action("library", "l", "library", "Back to the library of scenarios.", rank=2),
    Action("help", "question_mark,f1", "help", "Explain the panel and the keys.", "?", rank=0),
    Action("quit", "q", "quit", "Leave nntui.", rank=0),
)

LIBRARY = (
    Action("open", "enter", "open", "Open the scenario.", rank=0),
    Action("help", "question_mark,f1", "help", "Explain the library and the keys.", "?", rank=0),
    Action("quit", "q", "quit", "Leave nntui.", rank=0),
)


KEY = re.compile("{(" + "|".join(action.name for action in WORKBENCH) + ")}")
"""The name of an action in a story's text."""


def bindings(actions: tuple[Action, ...]) -> list[BindingType]:
    """A screen's bindings for ``actions``; what a list does on Enter is left out."""
    return [
        Binding(
            action.keys,
            "app.quit" if action.name == "quit" else action.name,
            action.label,
            tooltip=action.help,
            id=action.name,
        )
        for action in actions
        if action.name != "open"
    ]


def fill_keys(text: str) -> str:
    """``text`` with each ``{action}`` replaced by its key; unknown names stay as they are."""
    keys = {action.name: action.key for action in WORKBENCH}
    return KEY.sub(lambda found: keys[found[1]], text)
