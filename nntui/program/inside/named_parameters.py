"""The parameters that were asked for by name: which live values of an update they are."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nntui.program.judge.update.carried import feedback
from nntui.program.judge.update.recorded_update import Recording

MOST_NAMES = 8
"""Names that are told as those that there are."""


class Named(NamedTuple):
    """What was found of the names that were asked for."""

    values: list[str]
    """Live values that have one of these names, each under the first of its own."""
    elements: list[str]
    """Live values within a container that has one of these names, some of them no parameters."""
    unknown: list[str]
    """The names that mean nothing."""


def named(recording: Recording, asked: Sequence[str]) -> Named:
    """The values at the start of ``recording`` that the names ``asked`` mean.

    A name may leave out what a value is reached through: ``W1``, and ``self.W1`` in a method, mean
    ``network.W1``.
    """
    first = {_ends(recording, name): name for name in reversed(recording.changed)}
    values: dict[str, None] = {}
    elements: dict[str, None] = {}
    unknown = []
    for each in asked:
        found = list(_meant(recording, each.strip()))
        for name, is_value in found:
            own = first.get(_ends(recording, name), name)
            (values if is_value else elements)[own] = None
        if not found:
            unknown.append(each)
    return Named(list(values), [each for each in elements if each not in values], unknown)


def _ends(recording: Recording, name: str) -> tuple[int, int]:
    end = recording.end.get(name)
    return recording.start[name].number, -1 if end is None else end.number


def _meant(recording: Recording, asked: str) -> Iterator[tuple[str, bool]]:
    """The names that ``asked`` means, and whether it is all of the name or a container's."""
    for short in (asked, asked.removeprefix("self.")):
        found = False
        for name in recording.start:
            tails = [name] if short == asked else []
            tails += [name[at + 1 :] for at, mark in enumerate(name) if mark in ".:"]
            for tail in tails:
                if tail == short or tail.startswith((f"{short}[", f"{short}.")):
                    found = True
                    yield name, tail == short
                    break
        if found:
            return


def learning_of(recording: Recording, asked: Sequence[str]) -> list[str]:
    """Those of the values ``asked`` for that feed back on themselves."""
    found = named(recording, asked)
    return [name for name in feedback(recording) if name in (*found.values, *found.elements)]


def changed_of(recording: Recording, asked: Sequence[str]) -> list[str]:
    """Those of the values ``asked`` for that change, or of containers that learn."""
    found, learning = named(recording, asked), learning_of(recording, asked)
    return [name for name in recording.changed if name in found.values or name in learning]


def unknown_names(recording: Recording, unknown: Sequence[str], line: int) -> str:
    """In one line, that the loop in ``line`` has no such parameters, and what it has."""
    there = feedback(recording) or recording.changed
    told = ", ".join(there[:MOST_NAMES]) + (", ..." if len(there) > MOST_NAMES else "")
    means = f"its updates change {told}" if there else "it changes no number at all"
    return f"--parameters: no {' and no '.join(unknown)} in the loop in line {line}; {means}"
