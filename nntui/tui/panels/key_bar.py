"""The key bar: the next keys to press, as many as fit in one line; a click presses one."""

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget

from nntui.tui.actions import Action


class KeyBar(Widget):
    """One line of keys and what they do; the least needed are dropped where room is short."""

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; background: $panel; color: $foreground; }
    """

    actions: reactive[tuple[Action, ...]] = reactive(())
    """What can be done now, in the order of the bar."""

    def __init__(self, actions: tuple[Action, ...]) -> None:
        super().__init__()
        self.set_reactive(KeyBar.actions, actions)

    def fitting(self, width: int) -> list[Action]:
        """The actions that fit in ``width`` columns, in their order."""
        room, kept = width, set()
        for action in sorted(self.actions, key=lambda each: each.rank):
            room -= _width(action)
            if room < 0:
                break
            kept.add(action.name)
        return [action for action in self.actions if action.name in kept]

    def on_click(self, event: Click) -> None:
        """Press the key under the mouse."""
        end = 0
        for action in self.fitting(self.size.width):
            end += _width(action)
            if event.x < end:
                self.app.simulate_key(action.keys.split(",")[0])
                return

    def render(self) -> Content:
        """The keys that fit."""
        parts = [
            Content.assemble((f" {action.key}", "bold $text-accent"), f" {action.label} ")
            for action in self.fitting(self.size.width)
        ]
        return Content("").join(parts)


def _width(action: Action) -> int:
    """The columns that ``action`` takes in the bar."""
    return len(action.key) + len(action.label) + 3
