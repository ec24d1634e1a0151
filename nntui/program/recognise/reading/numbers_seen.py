"""What a program prints or keeps of its training, and the numbers that go into its updates."""

import re
from collections.abc import Collection, Iterator

import numpy as np

from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict.loss_hypotheses import LOSS_NAME, REPORTING
from nntui.program.recognise.description import Constant, Series, Spot
from nntui.program.record.node import Node, Ref
from nntui.program.record.places import Places

FORMATS = ("%", "format")
"""What the recorder calls the ways to put a number into a text."""
Key = tuple[int, int]
"""The place where it is printed or assigned, and the place where it was computed."""


class SeriesSeen:
    """Collects the scalars that recordings print, keep, or assign to the name of a loss."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._found: dict[Key, tuple[str, bool, list[int], list[float]]] = {}

    def add(self, recording: Recording, update: int, parameters: Collection[str]) -> None:
        """Note those of ``recording``, which makes update ``update``."""
        trained = recording.mask(parameters)
        ends = [recording.end[name].number for name in parameters if name in recording.end]
        own = set(ends)
        seen: dict[Key, tuple[str, bool, float]] = {}
        for key, node, printed in self._scalars(recording):
            number = node.number
            touched = (recording.depends[number] | recording.after[number]) & trained
            if not touched or number in own:
                continue
            value = float(np.asarray(node.value).reshape(-1)[0])
            seen[key] = (node.name or "", printed, value)
        for key, (name, printed, value) in seen.items():
            entry = self._found.setdefault(key, (name, printed, [], []))
            entry[2].append(update)
            entry[3].append(value)

    def _scalars(self, recording: Recording) -> Iterator[tuple[Key, Node, bool]]:
        for place, node, function in recording.outputs:
            shown = function in FORMATS or REPORTING.search(function)
            if np.size(node.value) == 1 and shown:
                yield (place, node.place), node, True
        for place, node, _ in recording.assignments:
            target = self._places.places[place].target or ""
            last = re.split(r"[.\[]", target)[-1 if not target.endswith("]") else 0]
            if np.size(node.value) == 1 and LOSS_NAME.search(last):
                yield (place, place), node, False

    def series(self) -> tuple[Series, ...]:
        """All that were seen, what is printed first, then in order of their lines."""
        found = []
        for (place, _), (name, printed, updates, values) in self._found.items():
            spot = spot_of(self._places, place)
            found.append(Series(name, spot, printed, np.array(updates), np.array(values)))
        return tuple(sorted(found, key=lambda each: not each.printed))


def spot_of(places: Places, place: int) -> Spot | None:
    """Where ``place`` is, with its source."""
    if place < 0:
        return None
    found = places.places[place]
    return Spot(found.file, found.line, places.line(place))


def constants_of(recording: Recording, forward: Collection[int], places: Places) -> list[Constant]:
    """The numbers that what depends on the parameters is combined with, outside ``forward``.

    Where such a number is computed, as a rate divided by a count, its parts are among them.
    """
    found: dict[float, Constant] = {}
    everything = (1 << len(recording.changed)) - 1
    waiting = [
        node
        for node in recording.nodes
        if node.number not in forward and recording.depends[node.number] & everything
    ]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        given_numbers = node.arguments[:1] if node.operation == "**" else node.arguments
        for given in given_numbers:  # an exponent tells nothing of a size
            name, place, value = "", node.place, given
            if isinstance(given, Ref):
                inner = given.node
                if recording.depends[inner.number] & everything or inner.number in seen:
                    continue
                seen.add(inner.number)
                name, value = inner.name or "", inner.value
                place = inner.place if inner.place >= 0 else node.place
                if np.size(value) == 1:
                    waiting.append(inner)
            if isinstance(value, (bool, str, list, tuple)) or value is None:
                continue
            array = np.asarray(value)
            if array.size != 1 or array.dtype.kind not in "fiu":
                continue
            number = float(array.reshape(-1)[0])
            if np.isfinite(number) and number not in found:
                found[number] = Constant(number, name, spot_of(places, place))
    return list(found.values())
