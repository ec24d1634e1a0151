"""The editor: the entries of a configuration that have an effect, each edited where it stands."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from nntui.core.errors import ConfigError
from nntui.presets.editing.choices import (
    added_table,
    column_choices,
    options,
    removal,
    with_columns,
)
from nntui.presets.editing.entries import SOURCE, Changes, PresetEntry, preset_entries
from nntui.presets.editing.entry_changes import read
from nntui.presets.editing.option import Option, Question
from nntui.presets.editing.table_text import is_rows, read_rows, rows_text
from nntui.presets.preset import Preset
from nntui.presets.preset_table import plain_values
from nntui.tui.panels.editing.editor_questions import EditorQuestion, OneOf, SomeOf, Written
from nntui.tui.panels.editing.entry_list import EntryList
from nntui.tui.panels.editing.entry_text import NAMES, entry_line, indented, titled, told_of
from nntui.tui.panels.editing.inputs import EntryInput, FilterInput

NARROW = 60
"""Columns below which what is told needs more rows."""
WHEEL = 3
"""Lines that a turn of the mouse's wheel goes."""
ROWS = "A row a line, with commas or blanks between the numbers; empty lines are skipped."
ROWS_OF_TABLE = (
    "A row a line: its inputs, an arrow ->, its targets. Without arrows the targets are the last; "
    "a first line of words names the columns."
)


class Editor(Widget):
    """Lists the entries with a cursor, takes a new value for one, and says what that will do."""

    DEFAULT_CSS = """
    Editor { layers: below above; layout: vertical; height: 1fr; }
    Editor #entries { height: 1fr; text-wrap: nowrap; }
    Editor #told { height: 5; max-height: 40%; border-top: solid $foreground 30%; }
    Editor.-narrow #told { height: 7; }
    Editor #value { layer: above; position: absolute; }
    """

    class Begun(Message):
        """An entry is being edited."""

    class Edited(Message):
        """A value was given; whether it can be taken is for others to say."""

        def __init__(self, changes: Changes) -> None:
            super().__init__()
            self.changes = changes

    def __init__(
        self,
        first: Preset,
        effect: Callable[[Changes], str],
        ask: Callable[[EditorQuestion], None],
    ) -> None:
        """``first`` is the scenario as it was opened; ``effect`` says what changes will do.

        ``ask`` puts a question above the panels at once: the next key may be its answer.
        """
        super().__init__()
        self._effect, self._ask_above = effect, ask
        self._preset, self._seed = first, first.seed
        self._list = EntryList(preset_entries(first, first.seed))
        self._first = {entry.key: entry.value for entry in self._list.entries}
        self._top = 0
        self._added = ""
        """The key of the table that a change adds; empty if it adds none."""
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The entries, the line that is written, the filter, and what is said of the entry."""
        yield FilterInput(self._move_found, self._edit_found)
        yield Static(id="entries", markup=False)
        yield Static(id="told", markup=False)
        yield EntryInput(id="value")

    def on_mount(self) -> None:
        """Nothing is written yet."""
        self._input.display = self._filter.display = False

    @property
    def _input(self) -> EntryInput:
        return self.query_one("#value", EntryInput)

    @property
    def _filter(self) -> FilterInput:
        return self.query_one(FilterInput)

    @property
    def entry(self) -> PresetEntry:
        """The entry under the cursor."""
        return self._list.entry

    @property
    def listed(self) -> list[tuple[str, str]]:
        """Every entry that has a value and an effect: its dotted key, and the value as text."""
        return [
            (each.key, each.text)
            for each in self._list.entries
            if each.declared is not None and not each.needs
        ]

    @property
    def writing(self) -> bool:
        """Whether a value is being written."""
        return self.is_mounted and self._input.display

    @property
    def filtering(self) -> bool:
        """Whether only some entries are listed, or it is being written which."""
        return self.is_mounted and self._filter.display

    def take(self, preset: Preset, seed: int) -> None:
        """Show the entries of ``preset`` with the ``seed`` of the run."""
        if preset is not self._preset or seed != self._seed:
            if self.writing:
                self.leave()
            self._preset, self._seed = preset, seed
            self._list.replace(preset_entries(preset, seed))
            if self._added:
                self._go_to_added()
        # While the focus is elsewhere nobody sees it, and every frame would draw it.
        if self.display:
            self.draw()

    def _go_to_added(self) -> None:
        """Show the table that was added, which the filter might hide."""
        self.list_all()
        self._top = len(self._list.lines)  # its entries stand below
        self.find(self._added)
        self._added = ""

    def find(self, key: str) -> None:
        """Put the cursor on the entry with that dotted key, if there is one."""
        self._list.find(key)
        self.draw()

    def move(self, lines: int) -> None:
        """Move the cursor."""
        self._problem = ""
        self._list.move(lines)
        self.draw()

    def jump(self, direction: int) -> None:
        """Move the cursor to the next table, or to the one before."""
        self._problem = ""
        self._list.jump(direction)
        self.draw()

    def begin(self) -> None:
        """Edit the entry under the cursor: choose its value, or write it."""
        entry, self._problem = self.entry, ""
        try:
            columns = column_choices(self._preset, entry)
            choices = [] if columns else options(self._preset, entry)
            if columns:
                self._ask_columns(columns)
            elif isinstance(entry.value, bool):
                # Of true and false, the other one is wanted.
                self._give(next(each for each in choices if not each.present).make())
            elif choices:
                self._ask_value(choices)
            elif is_rows(entry):
                self._ask_rows()
            else:
                self._write(entry.written)
        except ConfigError as error:
            self.complain(str(error))

    def _write(self, text: str) -> None:
        self._input.open(text)
        self.post_message(self.Begun())
        self.draw()

    def _ask_value(self, choices: list[Option]) -> None:
        entry = self.entry
        effect = self._effect({entry.key: None})
        self._ask(OneOf(titled(entry), choices, effect, self._choose, entry.meaning))

    def _choose(self, option: Option) -> None:
        if option.asks is not None:
            self._ask(Written(option.asks, self._give))
        else:
            self._make(option.make)

    def _ask_columns(self, columns: list[Option]) -> None:
        entry, preset = self.entry, self._preset

        def chosen(names: list[str]) -> None:
            if names != list(entry.value or ()):
                self._make(lambda: with_columns(preset, entry, names))

        effect = self._effect({entry.key: None})
        self._ask(SomeOf(titled(entry), columns, effect, chosen, entry.meaning))

    def _ask_rows(self) -> None:
        entry, preset = self.entry, self._preset
        of_table = entry.key in ("data.inputs", "data.targets")
        title, hint = ("The rows of the data", ROWS_OF_TABLE) if of_table else (entry.key, ROWS)
        text = rows_text(preset, entry)
        question = Question(title, hint, lambda given: read_rows(preset, entry, given), text)
        self._ask(Written(question, self._give, lines=True))

    def _ask(self, question: EditorQuestion) -> None:
        self.post_message(self.Begun())
        self._ask_above(question)

    def _make(self, make: Callable[[], Changes]) -> None:
        try:
            self._give(make())
        except ConfigError as error:
            self.complain(str(error))

    def take_away(self) -> None:
        """Ask whether the fault or the layer under the cursor is to go."""
        changes = removal(self._preset, self.entry)
        if changes is None:
            self.complain("only a fault or a layer can be taken away; put the cursor on one")
            return
        key, at, *_ = self.entry.key.split(".")
        name = f"{key[:-1]} {at}"
        if key == "faults":
            name = self._preset.configuration.faults[int(at)].name
        options = [Option("take it away", lambda: changes), Option("keep it", about="as it is")]
        self._ask(OneOf(f"Take {name} away?", options, self._effect(changes), self._choose))

    def seek(self) -> None:
        """Ask which entries are to be listed."""
        self._filter.open(self._list.wanted)
        self.draw()

    def _move_found(self, lines: int) -> None:
        """Move the cursor among the entries that are looked for."""
        self._list.filter(self._filter.value)  # what was typed fast may not be told of yet
        self.move(lines)

    def _edit_found(self) -> None:
        """Edit the entry under the cursor; the list stays as it was filtered."""
        self._list.filter(self._filter.value)
        if self._list.found:
            self.leave()
            self.begin()
        else:
            self.draw()

    def leave(self) -> None:
        """Edit nothing any more; what is asked for by the filter is listed."""
        for each, stays in ((self._input, False), (self._filter, bool(self._list.wanted))):
            mine = each.display and self.screen.focused is each
            each.display = stays
            if mine and isinstance(self.parent, Widget):
                self.screen.set_focus(self.parent)
        self._problem = ""
        self.draw()

    def list_all(self) -> None:
        """List all entries again."""
        self._list.filter("")
        self.leave()

    def complain(self, problem: str) -> None:
        """Say what is wrong, and what would be right."""
        self._problem, self._added = problem, ""
        self.draw()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say while it is written whether it can be taken; list what is looked for."""
        event.stop()
        if event.input is self._filter:
            self._list.filter(self._filter.value)
            self.draw()
        elif self.writing:
            self._problem = ""
            try:
                read(self._preset, self.entry, event.value)
            except ConfigError as error:
                self._problem = str(error)
            self.draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what is written, if it is another value."""
        event.stop()
        entry = self.entry
        self._make(lambda: read(self._preset, entry, event.value))

    def _give(self, changes: Changes) -> None:
        """Hand on what is another value than before."""
        entry = self.entry
        same = changes.get(entry.key, self) == plain_values(entry.value)
        if not changes or (len(changes) == 1 and same):
            self.leave()
        else:
            if entry.key == SOURCE:
                self._list.filter("")  # its entries are others now, and stand below
                self._top = len(self._list.lines)
            self._added = added_table(self._preset, changes)
            self.post_message(self.Edited(changes))

    def on_click(self, event: Click) -> None:
        """Put the cursor where the mouse points; a click on the cursor edits."""
        inside = event.get_content_offset(self.query_one("#entries"))
        at = self._top + inside.y if inside is not None else -1
        if 0 <= at < len(self._list.lines) and not self.writing:
            was = self.entry
            self._list.put(at)
            self.draw()
            if self.entry is was and self._list.lines[at] is was:
                self.begin()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Go down."""
        event.stop()
        if not self.writing:
            self.move(WHEEL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Go up."""
        event.stop()
        if not self.writing:
            self.move(-WHEEL)

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self.set_class(self.size.width < NARROW, "-narrow")
        self.draw()
        self.call_after_refresh(self.draw)  # what is told may have other rows now

    def draw(self) -> None:
        """Show everything as it is now."""
        if not self.is_mounted:
            return
        self.query_one("#told", Static).update(self._told())
        self._draw_list()
        # The filter may have come or gone.
        self.call_after_refresh(self._draw_list)

    def _draw_list(self) -> None:
        """Show the entries around the cursor."""
        listed = self.query_one("#entries", Static)
        height, width = max(listed.size.height, 1), max(listed.size.width, NAMES + 1)
        lines, at = self._list.lines, self._list.at
        lowest, context = max(self._top, at - height + 1), min(height - 1, 1)
        self._top = min(lowest, max(at - context, 0), max(len(lines) - height, 0))
        if at > 0 and at == self._top and not any(map(self._list.stops, lines[:at])):
            self._top = 0  # the heading above the first entry is seen with it
        shown = range(self._top, min(self._top + height, len(lines)))
        found = [
            entry_line(lines[each], width, here=each == at, is_new=self._is_new(lines[each]))
            for each in shown
        ]
        listed.update(Content("\n").join(found))
        if self.writing:
            start = NAMES if width > 2 * NAMES else len(indented(self.entry)) + 1
            above = 1 if self._filter.display else 0
            self._input.styles.offset = (start, at - self._top + above)
            self._input.styles.width = max(width - start, 4)

    def _is_new(self, entry: PresetEntry) -> bool:
        """Whether the entry is not as in the scenario."""
        if entry.adds or entry.is_heading:
            return False
        if entry.key not in self._first:
            return entry.depth == 1
        return bool(entry.value != self._first[entry.key])

    def _told(self) -> Content:
        """What is told of the entry under the cursor, or of the filter."""
        if self._list.wanted and not self._list.found:
            said = f'no entry is called "{self._list.wanted}"; Esc lists all'
            return Content.styled(said, "$text-error")
        problem, writing = self._problem, self.writing
        return told_of(self._preset, self.entry, self._effect, problem=problem, writing=writing)
