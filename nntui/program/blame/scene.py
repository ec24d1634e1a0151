"""What is known when a wrong update is explained: the judgement, its values, and who is who."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from nntui.program.judge.recorded_update import PASSING, Recording, ancestors
from nntui.program.judge.verdict import Judgement
from nntui.program.record.adjoints import NotDifferentiableError, adjoints
from nntui.program.record.node import Node
from nntui.program.record.places import Places

Array = np.ndarray
Line = tuple[str, int, tuple[Any, ...]]
"""(file, line, calls): a line, as it was reached."""
SUMS = frozenset({"+", "-", "@", "dot", "sum", "leaf", "einsum", "take"})
LONGEST = 44
"""Characters of an expression that stands for a value without a name."""
HANDING_ON = PASSING - {"float", "item", "astype"}


class Scene:
    """A judgement with wrong parameters, seen from the most informative recordings."""

    def __init__(self, judgement: Judgement, places: Places) -> None:
        self.judgement, self.places = judgement, places
        self.recordings = judgement.recordings
        self.at = self.informative[0]
        """The recording that candidates are taken from."""
        self._forward: dict[int, set[int]] = {}
        self._locals: dict[tuple[int, Any], dict[int, Array]] = {}

    @cached_property
    def informative(self) -> list[int]:
        """Recordings with gradients, those first in which most wrong steps show."""
        known = [at for at, each in enumerate(self.judgement.gradients) if each is not None]

        def shown(at: int) -> float:
            found = [self.judgement.agreements[name][at] for name in self.judgement.wrong]
            felt = [each for each in found if each is not None and each.factor]
            return len(felt) + 2 * sum(1 for each in felt if not each.holds)

        return sorted(known, key=lambda at: (-shown(at), at))

    @property
    def recording(self) -> Recording:
        """The recording that candidates are taken from."""
        return self.recordings[self.at]

    def true(self, at: int) -> Mapping[int, Array]:
        """The true derivatives of the loss in recording ``at``, by node number."""
        return self.judgement.gradients[at] or {}

    def slope(self, at: int, activation: Any) -> Mapping[int, Array]:
        """The derivative of the value with the key ``activation`` by what it is made of."""
        if (at, activation) not in self._locals:
            recording = self.recordings[at]
            node = recording.by_key.get(activation)
            found = {}
            if node is not None:
                with np.errstate(all="ignore"):
                    ones = {node: np.ones(np.shape(node.value))}
                    found = adjoints(recording.nodes, ones, needed=recording.needed)
            self._locals[at, activation] = found
        return self._locals[at, activation]

    @cached_property
    def forward(self) -> set[int]:
        """Numbers of the nodes that the loss is computed from."""
        return ancestors(self.judgement.loss.tops(self.recording))

    def forward_of(self, at: int) -> set[int]:
        """Numbers of the nodes that the loss of recording ``at`` is computed from."""
        if at == self.at:
            return self.forward
        if at not in self._forward:
            self._forward[at] = ancestors(self.judgement.loss.tops(self.recordings[at]))
        return self._forward[at]

    @cached_property
    def forward_nodes(self) -> list[Node]:
        """Nodes on the way from the parameters to the loss that have a true derivative."""
        recording, true = self.recording, self.true(self.at)
        return [
            node
            for node in recording.nodes
            if node.number in self.forward
            and recording.depends[node.number]
            and node.number in true
            and node.operation != "view"
        ]

    @cached_property
    def likely_meant(self) -> list[Node]:
        """Forward values that a program differentiates by: with a name, or sums and products."""
        pairs = {node.number for pair in self.activations for node in pair}
        return [
            node
            for node in self.forward_nodes
            if node.name or node.operation in SUMS or node.number in pairs
        ]

    def is_forward(self, node: Node) -> bool:
        """Whether ``node`` is a forward value or a part or view of one."""
        return self._is_forward[node.number]

    @cached_property
    def _is_forward(self) -> list[bool]:
        found: list[bool] = []
        for node in self.recording.nodes:
            handed_on = node.operation in HANDING_ON and all(
                found[each.number] for each in node.inputs
            )
            found.append(node.number in self.forward or node.operation == "leaf" or handed_on)
        return found

    def backward(self, wrong: Iterable[str]) -> list[Node]:
        """The nodes between the loss and the ends of the parameters ``wrong``."""
        recording = self.recording
        behind = ancestors(recording.end[name] for name in wrong)
        return [
            node
            for node in recording.nodes
            if node.number in behind
            and recording.depends[node.number]
            and not self.is_forward(node)
        ]

    @cached_property
    def activations(self) -> list[tuple[Node, Node]]:
        """(activation, pre-activation): values of one shape, one computed from the other alone."""
        recording = self.recording
        heads = [
            node
            for node in self.forward_nodes
            if node.operation not in ("leaf", "@", "dot")
            and (
                node.name
                or any(user.operation in ("@", "dot", "-") for user in recording.users[node.number])
            )
        ]
        made = {"+", "@", "dot", "-", "*", "sum", "view", "take"}
        found = []
        for head in heads[:16]:
            try:
                behind = self.slope(self.at, head.key)
            except NotDifferentiableError:
                continue
            for number in behind:
                node = recording.nodes[number]
                if (
                    node is not head
                    and node.operation in made
                    and np.shape(node.value) == np.shape(head.value)
                ):
                    found.append((head, node))
        return found[:48]

    @cached_property
    def parameter_starts(self) -> dict[int, str]:
        """Parameters by the number of the node that they start as."""
        return {
            self.recording.start[name].number: name
            for name in self.judgement.parameters
            if name in self.recording.start
        }

    def lines(self, node: Node) -> list[Line]:
        """(file, line, calls) from the innermost call of ``node`` outwards."""
        calls = tuple(step for step in node.path if not isinstance(step, tuple))
        found = []
        if node.place >= 0:
            place = self.places.places[node.place]
            found.append((place.file, place.line, calls))
        for depth in range(len(calls) - 1, -1, -1):
            place = self.places.places[calls[depth]]
            found.append((place.file, place.line, calls[:depth]))
        return found

    @cached_property
    def forward_lines(self) -> set[tuple[str, int]]:
        """(file, line) of the forward pass; a backward value may be computed there, too."""
        return {
            (place.file, place.line)
            for node in self.recording.nodes
            if node.number in self.forward and node.place >= 0
            for place in [self.places.places[node.place]]
        }

    def called(self, node: Node, text: str = "") -> str:
        """What the program calls ``node``: its name, or its source and line.

        What a function of the program returns is called by the call, not by the function's source.
        Of several names that in the source ``text`` is preferred.
        """
        for number, assigned, _ in self.recording.assignments if text else ():
            target = self.places.places[number].target or ""
            if assigned is node and re.search(rf"(?<![\w.]){re.escape(target)}(?!\w)", text):
                return target
        if node.name:
            return node.name
        number = self._calls.get(node.number, node.place)
        if number < 0:
            return "a value"
        text = " ".join(self.places.text(number).split())
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
        return f"`{text}` in line {self.places.places[number].line}"

    @cached_property
    def _calls(self) -> dict[int, int]:
        """By node that a function of the program returns, the place of the call."""
        found: dict[int, int] = {}
        for number, node, path in self.recording.assignments:
            calls = [step for step in path if not isinstance(step, tuple)]
            if self.places.places[number].target == "<return>" and calls:
                found.setdefault(node.number, calls[-1])
        return found
