"""Steps that go up the loss: where between the loss and the parameters the sign turns."""

from nntui.program.blame.evidence.scene import Scene
from nntui.program.blame.evidence.verified import Verified
from nntui.program.blame.naming.findings import Finding, finding, own_line
from nntui.program.judge.update.recorded_update import ancestors
from nntui.program.judge.verdict.judgement import Judgement
from nntui.program.judge.verdict.readings import HandedGradient, Step, is_nonlinear, response
from nntui.program.record.node import Node

UP = -1.0


def of_signs(scene: Scene, repaired: Judgement | None = None) -> list[Finding]:
    """Findings for the parameters whose steps are the gradient's multiple with the wrong sign.

    Those that go down once everything else is ``repaired`` need none.
    """
    judgement = scene.judgement
    mended = set() if repaired is None else {n for n, f in repaired.factors.items() if f > 0}
    uphill = [
        name for name, factor in judgement.factors.items() if factor < 0 and name not in mended
    ]
    if not uphill:
        return []
    downhill = [name for name, factor in judgement.factors.items() if factor > 0]
    chains: dict[str, list[tuple[Node, float]]] = {}
    for alone in (False, True):
        # Where values have another order in every update one recording has to do.
        verified = Verified(scene, alone=alone)
        chains = {name: _chain(scene, verified, name) for name in uphill + downhill}
        if all(chains.values()):
            break
    usual = _first_sign([chains[name] for name in downhill])
    ends = {chains[name][-1][1] for name in downhill if chains[name]}
    by_line: dict[tuple[str, int] | None, list[str]] = {}
    for name in uphill:
        by_line.setdefault(_turning(scene, name, chains[name], usual, ends), []).append(name)
    if not downhill and len(by_line) > 1:
        # One sign that all share is likelier wrong than every update on its own.
        first = {_first(scene, chain) for chain in chains.values() if chain}
        if len(first) == 1 and all(chain[0][1] == UP for chain in chains.values() if chain):
            by_line = {first.pop(): uphill}
    found = []
    for where, names in by_line.items():
        steps = ", ".join(names)
        found.append(
            finding(
                scene,
                "wrong-sign",
                where,
                f"{steps} {'goes' if len(names) == 1 else 'go'} up the loss",
                names,
                _evidence(scene, names),
                "change the sign on this line",
                "proven" if downhill else "likely",
            )
        )
    return found


def _chain(scene: Scene, verified: Verified, name: str) -> list[tuple[Node, float]]:
    """(value, sign) of the backward values of ``name`` that are true derivatives, loss first."""
    recording = scene.recording
    behind = ancestors([recording.end[name]])
    found = []
    for node in recording.nodes:
        if (
            node.number not in behind
            or node is recording.end[name]
            or node.place < 0
            or not recording.depends[node.number]
            or scene.is_forward(node)
        ):
            continue
        sign = verified.sign(node)
        if sign is not None:
            found.append((node, sign))
    return found


def _first_sign(chains: list[list[tuple[Node, float]]]) -> float | None:
    """The sign with which the derivatives of the parameters that go downhill begin."""
    signs = [chain[0][1] for chain in chains if chain]
    return signs[0] if signs and all(sign == signs[0] for sign in signs) else None


def _turning(
    scene: Scene,
    name: str,
    chain: list[tuple[Node, float]],
    usual: float | None,
    ends: set[float],
) -> tuple[str, int] | None:
    """(file, line) where the sign turns on the way to the update of ``name``."""
    update = _where(scene, _memory_or_update(scene, name))
    if scene.judgement.readings[name].climbs or not chain:
        return update
    sign = chain[0][1] if usual is None else usual
    if usual is not None and chain[-1][1] in ends:
        return update  # up to there it is like those that go down
    for node, each in chain:
        if each != sign:
            # A value subtracted from the parameter is turned round by the update itself.
            return _where(scene, node) if not _belongs_to_update(scene, node, name) else update
    if usual is None and sign == UP and not _adds(scene, name, chain):
        return _first(scene, chain)
    return update


def _first(scene: Scene, chain: list[tuple[Node, float]]) -> tuple[str, int] | None:
    """(file, line) of the first backward value, or of the difference that it is made of.

    An error that is squared for the loss serves the way back, too, and its sign matters only there.
    """
    node = chain[0][0]
    for one in node.inputs:
        if one.operation == "-" and one.place >= 0 and scene.is_forward(one):
            return scene.lines(one)[0][:2]
    return _where(scene, node)


def _adds(scene: Scene, name: str, chain: list[tuple[Node, float]]) -> bool:
    """Whether the update adds its last backward value, rather than subtracts it."""
    sign = chain[-1][1]
    gradient = scene.judgement.factors[name]
    return (gradient < 0) == (sign > 0)


def _belongs_to_update(scene: Scene, node: Node, name: str) -> bool:
    return _where(scene, node) == _where(scene, _update(scene, name))


def _update(scene: Scene, name: str) -> Node:
    node = scene.recording.end[name]
    while node.place < 0 and node.inputs:
        node = node.inputs[-1]
    return node


def _memory_or_update(scene: Scene, name: str) -> Node:
    """The line that adds the gradient: to an optimiser's memory if there is one.

    A memory that is added to a parameter has to hold minus the gradients, and one that is
    subtracted the gradients: either way its own line decides.  That of Adam, whose rate comes in
    behind it, holds the gradients.
    """
    recording, reading = scene.recording, scene.judgement.readings[name]
    if isinstance(reading, HandedGradient) and is_nonlinear(
        recording, name, scene.judgement.memories
    ):
        return _turned_memory(scene, name, reading) or _update(scene, name)
    update = _update(scene, name)
    right = [each for each, factor in scene.judgement.factors.items() if factor > 0]
    if right and all(_update(scene, each).operation != update.operation for each in right):
        return update  # the others add where this one subtracts, or the reverse
    behind = ancestors([recording.end[name]])
    for memory in scene.judgement.memories:
        end = recording.end.get(memory)
        if end is not None and end.number in behind and end.place >= 0:
            return end
    return update


def _turned_memory(scene: Scene, name: str, reading: HandedGradient) -> Node | None:
    """The new value of a memory that goes against the gradients that it is to hold."""
    recording = scene.recording
    gradient = recording.by_key.get(reading.key)
    behind = ancestors([recording.end[name]])
    for memory in scene.judgement.memories:
        end = recording.end.get(memory)
        if gradient is None or end is None or end.number not in behind or end.place < 0:
            continue
        if response(recording, gradient, end) < 0:
            return end
    return None


def _where(scene: Scene, node: Node) -> tuple[str, int] | None:
    return own_line(scene, node)


def _evidence(scene: Scene, names: list[str]) -> str:
    judgement = scene.judgement
    states = max(
        sum(1 for each in judgement.agreements[name] if each is not None) for name in names
    )
    factor, reading = judgement.factors[names[0]], judgement.readings[names[0]]
    if isinstance(reading, Step):
        return (
            f"the step of {names[0]} is {-factor:+.6g} times the gradient in {states} states; "
            "downhill it is a negative multiple"
        )
    if not reading.climbs:
        return (
            f"the gradient of {names[0]} that the program computes is {factor:+.6g} times the true "
            f"one in {states} states"
        )
    return (
        f"the step of {names[0]} goes along the gradient that its optimiser is given, not "
        f"against it, in {states} states"
    )
