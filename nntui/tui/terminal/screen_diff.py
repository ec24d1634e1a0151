"""A model of the terminal's cells, and the fewest bytes that turn it into the next frame.

Textual sends whole lines of widgets; here only cells that differ are sent.  Text is sent in whole
pieces of one style, so that what listens to the stream (a screen reader, a script) finds words.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from nntui.tui.terminal.ascii_glyphs import plain

WORDS = re.compile("[A-Za-z0-9]")
UNKNOWN = "\0"
"""In the place of a character of which it is not known what the terminal shows."""
JUMP = 4
"""Cells that cost no more than moving the cursor over them."""


class ScreenRow:
    """One line: characters (empty right of a wide one) and the codes of their styles."""

    def __init__(self, width: int) -> None:
        self.characters = [" "] * width
        self.codes = [""] * width

    def copy(self) -> "ScreenRow":
        """The same line, for keeps."""
        made = ScreenRow(0)
        made.characters, made.codes = self.characters.copy(), self.codes.copy()
        return made


class ScreenPicture:
    """A screen of ``width`` by ``height`` cells: as it is wanted, and as it was last sent."""

    def __init__(self, width: int, height: int, colours: ColorSystem, *, ascii_only: bool) -> None:
        self.width, self.height = width, height
        self._colours, self._ascii = colours, ascii_only
        self._wanted = [ScreenRow(width) for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """Nothing is known any more of what the terminal shows."""
        self._shown: list[ScreenRow | None] = [None] * self.height
        self._touched = set(range(self.height))
        self._next = 0
        """The line that is sent first where it is not said which."""

    @property
    def is_shown(self) -> bool:
        """Whether all that is wanted was sent."""
        return not self._touched

    def put(self, x: int, y: int, strip: Strip) -> None:
        """Want ``strip`` from column ``x`` of line ``y`` on."""
        if not 0 <= y < self.height:
            return
        self._touched.add(y)
        row = self._wanted[y]
        for text, style, control in strip:
            if control:
                continue
            cells = self._cells(text)[: max(self.width - x, 0)]
            end = x + len(cells)
            row.characters[x:end] = cells
            row.codes[x:end] = [self._code(style)] * len(cells)
            x = end

    def _cells(self, text: str) -> str | list[str]:
        """One entry a column."""
        text = plain(text) if self._ascii else text
        if text.isascii() or cell_len(text) == len(text):
            return text
        cells: list[str] = []
        for character in text:
            columns = cell_len(character)
            if columns:
                cells += [character, *[""] * (columns - 1)]
            elif cells:
                cells[-1] += character
        return cells

    def _code(self, style: Style | None) -> str:
        if style is None:
            return ""
        known = style._ansi
        return Strip.render_ansi(style, self._colours) if known is None else known

    def changes(self, most: int | None = None, first: Sequence[Region] = ()) -> str:
        """What to send so that the terminal shows what is wanted; empty if it does.

        After ``most`` characters it ends with a line, and the others wait for the next call.  What
        lies in the regions ``first`` is sent before the rest, which goes on where it ended.
        """
        sent = _Pieces(self.width)
        for region in first:
            for y in range(region.y, region.bottom):
                if y in self._touched and sent.has_room(most):
                    self._send_part(y, region.x, region.right, sent)
        for y in sorted(self._touched, key=lambda y: (y - self._next) % self.height):
            if not sent.has_room(most):
                break
            self._send_row(y, sent)
            self._next = (y + 1) % self.height
        return sent.text

    def _send_row(self, y: int, sent: "_Pieces") -> None:
        wanted = self._wanted[y]
        for start, end in self._differing(wanted, self._shown[y]):
            sent.put(wanted, start, end, y)
        self._shown[y] = wanted.copy()
        self._touched.discard(y)

    def _send_part(self, y: int, first: int, last: int, sent: "_Pieces") -> None:
        """Send the columns from ``first`` to before ``last`` of a line that was touched."""
        wanted, shown = self._wanted[y], self._shown[y]
        if shown is None:
            shown = self._shown[y] = ScreenRow(self.width)
            shown.characters = [UNKNOWN] * self.width
        for start, end in list(self._differing(wanted, shown)):
            start = self._whole(wanted, max(start, first))[0] if start < last else end
            end = self._whole(wanted, min(end, last) - 1)[1] if start < end else end
            if start < end and first < end:
                sent.put(wanted, start, end, y)
                shown.characters[start:end] = wanted.characters[start:end]
                shown.codes[start:end] = wanted.codes[start:end]

    def _differing(self, wanted: ScreenRow, shown: ScreenRow | None) -> Iterator[tuple[int, int]]:
        """The first and the last column but one of each piece of a line that is to be sent."""
        if shown is None:
            yield 0, self.width
            return
        if wanted.characters == shown.characters and wanted.codes == shown.codes:
            return
        start = end = -1
        for first, last in self._changed(wanted, shown):
            if start >= 0 and first - end > JUMP:
                yield start, end
                start = first
            elif start < 0:
                start = first
            end = last
        if start >= 0:
            yield start, end

    def _changed(self, wanted: ScreenRow, shown: ScreenRow) -> Iterator[tuple[int, int]]:
        """The differing cells; in a piece with words, the whole piece."""
        end = 0
        for _, cells in groupby(wanted.codes):
            start, end = end, end + sum(1 for _ in cells)
            characters = wanted.characters[start:end]
            if (
                characters == shown.characters[start:end]
                and wanted.codes[start:end] == shown.codes[start:end]
            ):
                continue
            text = "".join(characters)
            differing = [
                cell
                for cell in range(start, end)
                if wanted.characters[cell] != shown.characters[cell]
                or wanted.codes[cell] != shown.codes[cell]
            ]
            if WORDS.search(text):
                # Blanks around the words are sent only where something else was.
                left = start + len(text) - len(text.lstrip()) if text.isascii() else start
                right = start + len(text.rstrip()) if text.isascii() else end
                yield min(left, differing[0]), max(right, differing[-1] + 1)
            else:
                for cell in differing:
                    yield self._whole(wanted, cell)

    @staticmethod
    def _whole(row: ScreenRow, cell: int) -> tuple[int, int]:
        """The columns of the character of which ``cell`` is a part."""
        first, last = cell, cell + 1
        while first > 0 and not row.characters[first]:
            first -= 1
        while last < len(row.characters) and not row.characters[last]:
            last += 1
        return first, last


class _Pieces:
    """Pieces of lines that are sent together, and where they leave the cursor and the pen."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._sent: list[str] = []
        self._size = 0
        self._pen, self._at = "", (-1, -1)

    def has_room(self, most: int | None) -> bool:
        """Whether it is not yet ``most`` characters."""
        return most is None or self._size < most

    def put(self, row: ScreenRow, start: int, end: int, y: int) -> None:
        """Add the columns from ``start`` to before ``end`` of ``row``, which is line ``y``."""
        self._add(_move(self._at, start, y))
        for code, cells in groupby(range(start, end), row.codes.__getitem__):
            if code != self._pen:
                self._add(_change_pen(self._pen, code))
                self._pen = code
            self._add("".join(row.characters[cell] for cell in cells))
        self._at = (end, y) if end < self._width else (-1, -1)

    def _add(self, text: str) -> None:
        self._sent.append(text)
        self._size += len(text)

    @property
    def text(self) -> str:
        """All of it, with the pen put down."""
        return "".join([*self._sent, "\x1b[0m" if self._pen else ""])


def _move(at: tuple[int, int], x: int, y: int) -> str:
    if at == (x, y):
        return ""
    if at[1] == y and at[0] < x:
        return f"\x1b[{x - at[0]}C"
    return f"\x1b[{y + 1};{x + 1}H"


def _change_pen(before: str, now: str) -> str:
    if not now:
        return "\x1b[0m"
    return f"\x1b[0;{now}m" if before else f"\x1b[{now}m"
