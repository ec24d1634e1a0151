"""The story of a preset made for some data: what to do first, and what that data will show."""

import math
from collections.abc import Mapping
from typing import Any

from nntui.core.number_text import number_text

DIGITS = 2
"""Significant digits of what is about so large."""


def story_of(question: str, goal: str, pictures: str) -> Mapping[str, Any]:
    """The story's table: ``goal`` says what the goal means, ``pictures`` what the outputs show."""
    return {
        "question": question,
        "happens": "Nothing was trained yet.",
        "shown": "A preset made for this data. Its entries are rules of thumb: change them.",
        "steps": [
            {
                "do": "Train it with {run}.",
                "see": "The loss falls; at the goal, the status line at the top says solved. "
                f"{goal}",
                "perform": ["run"],
                "look": "loss",
            },
            {
                "do": "See what it says with {output}, and in other ways with {output_view}.",
                "see": pictures,
                "perform": ["output"],
            },
            {
                "do": "Not good enough? Ask with {why}, try other first weights with {next_seed}, "
                "or change an entry with {edit}.",
                "see": "A change of the layers or the data begins a branch; {undo} takes it back.",
            },
        ],
    }


def goal_of_numbers(loss: float, variance: float) -> str:
    """What a mean squared error of ``loss`` means, beside the ``variance`` of the targets."""
    missed, guessed = (_about(math.sqrt(each)) for each in (loss, variance))
    return (
        f"The goal, a mean squared error of {number_text(loss)}, is a typical miss of about "
        f"{missed}; always saying the mean misses by about {guessed}."
    )


def goal_of_classes(loss: float) -> str:
    """What a cross-entropy of ``loss`` means."""
    share = _about(math.exp(-loss))
    return (
        f"The goal, a cross-entropy of {number_text(loss)}, is a probability of about {share} for "
        "the right class."
    )


def _about(value: float) -> str:
    return number_text(float(number_text(value, DIGITS)))


def pictures_of(inputs: int, outputs: int, *, classes: bool, tested: bool) -> str:
    """What the app shows first of a network with so many inputs and outputs, and of test rows."""
    if inputs == 1:
        marked = "o are the rows, t those kept for testing" if tested else "o are the rows"
        return f"What it says for each value of the input, as a curve; {marked}."
    if inputs == 2:
        part = "0.5" if classes else "0"
        told = f"Each place has the colour of the output there: orange above {part}, blue below. "
        told += f"o are the rows with a target above {part}, x the others."
        if outputs > 1:
            told = "Each place has the colour of the class that wins there; the numbers are the "
            told += "rows' own classes."
        return told + (" In the table, a t marks the rows kept for testing." if tested else "")
    if classes:
        told = "A line is a class, a column what its rows are taken for."
        return told + (" The rows kept for testing have a table of their own." if tested else "")
    told = "Row by row the target, the output and the error."
    return told + (" A t marks the rows kept for testing." if tested else "")
