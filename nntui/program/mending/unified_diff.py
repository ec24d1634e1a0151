"""The difference between two texts of a program's files, as ``patch -p1`` applies it."""

import difflib
import os
from collections.abc import Iterator, Mapping

CONTEXT = 3
NO_NEWLINE = "\\ No newline at end of file"


def diff_of(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The unified diff of the files in ``after``, which are named as seen from this folder.

    A file that is not below this folder is named alone: the diff applies in its own folder.
    """
    parts = []
    for file in sorted(after):
        name = shown(file)
        name += "\t" if " " in name else ""  # or patch takes what is before the blank
        end = _line_end(file)
        old, new = _lines(before[file]), _lines(after[file])
        lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=CONTEXT)
        for at, line in enumerate(lines):
            body, is_whole = line.rstrip("\n"), line.endswith("\n")
            own = end if at > 1 and is_whole and not body.startswith("@@") else ""
            parts.append(body + own + "\n")
            if not is_whole:
                parts.append(NO_NEWLINE + "\n")
    return "".join(parts)


def without_one(before: str, after: str) -> Iterator[str]:
    """``after`` with one run of changed lines as it was ``before``, for each such run."""
    old, new = _lines(before), _lines(after)
    runs = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for kind, start, stop, begin, end in runs:
        if kind != "equal":
            yield "".join([*new[:begin], *old[start:stop], *new[end:]])


def shown(file: str) -> str:
    """``file`` as a diff names it."""
    name = os.path.relpath(os.path.realpath(file), os.path.realpath(os.getcwd()))
    name = os.path.basename(file) if name.startswith(os.pardir) else name
    return name.replace(os.sep, "/")


def _lines(text: str) -> list[str]:
    return [line + "\n" for line in text.split("\n")[:-1]] + (
        [text.rpartition("\n")[2]] if not text.endswith("\n") and text else []
    )


def _line_end(file: str) -> str:
    """What the lines of ``file`` end with before their newline."""
    try:
        with open(file, "rb") as stream:
            return "\r" if stream.readline().endswith(b"\r\n") else ""
    except OSError:
        return ""
