"""The tour: a few pages that introduce nntui and its keys."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from nntui.tui.panels.story_panel import CAPS_CSS, with_keys
from nntui.tui.screens.dialogs.dialog import Dialog

PAGES = (
    (
        "A network that does not learn",
        "Each scenario of the library is a small network that somebody asked about in public. "
        "Nothing is trained before you say so: open the one that looks like yours with Enter, and "
        "come back with {library}; {why} says why it does not learn. In the library,  n  makes a "
        "network for data of your own, and  p  opens a program.",
    ),
    (
        "One update at a time",
        "In a scenario, {one_update} makes one update, {one_epoch} goes to the end of the epoch, "
        "{run} runs and pauses. Its loss plot shows what the program prints; the heatmap every "
        "unit's activation on every sample; a unit that is active on none is marked dead.",
    ),
    (
        "Back and forth",
        "{one_back} goes one update back, {jump} to any update, {previous_event} and {next_event} "
        "from event to event. The strip above the keys of a scenario is its time line. While "
        "training goes on you may look at the past; {to_head} brings you back.",
    ),
    (
        "Change one thing",
        "{fork} begins a branch here with something changed, drawn over the old one; {branches} "
        "shows all branches. {next_seed} takes other first weights, {many_seeds} a hundred. "
        "Nothing is ever lost, and all of it is saved by itself.",
    ),
    (
        "The story",
        "The story tells what was asked, what to press, and what you will see; {output} brings it "
        "back where the outputs are in its place. {do_step} does the next step for you. "
        "{next_panel} moves the focus, {zoom} gives a panel all the room, {help} explains it, and "
        "Ctrl+P finds everything by name.",
    ),
)


class TourScreen(Dialog[None]):
    """Pages above the screen; Enter or right goes on, left back, Escape skips the rest."""

    DEFAULT_CSS = f"""
    TourScreen {{ align: center middle; }}
    TourScreen > Vertical {{
        width: 62; max-width: 96%; height: auto; border: round $accent;
        background: $surface; padding: 1 2;
    }}
    TourScreen Static {{ height: auto; min-height: 8; {CAPS_CSS} }}
    """
    BINDINGS = [
        Binding("enter,right,space", "turn(1)", "next"),
        Binding("left,backspace", "turn(-1)", "back"),
        Binding("escape,q,T", "dismiss", "close"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.page = 0

    def compose(self) -> ComposeResult:
        """One page."""
        with Vertical() as box:
            box.border_subtitle = "Enter goes on, Esc skips"
            yield Static()

    def on_mount(self) -> None:
        """Show the first page."""
        self._show()

    def _show(self) -> None:
        title, text = PAGES[self.page]
        self.query_one(Vertical).border_title = f"Tour, {self.page + 1} of {len(PAGES)}"
        page = Content.assemble((title, "bold $text-accent"), "\n\n", with_keys(text))
        self.query_one(Static).update(page)

    def action_turn(self, by: int) -> None:
        """Turn the page; beyond the last the tour ends."""
        if self.page + by >= len(PAGES):
            self.dismiss()
        else:
            self.page = max(self.page + by, 0)
            self._show()
