"""Steps that are the gradient's multiple by a factor that changes: by plan, or by a mistake."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from nntui.program.judge.update.recorded_update import Recording, ancestors
from nntui.program.judge.verdict.agreement import CONSTANT, Agreement, spread
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.record.node import Node

Known = Sequence[tuple[int, Agreement]]
"""The recordings that tell something of a parameter, and how its step agrees there."""
Agreements = Mapping[str, Sequence[Agreement | None]]
"""By parameter, the agreement in every recording."""
FEWEST = 3
"""States in which the steps of a parameter alone have to follow a learning rate."""


class PlannedScale:
    """The numbers that a program means its steps to be scaled by: rates, lengths it clips to."""

    def __init__(
        self, loss: Loss, recordings: Sequence[Recording], parameters: Sequence[str]
    ) -> None:
        self._loss, self._recordings, self._parameters = loss, recordings, parameters
        self._rates: list[Node] | None = None

    def explains(self, name: str, known: Known, agreements: Agreements, is_known: bool) -> bool:
        """Whether the factors of ``name``, which vary, follow such a number.

        With ``is_known`` it is enough that they vary as those of the other parameters do.
        """
        return self._keeps_pace(name, known, agreements, is_known) or self._is_rated(name, known)

    @cached_property
    def _arrays(self) -> list[str]:
        return [name for name in self._parameters if np.size(_start(self._recordings, name)) > 1]

    def _keeps_pace(self, name: str, known: Known, agreements: Agreements, is_known: bool) -> bool:
        """Whether the factors of ``name`` vary as those of other arrays do, in every state."""
        ratios = []
        for at, each in known:
            others = [
                other.factor
                for another in self._arrays
                if another != name
                for other in [agreements[another][at]]
                if other is not None and other.holds and other.factor
            ]
            usual = float(np.median(others)) if others else 0.0
            if usual == 0.0:
                return False
            ratios.append(each.factor / usual)
        alike = bool(np.isfinite(ratios).all()) and spread(ratios) <= CONSTANT
        return alike and (is_known or self._is_planned(name, known))

    def _is_rated(self, name: str, known: Known) -> bool:
        """Whether the factors of ``name`` alone follow a learning rate that changes.

        That depends on no weight, and the loss does not depend on it, as it does on the data.
        """
        if len(known) < FEWEST:
            return False
        if self._rates is None:
            self._rates = self._changing_numbers()
        found = [node for node in self._rates if self._follows(known, node)]
        if not found:
            return False
        behind = ancestors([self._recordings[0].end[name]])
        return any(node.number in behind for node in found)

    def _changing_numbers(self) -> list[Node]:
        """Numbers, another in every state, of which neither weights nor the loss are made."""
        recording = self._recordings[0]
        mask = recording.mask(self._parameters)
        forward = ancestors(self._loss.tops(recording))
        found = []
        for node in recording.nodes:
            value = np.asarray(node.value)
            if value.size != 1 or value.dtype.kind not in "fi":
                continue
            if recording.depends[node.number] & mask:
                continue
            same = [each.by_key.get(node.key) for each in self._recordings]
            values = {float(np.ravel(each.value)[0]) for each in same if each is not None}
            if len(values) > 1 and node.number not in forward:
                found.append(node)
        return found

    def _is_planned(self, name: str, known: Known) -> bool:
        """Whether the factors follow a number that the program means its steps to be scaled by.

        That is a learning rate, which depends on no weight, or what a gradient is clipped with,
        which is made of its length. Of a network with one output any error of the output's slope
        scales all steps alike, too, and is no plan.
        """
        for at in {known[0][0], known[-1][0]}:
            recording = self._recordings[at]
            mask = recording.mask(self._parameters)
            behind = ancestors([recording.end[name]])
            for node in recording.nodes:
                if node.number not in behind or np.size(node.value) != 1:
                    continue
                free = not recording.depends[node.number] & mask
                if (free or _is_of_a_length(node)) and self._follows(known, node):
                    return True
        return False

    def _follows(self, known: Known, node: Node) -> bool:
        """Whether the factors are one multiple of the number ``node`` in all states.

        A gradient that is short enough is not clipped: where there is no such number it is 1.
        """
        series = []
        for at, agreed in known:
            same = self._recordings[at].by_key.get(node.key)
            value = 1.0 if same is None else float(np.ravel(same.value)[0])
            series.append(agreed.factor / value if value else np.inf)
        return bool(np.isfinite(series).all()) and spread(series) <= CONSTANT


def _start(recordings: Sequence[Recording], name: str) -> np.ndarray:
    return np.asarray(next(each.start[name].value for each in recordings if name in each.start))


def _is_of_a_length(node: Node) -> bool:
    """Whether a number was made of the length of something, as when a gradient is clipped."""
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop()
        if one.number in seen or np.size(one.value) != 1:
            continue
        seen.add(one.number)
        if one.operation in ("norm", "sqrt"):
            return True
        waiting += one.inputs
    return False
