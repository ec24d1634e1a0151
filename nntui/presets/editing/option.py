"""Option: one of the values that an entry may have, to be chosen from a list."""

from collections.abc import Callable
from dataclasses import dataclass

from nntui.presets.editing.entries import Changes


def _nothing() -> Changes:
    return {}


@dataclass(frozen=True)
class Question:
    """What is to be typed: ``read`` makes the change of it, or raises ConfigError."""

    title: str
    hint: str
    read: Callable[[str], Changes]
    value: str = ""
    """What is written there at first."""


@dataclass(frozen=True)
class Option:
    """A value as a word, and what it is; ``make`` gives the change, or raises ConfigError."""

    words: str
    make: Callable[[], Changes] = _nothing
    about: str = ""
    present: bool = False
    """Whether it is the value in force."""
    asks: Question | None = None
    """What is asked first; its answer makes the change."""
