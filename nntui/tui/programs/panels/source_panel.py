"""The source panel: the program, the values of each line behind it, and marks in the margin."""

import ast
import os
from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.markup import escape
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nntui.program.debugging.seen import ProgramSeen
from nntui.tui.actions import SOURCE
from nntui.tui.drawing.shortening import shortened
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.panel import StripPanel, set_caption
from nntui.tui.programs.panels.code_style import CODE, coloured, cut
from nntui.tui.programs.panels.value_text import gradient_text, line_text, range_text, shape_text

MARKS = {
    "wrong": ("x", "wrong"),
    "right": ("=", "right"),
    "not finite": ("!", "wrong"),
    "shape": ("s", "doubt"),
    "doubt": ("?", "doubt"),
    "stopped": ("X", "wrong"),
}
"""By the name of a mark: its letter and its role."""
MARGIN = 7
"""Columns in front of the code: a mark, the number of the line, and the loop."""
LEAST_VALUES = 27
"""Columns that values have at least: a shape, a range, and a few bars."""


@dataclass(frozen=True, eq=False)
class SourceContent:
    """What the source panel shows."""

    seen: ProgramSeen
    file: str
    """The file that is shown."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Its lines."""
        return self.seen.lines_of(self.file)


@lru_cache(maxsize=16)
def loop_end(source: tuple[str, ...], line: int) -> int:
    """The last line of the loop that begins on ``line``."""
    try:
        tree = ast.parse("\n".join(source))
    except (SyntaxError, ValueError, RecursionError):
        return line
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)) and node.lineno == line:
            return node.end_lineno or line
    return line


def _stopped(content: SourceContent) -> int | None:
    """The line of the file at which the program crashed."""
    marks = content.seen.marks.items()
    return next((x[1] for x, mark in marks if (mark, x[0]) == ("stopped", content.file)), None)


class SourcePanel(StripPanel):
    """The program with a line cursor, scrolled so that this is in view."""

    COMPONENT_CLASSES = {
        f"source--{role}"
        for role in (
            *("code", "keyword", "string", "number", "comment", "name", "builtin"),
            *("margin", "loop", "value", "readout", "wrong", "right", "doubt", "cursor"),
        )
    }
    DEFAULT_CSS = """
    SourcePanel .source--code { color: $foreground; }
    SourcePanel .source--keyword { color: $text-primary; text-style: bold; }
    SourcePanel .source--string { color: $text-success; }
    SourcePanel .source--number { color: $text-warning; }
    SourcePanel .source--comment { color: $foreground-muted; }
    SourcePanel .source--name { color: $foreground; text-style: bold; }
    SourcePanel .source--builtin { color: $text-primary; }
    SourcePanel .source--margin { color: $foreground-muted; }
    SourcePanel .source--loop { color: $text-accent; text-style: bold; }
    SourcePanel .source--value { color: $text-accent; }
    SourcePanel .source--readout { color: $foreground; }
    SourcePanel .source--wrong { color: $text-error; text-style: bold; }
    SourcePanel .source--right { color: $text-success; text-style: bold; }
    SourcePanel .source--doubt { color: $text-warning; text-style: bold; }
    SourcePanel .source--cursor { background: $row; }
    """
    BINDINGS = bindings(SOURCE)

    explained = (
        "Your program. Behind each line stands what it gave in the update at the cursor, the one "
        "that the next step makes: a number, or for an array its shape, its range and a small "
        "picture of it (the last value, where the line ran several times). The update was recorded "
        "in a copy of the program: nothing has moved. > in the margin is the loop of which each "
        "turn is an update, and the line below it the part that it repeats; >> is the loop around "
        "it. Marks in front: x proven wrong, = proven right (the line gives the true gradient, or "
        "a multiple of it, and the update is right), ? wrong, but not proven to be this line, ! "
        "the first number that is not finite, s a shape that changes, X where it crashed. The last "
        "line reads the chosen line in full. With the focus here, up and down choose a line, [ and "
        "] go to marked lines, and Enter shows the arrays of the line; where it is a gradient, "
        "beside the true gradient of the loss and the difference."
    )

    content: reactive[SourceContent | None] = reactive(None)
    """What is shown."""
    line: reactive[int] = reactive(0)
    """The chosen line, counted from 1; 0 before one is chosen."""

    class Chosen(Message):
        """Another line was chosen; with ``arrays`` its arrays are wanted in the heatmap."""

        def __init__(self, line: int, arrays: bool) -> None:
            super().__init__()
            self.line, self.arrays = line, arrays

    class Said(Message):
        """Why a key does nothing here."""

        def __init__(self, note: str) -> None:
            super().__init__()
            self.note = note

    class Elsewhere(Message):
        """A line of another file is wanted."""

        def __init__(self, file: str, line: int) -> None:
            super().__init__()
            self.file, self.line = file, line

    class FileWanted(Message):
        """The next file of the program is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Source"
        self._top = 0

    def watch_content(self, before: SourceContent | None, now: SourceContent | None) -> None:
        """Show it; the first time that the loop is known it comes into view."""
        if now is None:
            return
        if before is not None and before.file != now.file:
            self._top = 0
        elif not self.line or (before is not None and before.seen.loop is None and now.seen.loop):
            self.line = self._loop_line(now) or self.line or 1
            self._top = max(self.line - 4, 0)
        stopped = _stopped(now)
        if stopped is not None and (before is None or _stopped(before) != stopped):
            self._top = max(stopped - self._rows // 2, 0)
            self.line = stopped
        self.line = min(self.line, max(len(now.lines), 1))
        self.redraw()

    def watch_line(self) -> None:
        """Show it."""
        self.redraw()
        if self.content is not None:
            self.post_message(self.Chosen(self.line, arrays=False))

    def on_click(self, event: Click) -> None:
        """Choose the line under the mouse."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < self._rows:
            self._choose(self._top + offset.y + 1)

    def show_line(self, line: int) -> None:
        """Choose ``line`` and bring it into the middle."""
        self._top = max(line - self._rows // 2, 0)
        self._choose(line)

    def action_move(self, by: int) -> None:
        """Choose another line."""
        self._choose(self.line + by)

    def action_to_mark(self, by: int) -> None:
        """Choose the next line that has a mark, or the one before, in whichever file it is."""
        content = self.content
        if content is None:
            return
        order = [each.file for each in content.seen.files]
        places = [(order.index(file), at) for file, at in content.seen.marks if file in order]
        if not places:
            self.post_message(self.Said("no line is marked"))
            return
        here = order.index(content.file), self.line
        ahead = [each for each in places if (each > here if by > 0 else each < here)]
        # Behind the last mark comes the first: the loop, where it begins, often lies below all.
        file, line = (min if by > 0 else max)(ahead or places)
        if order[file] == content.file:
            self.show_line(line)
        else:
            self.post_message(self.Elsewhere(order[file], line))

    def action_to_loop(self) -> None:
        """Choose the loop of the updates."""
        line = None if self.content is None else self._loop_line(self.content)
        if line:
            self.show_line(line)
        else:
            self.post_message(self.Said("no loop of updates is known in this file"))

    def action_next_file(self) -> None:
        """Ask for the next file of the program."""
        self.post_message(self.FileWanted())

    def action_arrays(self) -> None:
        """Ask for the arrays of the chosen line."""
        self.post_message(self.Chosen(self.line, arrays=True))

    def _choose(self, line: int) -> None:
        if self.content is not None:
            self.line = min(max(line, 1), max(len(self.content.lines), 1))

    @staticmethod
    def _loop_line(content: SourceContent) -> int | None:
        loop = content.seen.loop
        return loop[1] if loop is not None and loop[0] == content.file else None

    @property
    def _rows(self) -> int:
        """The lines of the program that fit, above the readout."""
        return max(self.content_size.height - 1, 1)

    def _style(self, role: str) -> Style:
        return self.get_component_rich_style(f"source--{role}")

    def redraw(self) -> None:
        """Make all lines."""
        content, (width, height) = self.content, self.content_size
        if content is None or height < 1:
            return
        seen, rows = content.seen, self._rows
        self._top = min(max(self._top, self.line - rows), max(self.line - 1, 0))
        self._top = min(self._top, max(len(content.lines) - rows, 0))
        code = coloured(content.lines)
        shown = range(self._top, min(self._top + rows, len(content.lines)))
        with_values = {each.line for each in seen.seen.lines if each.file == content.file}
        longest = max(
            (len(content.lines[at].expandtabs(4)) for at in shown if at + 1 in with_values),
            default=0,
        )
        room = width - MARGIN
        wide = min(longest, max(room - max(LEAST_VALUES, room // 3) - 2, room // 2))
        strips = [self._strip(content, code[at], at + 1, width, wide) for at in shown]
        blank = Strip.blank(width, self.rich_style)
        strips += [blank for _ in range(rows - len(strips))]
        if height > 1:
            readout = Segment(self._readout(content, width), self._style("readout"))
            strips.append(Strip([readout]).adjust_cell_length(width, self.rich_style))
        self._caption(content)
        self.put(strips)

    def _strip(
        self,
        content: SourceContent,
        code: tuple[tuple[str, str], ...],
        line: int,
        width: int,
        wide: int,
    ) -> Strip:
        """One line: mark, number, loop, code, values."""
        seen = content.seen
        letter, role = MARKS.get(seen.marks.get((content.file, line), ""), (" ", "margin"))
        segments = [
            Segment(letter, self._style(role)),
            Segment(f"{line:4d}", self._style("margin")),
            Segment(self._loop_mark(content, line).ljust(2), self._style("loop")),
        ]
        values = seen.seen.on(content.file, line)
        room = width - MARGIN
        pieces = cut(code, wide if values else room)
        segments += [Segment(text, self._style(role)) for text, role in pieces]
        if values:
            used = sum(len(text) for text, _ in pieces)
            left = room - wide - 2
            segments.append(Segment(" " * (wide - used + 2), self._style(CODE)))
            segments.append(Segment(line_text(values, left), self._style("value")))
        strip = Strip(segments).adjust_cell_length(width, self.rich_style)
        if line == self.line:
            ground = self._style("cursor")
            bold = Style(reverse=self.app.no_color)
            strip = strip.apply_style(Style(bgcolor=ground.bgcolor) + bold)
        return strip

    def _loop_mark(self, content: SourceContent, line: int) -> str:
        seen = content.seen
        for loop, mark in ((seen.loop, ">"), (seen.epoch_loop, ">>")):
            if loop is not None and loop[0] == content.file and loop[1] == line:
                return mark
        loop = seen.loop
        if loop is not None and loop[0] == content.file and loop[1] < line:
            return "│" if line <= loop_end(content.lines, loop[1]) else ""
        return ""

    def _caption(self, content: SourceContent) -> None:
        seen = content.seen
        values, shown = seen.seen, f"lines {self._top + 1}-{self._top + self._rows}"
        below = values.problem
        if not below and values.lines:
            last = ", the last" if seen.ended_here and values.update < seen.update else ""
            below = f"values of update {values.update:,}{last}"
            below += "" if values.complete else ", cut off: it does too much to be recorded"
        elif not below and seen.ended_here:
            below = "the loop was left here: no update follows"
        few = len(content.lines) <= self._rows
        name = seen.path if content.file == seen.file else os.path.basename(content.file)
        set_caption(
            self,
            f"Source of {name}" + ("" if few else f", {shown} of {len(content.lines)}"),
            escape(below),
        )

    def _readout(self, content: SourceContent, width: int) -> str:
        """The chosen line in full."""
        seen = content.seen
        mark = _MEANING.get(seen.marks.get((content.file, self.line), ""), "")
        parts = [f"line {self.line}" + (f": {mark}" if mark else "")]
        for each in seen.seen.on(content.file, self.line):
            value = each.last
            name = "returns" if each.target == "<return>" else each.target
            shape = f" {shape_text(value.shape)}" if value.shape else ""
            parts.append(f"{name}{shape} {range_text(value)}")
            parts += [text for text in [gradient_text(value)] if text]
            if value.dead:
                units = ", ".join(map(str, value.dead[:8]))
                parts.append(f"0 on every row: unit {units}")
        return shortened("  ".join(parts), width)

    def copied(self) -> str:
        """The values by line."""
        if self.content is None:
            return ""
        return "".join(
            f"{each.line}\t{each.target}\t{shape_text(each.last.shape)}\t{range_text(each.last)}\n"
            for each in self.content.seen.seen.lines
        )


_MEANING = {
    "wrong": "proven wrong",
    "right": "proven right",
    "not finite": "the first number that is not finite",
    "shape": "a shape changes",
    "doubt": "wrong, but not proven to be this line",
    "stopped": "the program stopped here",
}
