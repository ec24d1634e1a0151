"""Edits of a program's source, each of a few characters or lines, that can be put together."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import total_ordering

Position = tuple[int, int]
"""A line, from 1, and a column in characters, from 0."""
HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")


@total_ordering
@dataclass(frozen=True)
class Edit:
    """What stands from ``start`` up to ``end`` is replaced by ``new``."""

    file: str
    start: Position
    end: Position
    new: str

    def __lt__(self, other: "Edit") -> bool:
        return (self.file, self.start, self.end) < (other.file, other.start, other.end)

    @property
    def added_lines(self) -> int:
        """By how many lines the text grows."""
        return self.new.count("\n") - (self.end[0] - self.start[0])


Edits = tuple[Edit, ...]


def overlap(one: Iterable[Edit], other: Iterable[Edit]) -> bool:
    """Whether two groups of edits touch the same characters."""
    others = list(other)
    return any(
        mine.file == yours.file and mine.start < yours.end and yours.start < mine.end
        for mine in one
        for yours in others
    )


def edited(texts: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """Those of ``texts``, by file, that ``edits`` change, changed; edits do not overlap."""
    found: dict[str, str] = {}
    for edit in sorted(edits, reverse=True):
        text = found.get(edit.file, texts[edit.file])
        lines = text.splitlines(keepends=True)
        start, end = (_offset(lines, each) for each in (edit.start, edit.end))
        found[edit.file] = text[:start] + edit.new + text[end:]
    return found


def _offset(lines: Sequence[str], position: Position) -> int:
    line, column = position
    return sum(map(len, lines[: line - 1])) + column


def moved(file: str, line: int, edits: Iterable[Edit]) -> int:
    """Where ``line`` of ``file`` is after ``edits``."""
    return line + sum(
        each.added_lines for each in edits if each.file == file and each.end <= (line, 0)
    )


def of_diff(diff: str, files: Sequence[str]) -> Edits:
    """The edits of a unified ``diff`` of ``files``, one for each run of changed lines.

    A part of it is of the file whose path ends as it says, else of the first.
    """
    found: list[Edit] = []
    file, line = files[0], 0
    begin: int | None = None
    new: list[str] = []

    def close() -> None:
        nonlocal begin
        if begin is not None:
            found.append(Edit(file, (begin, 0), (line, 0), "".join(new)))
            begin = None
            new.clear()

    old = left = 0  # lines of the part that are still to come, of the file and of the new text
    for each in diff.splitlines(keepends=True):
        head = HUNK.match(each)
        if old <= 0 and left <= 0:
            close()
            if head:
                line = int(head[1]) + (head[2] == "0")
                old, left = int(head[2] or 1), int(head[3] or 1)
            elif each.startswith("+++ "):
                name = each[4:].split("\t")[0].strip().removeprefix("b/")
                file = next((known for known in files if _ends_as(known, name)), files[0])
        elif each[0] in "-+":
            begin = line if begin is None else begin
            if each[0] == "-":
                line, old = line + 1, old - 1
            else:
                new.append(each[1:] if each.endswith("\n") else f"{each[1:]}\n")
                left -= 1
        elif each[0] != "\\":
            close()
            line, old, left = line + 1, old - 1, left - 1
    close()
    return tuple(found)


def _ends_as(path: str, name: str) -> bool:
    """Whether ``path`` is what ``name``, absolute or relative, may stand for."""
    return path == name or path.endswith(f"/{name.removeprefix('./').lstrip('/')}")
