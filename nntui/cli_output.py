"""What commands print beside their text: JSON, and a progress line."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

LONG_TEXT = 100_000
"""Characters that are written at once."""


def print_json(value: dict[str, Any]) -> None:
    """Print ``value`` as one JSON object in one line."""
    click.echo(json.dumps(value, allow_nan=False))


def print_pieces(pieces: Iterator[str]) -> None:
    """Print a text that comes in pieces, in one line; many of them are written at once."""
    waiting, length = list[str](), 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length > LONG_TEXT:
            click.echo("".join(waiting), nl=False)
            waiting, length = [], 0
    click.echo("".join(waiting))


def show_progress(share: float, words: str) -> None:
    """Draw a progress bar with ``words`` on a terminal; ``share`` is from 0 to 1."""
    if progress_is_seen():
        bar = "#" * min(int(30 * share), 30)
        click.echo(f"\r[{bar:<30}] {words:<28}", err=True, nl=False)


def erase_progress() -> None:
    """Erase the progress line, if there is a terminal."""
    if progress_is_seen():
        click.echo("\r\x1b[K", err=True, nl=False)


@contextmanager
def saying(words: str, is_long: bool = True) -> Iterator[None]:
    """Say on a terminal what is being done, until it is over, if it ``is_long``."""
    if is_long and progress_is_seen():
        click.echo(f"\r{words} ...", err=True, nl=False)
    try:
        yield
    finally:
        if is_long:
            erase_progress()


def progress_is_seen() -> bool:
    """Whether standard error is a terminal, so that progress can be shown."""
    return sys.stderr is not None and sys.stderr.isatty()
