"""Formats the lines of a script: wrapped lists, comments, indented blocks, arrays."""

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 92
"""Maximum columns of a line before indentation."""


def listed(before: str, items: Sequence[str], after: str) -> str:
    """``before``, the items separated by commas, and ``after``; wrapped if too long."""
    line = f"{before}{', '.join(items)}{after}"
    if len(line) <= WIDTH:
        return line
    rows = [""]
    for item in items:
        if rows[-1] and len(rows[-1]) + len(item) > WIDTH - 6:
            rows.append("")
        rows[-1] += f"{' ' if rows[-1] else ''}{item},"
    return "\n".join([before, *(f"    {row}" for row in rows), after])


def assigned(names: Sequence[str], call: str) -> str:
    """A statement that assigns the tuple that ``call`` returns to ``names``."""
    if len(names) == 1:
        return f"({names[0]},) = {call}"
    line = f"{', '.join(names)} = {call}"
    return line if len(line) <= WIDTH else f"{listed('(', names, ')')} = {call}"


def comment(text: str, first: str = "# ", rest: str = "# ") -> list[str]:
    """``text`` as comment lines; line breaks in it become spaces."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )


def indented(lines: Iterable[str], by: int = 1) -> list[str]:
    """``lines`` (or blocks of lines) indented by ``by`` steps of four columns."""
    return [textwrap.indent(line, "    " * by) for line in lines]


def table(name: str, rows: Iterable[Sequence[float]]) -> str:
    """A statement that makes an array of ``rows``."""
    written = [f"[{', '.join(repr(float(cell)) for cell in row)}]" for row in rows]
    return listed(f"{name} = np.array([", written, "])")


def times(factor: float, product: str) -> str:
    """Source of ``product`` times ``factor``; a factor of 1 is left out."""
    return product if factor == 1.0 else f"{float(factor)!r} * {product}"
