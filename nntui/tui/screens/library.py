"""The library screen: choose a scenario, or resume a saved session."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Paste
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import Worker

from nntui.core.errors import ConfigError
from nntui.presets.lookup import preset_of_text
from nntui.presets.making.csv_columns import CsvColumns
from nntui.presets.preset import Preset
from nntui.timeline.sessions.session_folder import SessionFile, age
from nntui.tui.actions import LIBRARY, Action, fill_keys
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.paged_list import PagedList
from nntui.tui.screens.dialogs.ask import Ask
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.manual import ManualScreen
from nntui.tui.screens.new_network import PROGRAM, NewNetwork
from nntui.tui.screens.preset_text import PresetText
from nntui.tui.screens.sized import SizedScreen
from nntui.tui.screens.tour import TourScreen

EXPLAINED = (
    "Each scenario is a small network that somebody asked about in public, or what was answered, "
    "or what fixes it. Choose with the arrow keys the one that looks like yours and press Enter: "
    "nothing is trained before you say so. A preset of your own opens with: nntui FILE.toml. What "
    "was trained is saved by itself; a program of your own opens with: nntui FILE.py, or by its "
    "path with the key below. The latest sessions stand at the top to be resumed, and "
    "nntui sessions lists them all."
)

OFFERED = {"new": "Own data", "program": "program", "tour": "tour"}
"""For whom none of the scenarios is what they came for, an action each."""


class LibraryScreen(SizedScreen[None]):
    """All presets: name, question, network, what happens."""

    DEFAULT_CSS = """
    LibraryScreen #headline, LibraryScreen #say { height: 1; padding: 0 1; background: $panel; }
    LibraryScreen OptionList {
        height: 1fr; border: none; padding: 0; scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & > .option-list--option-highlighted,
        &:focus > .option-list--option-highlighted {
            background: $row; color: $foreground; text-style: none;
        }
    }
    """
    BINDINGS = bindings(LIBRARY)

    class Chosen(Message):
        """A preset was chosen."""

        def __init__(self, preset: Preset, note: str = "") -> None:
            """``note`` is said of it at first."""
            super().__init__()
            self.preset, self.note = preset, note

    class Resumed(Message):
        """A saved session was chosen."""

        def __init__(self, entry: SessionFile) -> None:
            super().__init__()
            self.path, self.is_program = entry.path, entry.program is not None

    class ProgramWanted(Message):
        """A program of the person's own is wanted, by its path."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    def __init__(
        self,
        presets: list[Preset],
        saved: Callable[[], Sequence[SessionFile]],
        note: str = "",
        actions: tuple[Action, ...] = LIBRARY,
    ) -> None:
        """``saved`` gives the sessions that are offered to be resumed, the latest first.

        ``note`` is said beside the question that the list asks; ``actions`` are those of `LIBRARY`
        that can be done here.
        """
        super().__init__()
        self._actions = actions
        self._presets, self._saved = presets, saved
        self._note = note
        self._sessions: Sequence[SessionFile] = ()
        self._wanted = presets[0].name if presets else ""
        self._asks = False
        """Whether questions are asked one after the other; what is typed is for these."""

    def compose(self) -> ComposeResult:
        """A headline, the list, the keys."""
        yield Static(
            Content.assemble(
                ("nntui", "bold"),
                "  step small networks, and see why they do not learn",
            ),
            id="headline",
        )
        yield Static(id="say")
        yield PagedList()
        yield KeyBar(())
        yield self.size_message()

    def on_screen_resume(self) -> None:
        """List what there is now; the scenarios come after what can be resumed."""
        self._sessions, now = self._saved(), datetime.now(UTC)
        listed = self.query_one(OptionList)
        listed.set_options(
            [
                *(Option(_session(entry, now)) for entry in self._sessions),
                *(Option(_entry(preset)) for preset in self._presets),
            ]
        )
        # There is nothing to resume at first.
        keys = (x for x in self._actions if x.name != "resume" or self._sessions)
        self.query_one(KeyBar).actions = tuple(keys)
        self.complain("")
        self.highlight(self._wanted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open the chosen preset or session."""
        at = event.option_index - len(self._sessions)
        if self._asks:
            return  # the key came between two questions
        if at < 0:
            self.post_message(self.Resumed(self._sessions[event.option_index]))
        else:
            self.post_message(self.Chosen(self._presets[at]))

    def action_resume(self) -> None:
        """Resume the latest session."""
        if self._sessions:
            self.post_message(self.Resumed(self._sessions[0]))
        else:
            self.complain("no session is saved yet; one is made as soon as you train something")

    def complain(self, message: str) -> None:
        """Say why something cannot be done; nothing gives the line its usual text."""
        offered = {each.name: each.key for each in self._actions}
        parts: list[tuple[str, str]] = [("Which looks like yours?", "$foreground-muted")]
        for name, words in OFFERED.items():
            if name in offered:
                parts += [(f"  {words}: ", "$foreground-muted"), (offered[name], "$text-accent")]
        note = f"  ({self._note})" if self._note else ""
        usual = Content.assemble(*parts, (note, "$foreground-muted"))
        said = Content.styled(message, "$text-warning") if message else usual
        self.query_one("#say", Static).update(said)

    def highlight(self, name: str) -> None:
        """Put the highlight on the preset called ``name``, if it is listed."""
        self._wanted = name
        names = [preset.name for preset in self._presets]
        if name in names and self.is_mounted:
            self.query_one(OptionList).highlighted = len(self._sessions) + names.index(name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether ``action`` can be done: those of the library only where they are among ours."""
        known = {each.name for each in LIBRARY}
        if action not in known:
            return True
        return not self._asks and action in {each.name for each in self._actions}

    def action_new(self) -> None:
        """Ask for what a new network is to learn, and open it."""
        self.make_for(None)

    def make_for(self, data: CsvColumns | None) -> None:
        """Ask what a network is to learn of ``data``, or first for these, and open it."""
        self._asks = True

        async def ask() -> None:
            visitor = "program" not in {each.name for each in self._actions}
            try:
                answer = await NewNetwork(self.app, visitor, data).ask()
            finally:
                self._asks = False
            if answer == PROGRAM:
                self.action_program()
            elif isinstance(answer, Preset):
                saved = "" if visitor else f"saved as {answer.name}.toml; "
                self.post_message(self.Chosen(answer, f"{saved}{fill_keys('{run} trains it')}"))

        # Not a coroutine, which nobody would await where the app ends before it begins.
        self._asking: Worker[None] = self.run_worker(ask, exclusive=True)

    def action_text(self) -> None:
        """Ask for the text of a preset."""

        def answered(preset: Preset | None) -> None:
            if preset is not None:
                self.post_message(self.Chosen(preset))

        self.app.push_screen(PresetText(), answered)

    def action_program(self) -> None:
        """Ask for the path of a program."""

        def read(text: str) -> str:
            path = text.strip()
            if not path.endswith(".py") or not Path(path).expanduser().is_file():
                raise ConfigError("", "The path of a file that ends in .py, please.")
            return path

        def answered(path: str | None) -> None:
            if path is not None:
                self.post_message(self.ProgramWanted(path))

        hint = "The path of a network that you wrote in NumPy or plain Python; it is run."
        self.app.push_screen(Ask("Open a program of your own", hint, read), answered)

    def on_paste(self, event: Paste) -> None:
        """Open a preset that was copied, as TOML or as a string, or a program by its path."""
        if event.text.strip().endswith(".py"):
            self.post_message(self.ProgramWanted(event.text.strip()))
            return
        try:
            self.post_message(self.Chosen(preset_of_text(event.text, "pasted")))
        except ConfigError as error:
            self.complain(str(error))

    def action_tour(self) -> None:
        """Show around."""
        self.app.push_screen(TourScreen())

    def action_help(self) -> None:
        """Explain the library."""
        self.app.push_screen(HelpScreen("The library", EXPLAINED, self._actions))

    def action_manual(self) -> None:
        """Open the manual."""
        self.app.push_screen(ManualScreen())


def _session(entry: SessionFile, now: datetime) -> Content:
    branches = f", {entry.branches} branches" if (entry.branches or 1) > 1 else ""
    verb = "resume" if entry.program is None else "look again at"
    return Content.assemble(
        (f" {verb} {entry.preset}", "bold $text-success"),
        "  " if entry.seed is None else f"  seed {entry.seed}, ",
        f"update {entry.update or 0:,}{branches}",
        (f"  saved {age(entry.saved, now)}", "$foreground-muted"),
    )


def _entry(preset: Preset) -> Content:
    faults = len(preset.configuration.faults)
    planted = f"  {faults} fault{'s' if faults > 1 else ''}" if faults else ""
    return Content.assemble(
        (f" {preset.name:<24}", "bold"),
        (preset.network, "$text-accent"),
        (planted, "$text-error"),
        (f"\n   {preset.story.question}\n", "$foreground"),
        (f"   {preset.story.happens}", "$foreground-muted"),
    )
