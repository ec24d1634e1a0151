"""The editor: every entry of the configuration as a line, edited where it stands."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from nntui.core.errors import ConfigError
from nntui.core.parts.faults import FAULTS
from nntui.presets.entries import (
    Changes,
    Option,
    PresetEntry,
    options,
    preset_entries,
    read,
    removal,
)
from nntui.presets.preset import Preset
from nntui.presets.preset_table import plain_values
from nntui.tui.drawing.shortening import shortened
from nntui.tui.panels.inputs import EntryInput

NAMES = 17
"""Columns before the values."""


class Editor(Widget):
    """Lists the entries with a cursor, takes a new value for one, and says what that will do."""

    DEFAULT_CSS = """
    Editor { layers: below above; layout: vertical; height: 1fr; }
    Editor #entries { height: 1fr; text-wrap: nowrap; }
    Editor #told { height: auto; max-height: 60%; border-top: solid $foreground 30%; }
    Editor EntryInput { layer: above; position: absolute; }
    """

    class Begun(Message):
        """An entry is being edited."""

    class Edited(Message):
        """A value was given; whether it can be taken is for others to say."""

        def __init__(self, changes: Changes) -> None:
            super().__init__()
            self.changes = changes

    def __init__(self, first: Preset, effect: Callable[[Changes], str]) -> None:
        """``first`` is the scenario as it was opened; ``effect`` says what changes will do."""
        super().__init__()
        self._effect = effect
        self._preset, self._seed = first, first.seed
        self._entries = preset_entries(first, first.seed)
        self._first = {entry.key: entry.value for entry in self._entries}
        self._at = self._top = 0
        self._options: list[Option] = []
        self._chosen = 0
        self._verb = ""
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The entries, the line that is written, and what is said of it."""
        yield Static(id="entries", markup=False)
        yield Static(id="told", markup=False)
        yield EntryInput()

    def on_mount(self) -> None:
        """Nothing is written yet."""
        self._input.display = False

    @property
    def _input(self) -> EntryInput:
        return self.query_one(EntryInput)

    @property
    def entry(self) -> PresetEntry:
        """The entry under the cursor."""
        return self._entries[self._at]

    @property
    def listed(self) -> list[tuple[str, str]]:
        """Every entry that has a value: its dotted key, and the value as text."""
        return [(each.key, each.text) for each in self._entries if each.declared is not None]

    @property
    def choosing(self) -> bool:
        """Whether a value is being chosen."""
        return bool(self._options)

    @property
    def writing(self) -> bool:
        """Whether a value is being written."""
        return self.is_mounted and self._input.display

    def take(self, preset: Preset, seed: int) -> None:
        """Show the entries of ``preset`` with the ``seed`` of the run."""
        if preset is not self._preset or seed != self._seed:
            self.leave()
            key = self.entry.key
            self._preset, self._seed = preset, seed
            self._entries = preset_entries(preset, seed)
            places = [at for at, entry in enumerate(self._entries) if entry.key == key]
            self._at = places[0] if places else min(self._at, len(self._entries) - 1)
        # While the focus is elsewhere nobody sees it, and every frame would draw it.
        if self.display:
            self.draw()

    def find(self, key: str) -> None:
        """Put the cursor on the entry with that dotted key, if there is one."""
        places = [at for at, entry in enumerate(self._entries) if entry.key == key]
        self._at = places[0] if places else self._at
        self.draw()

    def move(self, lines: int) -> None:
        """Move the cursor, or the choice."""
        self._problem = ""
        if self.choosing:
            self._chosen = (self._chosen + lines) % len(self._options)
        else:
            self._at = min(max(self._at + lines, 0), len(self._entries) - 1)
        self.draw()

    def jump(self, direction: int) -> None:
        """Move the cursor to the next table, or to the one before; or the choice."""
        if self.choosing:
            self.move(direction)
            return
        tables = [at for at, each in enumerate(self._entries) if not each.depth]
        beyond = [at for at in tables if (at - self._at) * direction > 0]
        if beyond:
            self._at = min(beyond) if direction > 0 else max(beyond)
            self.draw()

    def begin(self) -> None:
        """Edit the entry under the cursor; where one is being chosen, take it."""
        if self.choosing:
            self._give(self._options[self._chosen][1])
            return
        entry, self._problem = self.entry, ""
        found = options(self._preset, entry)
        if found:
            shown = [words for words, _ in found]
            at = shown.index(entry.text) if entry.text in shown else 0
            # Of true and false, the other one is wanted.
            self._choose(found, 1 - at if isinstance(entry.value, bool) else at, "sets it")
            return
        try:
            text = entry.written
        except ConfigError as error:
            self.complain(str(error))
            return
        self._input.open(text)
        self.post_message(self.Begun())
        self.draw()

    def take_away(self) -> None:
        """Ask whether the fault or the layer under the cursor is to go."""
        changes = removal(self._preset, self.entry)
        if changes is None:
            self.complain("only a fault or a layer can be taken away; put the cursor on one")
        elif not self.choosing:
            self.find(".".join(self.entry.key.split(".")[:2]))
            self._choose([("take it away", changes)], 0, "takes it away")

    def _choose(self, found: list[Option], at: int, verb: str) -> None:
        self._options, self._chosen, self._verb, self._problem = found, at, verb, ""
        self.post_message(self.Begun())
        self.draw()

    def leave(self) -> None:
        """Edit nothing any more."""
        if self.writing:
            mine = self.screen.focused is self._input
            self._input.display = False
            if mine and isinstance(self.parent, Widget):
                self.screen.set_focus(self.parent)
        self._options, self._problem = [], ""
        self.draw()

    def complain(self, problem: str) -> None:
        """Say what is wrong, and what would be right."""
        self._problem = problem
        self.draw()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say while it is written whether it can be taken."""
        event.stop()
        if self.writing:
            self._problem = ""
            try:
                read(self._preset, self.entry, event.value)
            except ConfigError as error:
                self._problem = str(error)
            self.draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what is written, if it is another value."""
        event.stop()
        try:
            changes = read(self._preset, self.entry, event.value)
        except ConfigError as error:
            self.complain(str(error))
        else:
            self._give(changes)

    def _give(self, changes: Changes) -> None:
        """Hand on what is another value than before."""
        entry = self.entry
        if entry.key in changes and changes[entry.key] == plain_values(entry.value):
            self.leave()
        else:
            self.post_message(self.Edited(changes))

    def on_click(self, event: Click) -> None:
        """Put the cursor where the mouse points; a second click edits."""
        inside = event.get_content_offset(self.query_one("#entries"))
        at = self._top + inside.y if inside is not None else -1
        if 0 <= at < len(self._entries) and not self.writing and not self.choosing:
            self._at = at
            self.draw()
            if event.chain > 1:
                self.begin()

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self.draw()

    def draw(self) -> None:
        """Show everything as it is now."""
        if not self.is_mounted:
            return
        self.query_one("#told", Static).update(self._told())
        self._list()
        # What is told may take other room than before.
        self.call_after_refresh(self._list)

    def _list(self) -> None:
        """Show the entries around the cursor."""
        listed = self.query_one("#entries", Static)
        height, width = max(listed.size.height, 1), max(listed.size.width, NAMES + 1)
        self._top = min(max(self._top, self._at - height + 1), self._at)
        shown = range(self._top, min(self._top + height, len(self._entries)))
        lines = [self._line(at, width) for at in shown]
        listed.update(Content("\n").join(lines))
        if self.writing:
            start = len(self._indented(self.entry)) + 1
            self._input.styles.offset = (start, self._at - self._top)
            self._input.styles.width = max(width - start, 4)

    def _indented(self, entry: PresetEntry) -> str:
        return f"{' ' * entry.depth}{entry.name}"

    def _line(self, at: int, width: int) -> Content:
        entry = self._entries[at]
        is_new = entry.key in self._first and entry.value != self._first[entry.key]
        is_new = is_new or (entry.key not in self._first and entry.depth == 1)
        value = entry.text if not entry.adds else ""
        here = at == self._at
        if here and self.choosing:
            value = f"< {self._options[self._chosen][0]} >"
        column = self._indented(entry).ljust(NAMES)
        if len(column) + len(value) > width:
            # A long value may have the room that a short name leaves.
            column = f"{self._indented(entry)} "
        star = " *" if is_new and not entry.adds and value else ""
        value = shortened(value, width - len(column) - len(star)) + star
        heading = "bold" if entry.declared is None and not entry.adds else ""
        name = heading or ("" if entry.given else "$foreground-muted")
        style = "bold $text-warning" if is_new else "" if entry.given else "$foreground-muted"
        ground = " on $primary 40%" if here else ""
        rest = " " * max(width - len(column) - len(value), 0)
        return Content.assemble((column, name + ground), (value, style + ground), (rest, ground))

    def _told(self) -> Content:
        """What the entry is; what is wrong with the value, or what it would do."""
        entry = self.entry
        parts: list[str | tuple[str, str]] = [(f"{entry.key}\n", "bold")]
        if self._problem:
            parts.append((f"{self._problem}\n", "$text-error"))
        else:
            parts.append((f"{self._hint()}\n", "$text-success"))
        if self.choosing:
            parts += self._offered()
        else:
            parts.append((f"{entry.meaning}{_explained(entry)}", "$foreground-muted"))
        return Content.assemble(*parts)

    def _offered(self) -> list[str | tuple[str, str]]:
        parts: list[str | tuple[str, str]] = []
        chosen = self._options[self._chosen][0]
        if chosen in FAULTS:
            parts.append((f"{FAULTS[chosen].what}\n", "$foreground-muted"))
        for at, (words, _) in enumerate(self._options):
            parts += [(words, "reverse" if at == self._chosen else ""), "  "]
        return parts

    def _hint(self) -> str:
        """What the next key will do, and to what."""
        if self.choosing:
            changes = self._options[self._chosen][1]
            arrows = "" if len(self._options) == 1 else "; arrows choose"
            return f"Enter {self._verb}: {self._effect(changes)}{arrows}; Esc leaves it"
        if self.writing:
            changes = {self.entry.key: None}
            return f"Enter sets it: {self._effect(changes)}; Esc leaves it"
        does = "adds one" if self.entry.adds else "edits"
        gone = "; D takes it away" if removal(self._preset, self.entry) is not None else ""
        return f"Enter {does}: {self._effect({self.entry.key: None})}{gone}"


def _explained(entry: PresetEntry) -> str:
    """Of a planted fault, what it is and how it is fixed."""
    kind = FAULTS.get(entry.text) if entry.key.startswith("faults.") else None
    if kind is None:
        return ""
    return f"\n{kind.what}. What one sees: {kind.symptom}. Fix: {kind.fix}."
