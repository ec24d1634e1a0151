"""Dialogs that ask for the value of an entry: one of a list, or several columns of a file."""

from collections.abc import Sequence
from typing import TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option as Line

from nntui.presets.editing.option import Option
from nntui.tui.drawing.shortening import shortened
from nntui.tui.drawing.titles import entitle
from nntui.tui.panels.paged_list import PagedList
from nntui.tui.screens.dialogs.dialog import Dialog

Result = TypeVar("Result")

PRESENT, MOST_NAMES = "•", 30
"""In front of the value in force; columns for the names of the values, at most."""


class ListDialog(Dialog[Result | None]):
    """A list of options with a cursor; below it, what the one under the cursor is."""

    DEFAULT_CSS = """
    ListDialog { align: center middle; }
    ListDialog > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 94%;
        border: round $accent; background: $surface; padding: 0 1;
    }
    ListDialog OptionList {
        height: auto; max-height: 50vh; border: none; padding: 0; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis;
        &:focus { border: none; }
    }
    ListDialog #about { height: auto; max-height: 2; color: $foreground-muted; }
    ListDialog.-low #about { display: none; }
    ListDialog #said { height: 4; border-top: solid $foreground 30%; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]
    BINDINGS = [Binding("escape", "dismiss", "cancel")]

    does = "Enter takes it, Esc leaves it"
    """The keys, in words."""

    def __init__(self, title: str, options: Sequence[Option], effect: str, about: str = "") -> None:
        """``effect`` says what another value will do, and ``about`` what the value is for."""
        super().__init__()
        self._about = about
        self._title, self.options, self._effect = title, list(options), effect
        self._at_first = next((at for at, each in enumerate(options) if each.present), 0)
        self._room = min(max(len(each.words) for each in options), MOST_NAMES)
        self._early: list[Key] = []

    def compose(self) -> ComposeResult:
        """The options, and what is said of one."""
        with Vertical() as box:
            entitle(box, self._title)
            box.border_subtitle = self.does
            if self._about:
                yield Static(f"{self._about[0].upper()}{self._about[1:]}", id="about", markup=False)
            yield PagedList(*(Line(self.line(at)) for at in range(len(self.options))))
            yield Static(id="said", markup=False)

    def line(self, at: int) -> Content:
        """An option in one line."""
        option = self.options[at]
        name = shortened(option.words, self._room).ljust(self._room)
        # A colour of its own could be that of the cursor's ground, in sixteen colours.
        return Content.assemble((f"{self.mark(at)} {name}  ", "bold"), option.about)

    def mark(self, at: int) -> str:
        """What stands in front of an option."""
        return PRESENT if self.options[at].present else " "

    @property
    def listed(self) -> OptionList:
        """The list."""
        return self.query_one(OptionList)

    async def on_mount(self) -> None:
        """Begin at the present value, with what was typed while the screen was being made."""
        self.listed.highlighted = self._at_first
        for event in self._early:
            await self.type(event)

    async def type(self, event: Key) -> None:
        """Treat ``event`` as typed into the list, also before that is on the screen."""
        if not self.is_mounted:
            self._early.append(event)
            return
        listed = self.listed
        moves = {
            "up": listed.action_cursor_up,
            "down": listed.action_cursor_down,
            "pageup": listed.action_page_up,
            "pagedown": listed.action_page_down,
            "home": listed.action_first,
            "end": listed.action_last,
            "enter": self.action_take,
            "space": self.action_choose,
        }
        if event.key in moves:
            moves[event.key]()
        elif event.key == "escape":
            self.dismiss(None)
        else:
            self._lead_to(event)

    def on_key(self, event: Key) -> None:
        """A letter leads to the next option that begins with it."""
        self._lead_to(event)

    def _lead_to(self, event: Key) -> None:
        at, count = self.listed.highlighted or 0, len(self.options)
        if event.character is None or not event.character.isalnum():
            return
        for place in ((at + step) % count for step in range(1, count + 1)):
            if self.options[place].words.lower().startswith(event.character.lower()):
                self.listed.highlighted = place
                break
        event.stop()

    def action_take(self) -> None:
        """Take what is under the cursor."""
        self.listed.action_select()

    def action_choose(self) -> None:
        """Choose what is under the cursor, where several are chosen together."""

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the option under the cursor is, and what taking it does."""
        option = self.options[event.option_index]
        self.query_one("#said", Static).update(
            Content.assemble(
                (f"{self.said_of(option)}\n", "$text-success"), (option.about, "$foreground-muted")
            )
        )

    def said_of(self, option: Option) -> str:
        """What Enter does with an option."""
        if option.present and option.asks is None:
            return "as it is"
        return f"asks for it, and {self._effect}" if option.asks is not None else self._effect


class ChooseValue(ListDialog[int]):
    """Asks which of some options is wanted; the result is its place, None after Escape."""

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take it."""
        self.dismiss(event.option_index)


class ChooseSome(ListDialog[list[str]]):
    """Asks which of some options are wanted together; the result is their words."""

    BINDINGS = [
        Binding("space", "choose", "choose", priority=True),
        Binding("enter", "take", "take", priority=True),
    ]
    does = "Space or a click chooses, Enter takes them, Esc leaves it"

    def __init__(self, title: str, options: Sequence[Option], effect: str, about: str = "") -> None:
        super().__init__(title, options, effect, about)
        self._chosen = {at for at, each in enumerate(options) if each.present}

    def mark(self, at: int) -> str:
        """A box, ticked if the option is chosen."""
        return "[x]" if at in self._chosen else "[ ]"

    def said_of(self, option: Option) -> str:
        """What Enter does with all that are chosen."""
        effect = self._effect and f": {self._effect}"
        return f"Enter takes the {len(self._chosen)} chosen{effect}"

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click chooses, or chooses no more."""
        self._toggle(event.option_index)

    def action_choose(self) -> None:
        """Choose what is under the cursor, or choose it no more."""
        if self.listed.highlighted is not None:
            self._toggle(self.listed.highlighted)

    def _toggle(self, at: int) -> None:
        self._chosen ^= {at}
        self.listed.replace_option_prompt_at_index(at, self.line(at))
        self.listed.post_message(
            OptionList.OptionHighlighted(self.listed, self.listed.get_option_at_index(at), at)
        )

    def action_take(self) -> None:
        """Take all that are chosen."""
        self.dismiss([self.options[at].words for at in sorted(self._chosen)])
