"""What the editor wants to be asked, for a screen above the panels to ask it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nntui.presets.editing.entries import Changes
from nntui.presets.editing.option import Option, Question


@dataclass(frozen=True)
class OneOf:
    """Which of the options; ``answered`` gets it, unless it is the present one."""

    title: str
    options: Sequence[Option]
    effect: str
    """What another value than the present one will do."""
    answered: Callable[[Option], None]
    about: str = ""
    """What the value is for."""


@dataclass(frozen=True)
class SomeOf:
    """Which of the options together; ``answered`` gets their words."""

    title: str
    options: Sequence[Option]
    effect: str
    answered: Callable[[list[str]], None]
    about: str = ""


@dataclass(frozen=True)
class Written:
    """A text of one line, or of many."""

    question: Question
    answered: Callable[[Changes], None]
    lines: bool = False


EditorQuestion = OneOf | SomeOf | Written
