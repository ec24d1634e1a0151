"""Renders the manual's Markdown as plain text: paragraphs, lists, code blocks and tables."""

import re
import textwrap
from collections.abc import Iterator

WIDTH = 80
"""Maximum columns of a line; code is not wrapped."""
WIDEST = 24
"""Maximum width of a table's columns except the last."""


def plain_text(markdown: str, width: int = WIDTH) -> str:
    """``markdown`` as plain text, at most ``width`` columns wide outside of code."""
    return "\n\n".join(_blocks(markdown, width))


def cells(row: str) -> list[str]:
    """The cells of a table's row; an escaped bar is part of a cell."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip())[1:-1]]


def _blocks(markdown: str, width: int) -> Iterator[str]:
    # Code may hold empty lines, so it is cut out before the rest is split at them.
    for part in re.split(r"^(```.*?^```)$", markdown, flags=re.MULTILINE | re.DOTALL):
        if part.startswith("```"):
            yield textwrap.indent("\n".join(part.splitlines()[1:-1]), "    ")
        else:
            for block in re.split(r"\n{2,}", part.strip("\n")):
                if block.strip():
                    yield _block(block, width)


def _block(block: str, width: int) -> str:
    if block.startswith("#"):
        title = _inline(block.lstrip("# "))
        return title.upper() if block.startswith("# ") else f"{title}\n{'-' * len(title)}"
    if block.startswith("|"):
        return _table(block.splitlines(), width)
    items = re.split(r"\n(?=- |\d+\. )", block)
    return "\n".join(_wrapped(_inline(" ".join(item.split())), width) for item in items)


def _wrapped(text: str, width: int) -> str:
    bullet = re.match(r"- |\d+\. ", text)
    indent = " " * len(bullet[0]) if bullet else ""
    return textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _table(lines: list[str], width: int) -> str:
    """The rows in columns, all but the last as wide as their widest cell."""
    rows = [[_inline(cell) for cell in cells(line)] for line in lines]
    for row in rows:
        row[0] = row[0].replace("`", "")
    del rows[1]
    *columns, _ = zip(*rows, strict=True)
    widths = [min(max(map(len, column)), WIDEST) for column in columns]
    indent = " " * (sum(widths) + 2 * len(widths))
    shown = []
    for *first, last in rows:
        start = "".join(f"{cell:{wide}}  " for cell, wide in zip(first, widths, strict=True))
        shown.append(
            textwrap.fill(
                last,
                width,
                initial_indent=start,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    shown.insert(1, "-" * min(width, max(len(line) for row in shown for line in row.splitlines())))
    return "\n".join(shown)


def _inline(text: str) -> str:
    """``text`` without Markdown's marks; text in backticks is not changed."""
    parts = re.split(r"(`[^`]*`)", text)  # every second one is code
    parts[::2] = map(_unmarked, parts[::2])
    return "".join(parts)


def _unmarked(text: str) -> str:
    text = re.sub(r"\*\*(.+?)\*\*", r"\1", text)
    text = re.sub(r"(?<!\\)\[([^]]+)\]\([^)]+\)", r"\1", text)
    return re.sub(r"\\([|*\[\]])", r"\1", text)
