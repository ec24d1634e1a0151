"""What a program carries from one update to the next: parameters, optimiser memory, the rest."""

from collections.abc import Iterable

import numpy as np

from nntui.program.judge.update.rebound_data import is_rebound_data
from nntui.program.judge.update.recorded_update import (
    ADDING_AT,
    PASSING,
    Recording,
    operand,
    origin,
)
from nntui.program.record.deriving.rules import COPYING
from nntui.program.record.node import Node, Ref

ADDING = PASSING | ADDING_AT | {"+", "-", "setflat"}
"""Operations through which a value is added to or handed on."""
ROUNDING = 1e-9


HANDING = COPYING | ADDING_AT | {"setflat", "unview", "where", "clip", "maximum", "minimum"}
"""Operations that hand on what a parameter was, if not all of it."""


def increments(recording: Recording, name: str) -> int:
    """The bits of what is added to ``name``, apart from its own value at the start, scaled or not.

    A learning rate that decays is a multiple of itself: nothing is added to it.  A multiple that
    stands beside the value itself is added to it, as where a bias is changed by a part of itself.
    """
    start, bit = recording.start[name], recording.bit[name]
    found, seen = 0, set()

    def is_start(node: Node, scaled: bool) -> bool:
        if node is start:
            return True
        handed_on = node.operation in ("view", "take", "unview") and node.inputs
        own = [each for each in node.inputs if recording.depends[each.number]]
        passes = handed_on or (scaled and _is_scaled(recording, node))
        return bool(passes) and all(is_start(each, scaled) for each in own)

    itself = multiples = False
    waiting = [recording.end[name]]
    while waiting:
        node = waiting.pop()
        if node.number in seen:
            continue
        if is_start(node, scaled=True):
            plain = is_start(node, scaled=False)
            itself, multiples = itself or plain, multiples or not plain
            continue
        seen.add(node.number)
        if node.operation in ADDING and recording.depends[node.number] & bit:
            waiting += node.inputs
        else:
            found |= recording.depends[node.number]
    return found | bit if itself and multiples else found


def added(recording: Recording, names: Iterable[str]) -> set[int]:
    """The numbers of the nodes that are added, perhaps scaled, to the values ``names``."""
    known = [_moving(recording, name) for name in names if name in recording.end]
    return set().union(*known)


def _is_scaled(recording: Recording, node: Node) -> bool:
    """Whether ``node`` is a multiple of one value by what depends on nothing that changes."""
    return node.operation in ("*", "/", "neg") and (
        sum(1 for each in node.inputs if recording.depends[each.number]) == 1
    )


def is_added_to(recording: Recording, name: str) -> bool:
    """Whether the end of ``name`` is its start, perhaps scaled, plus something."""
    return retention(recording, name) != 0.0


def retention(recording: Recording, name: str) -> float:
    """How many times the start of ``name`` its end holds, as what is added to: 1 without decay.

    0 where it is replaced. Where parts of it are written, or an array scales it, it counts as
    kept.
    """
    start, bit = recording.start[name], recording.bit[name]
    known: dict[int, float] = {start.number: 1.0}

    def of(node: Node) -> float:
        if node.number not in known:
            known[node.number] = of_new(node)
        return known[node.number]

    def of_new(node: Node) -> float:
        if not recording.depends[node.number] & bit or node.operation == "leaf":
            return 0.0
        if node.operation in PASSING and len(node.inputs) == 1:
            return of(node.inputs[0])
        if node.operation in ("+", "-") and len(node.arguments) == 2:
            signs = (1.0, 1.0 if node.operation == "+" else -1.0)
            pairs = ((sign, operand(node, at)) for at, sign in enumerate(signs))
            return sum(sign * of(each) for sign, each in pairs if each is not None)
        if node.operation == "neg":
            return -of(node.inputs[0])
        scaled = [each for each in node.inputs if recording.depends[each.number]]
        if node.operation in ("*", "/") and len(scaled) == 1 and of(scaled[0]):
            return of(scaled[0]) * _scale(node, scaled[0])
        if node.operation in HANDING:
            return max((of(each) for each in node.inputs), default=0.0, key=abs)
        if node.operation in ("*", "/") and np.size(node.inputs[-1].value) == 1:
            return of(node.inputs[0])  # made to a length, for example
        return 0.0

    return of(recording.end[name])


def _scale(node: Node, scaled: Node) -> float:
    """How many times ``scaled`` its product ``node`` with something fixed is, by the lengths.

    Of what is 0 everywhere any multiple is 0, so that a number it is multiplied with is asked.
    """
    before, after = (float(np.linalg.norm(each.value)) for each in (scaled, node))
    if before:
        along = float(np.sum(np.asarray(scaled.value) * node.value))
        return float(np.sign(along)) * after / before
    for at in (0, 1):
        if operand(node, at) is not scaled:
            given = node.arguments[at]
            value = given.node.value if isinstance(given, Ref) else given
            if np.size(value) == 1:
                number = float(np.ravel(value)[0])
                return number if node.operation == "*" else 1 / number if number else 1.0
    return 1.0


def feedback(recording: Recording) -> list[str]:
    """The values that are added to, by an amount that depends in the end on themselves.

    These are the parameters that learn, before anything is known of a loss. A running sum of
    losses is fed by them and feeds none; a momentum depends on no start value of its own kind.
    """
    names, bit = recording.changed, recording.bit
    feeding = _closed([increments(recording, name) for name in names])
    fed_by = dict(zip(names, feeding, strict=True))
    """By name, the bits of all that feed it in the end."""
    own = [name for name in names if fed_by[name] & bit[name]]
    own = [name for name in own if is_added_to(recording, name)]
    own = [name for name in own if not _is_average(recording, name, own)]
    data = [name for name in own if is_rebound_data(recording, name)]
    if len(data) < len(own):  # where nothing else learns, a function of itself is minimised
        own = [name for name in own if name not in data]
    feeds_others = dict.fromkeys(names, False)
    for name in names:
        others = fed_by[name] & ~bit[name]
        for other in names:
            if others & bit[other]:
                feeds_others[other] = True
    of_own = recording.mask(own)
    return [name for name in own if feeds_others[name] or not fed_by[name] & of_own & ~bit[name]]


def _closed(sources: list[int]) -> list[int]:
    """The same for what feeds these sources in turn; bit k stands for the k-th.

    A program that has its weights one by one has hundreds of them.
    """
    found = list(sources)
    for at, through in enumerate(found):
        for one, each in enumerate(found):
            if each >> at & 1:
                found[one] = each | through
    return found


def memories(recording: Recording, parameters: Iterable[str]) -> list[str]:
    """Optimiser memory: fed by the parameters' gradients, and feeding their updates.

    A learning rate that decays feeds the updates and is fed by nothing; a running mean of the
    activations is fed and feeds nothing.
    """
    parameters = list(parameters)
    of_parameters = recording.mask(parameters)
    updates = 0
    for name in parameters:
        updates |= recording.depends[recording.end[name].number]
    found = []
    for name in recording.changed:
        if name in parameters or not updates & recording.bit[name]:
            continue
        if increments(recording, name) & of_parameters:
            found.append(name)
    return found


def is_look_ahead(
    recording: Recording, name: str, parameters: Iterable[str], forward: set[int]
) -> bool:
    """Whether the loss sees ``name`` only as an offset of a parameter, as Nesterov's does.

    ``forward`` holds the numbers of the nodes that the loss is computed from.
    """
    end = recording.end[name].number
    fed = [other for other in parameters if other != name and end in _moving(recording, other)]
    own = {recording.start[other].number for other in fed}
    waiting, seen = [recording.start[name]], set()
    while waiting:
        node = waiting.pop()
        for user in recording.users[node.number]:
            if user.number in seen or user.number not in forward:
                continue
            seen.add(user.number)
            others = [origin(each) for each in user.inputs if each is not node]
            if user.operation in ("+", "-") and any(each.number in own for each in others):
                return True
            if user.operation in ("*", "/", "neg") and not any(
                recording.depends[each.number] for each in others
            ):
                waiting.append(user)
    return False


def _is_average(recording: Recording, name: str, others: Iterable[str]) -> bool:
    """Whether ``name`` ends as a mean of itself and of the new value of one of ``others``.

    A copy of a network that follows it slowly is one; it learns nothing of its own.
    """
    start, end = recording.start[name], recording.end[name]
    ends = {recording.end[other].number for other in others if other != name} - {end.number}
    shares = {end.number: 1.0}
    mixed: dict[int, float] = {}
    for node in reversed(recording.nodes[: end.number + 1]):
        share = shares.get(node.number)
        if share is None or not recording.depends[node.number]:
            continue
        if node is start or node.number in ends:
            mixed[node.number] = share
            continue
        summands = _summands(recording, node)
        if not summands:
            return False
        for each, factor in summands:
            shares[each.number] = shares.get(each.number, 0.0) + share * factor
    if len(mixed) != 2 or start.number not in mixed:
        return False
    return 0.0 < mixed[start.number] < 1.0 and abs(sum(mixed.values()) - 1.0) < ROUNDING


def _summands(recording: Recording, node: Node) -> list[tuple[Node, float]]:
    """The values that ``node`` is a sum of, with their factors; empty where it is none."""
    if node.operation in ("+", "-") and len(node.inputs) == 2:
        return [(node.inputs[0], 1.0), (node.inputs[1], 1.0 if node.operation == "+" else -1.0)]
    if node.operation in PASSING and len(node.inputs) == 1:
        return [(node.inputs[0], 1.0)]
    if node.operation in ("*", "/") and _is_scaled(recording, node):
        values = [each.node if isinstance(each, Ref) else each for each in node.arguments]
        own = next(each for each in node.inputs if recording.depends[each.number])
        by = [each.value if isinstance(each, Node) else each for each in values if each is not own]
        if (
            len(by) == 1
            and np.size(by[0]) == 1
            and not (node.operation == "/" and values[1] is own)
        ):
            number = float(np.ravel(by[0])[0])
            if node.operation == "*":
                return [(own, number)]
            return [(own, 1.0 / number)] if number else []
    return []


def is_updated_between(recording: Recording, name: str, forward: set[int]) -> bool:
    """Whether the loss is computed with values of ``name`` from amidst the iteration.

    Then the line that updates it runs several times, each time with a gradient of its own.
    """
    end = recording.end[name]
    waiting, seen = list(end.inputs), set()
    while waiting:
        node = waiting.pop()
        if node.number in seen or node is recording.start[name]:
            continue
        seen.add(node.number)
        is_same_line = end.place >= 0 and node.place == end.place
        if is_same_line and node.operation == end.operation and node.number in forward:
            return True
        if node.operation in ADDING:
            waiting += node.inputs
    return False


def _moving(recording: Recording, name: str) -> set[int]:
    """The numbers of the nodes that, perhaps scaled, are added to ``name``."""
    known = recording.moving.get(name)
    if known is not None:
        return known
    waiting = [recording.end[name]]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node.number in seen:
            continue
        seen.add(node.number)
        adds = node.operation in ADDING or _is_scaled(recording, node)
        if adds and node is not recording.start[name]:
            waiting += node.inputs
    recording.moving[name] = seen
    return seen


def made_from(recording: Recording) -> dict[str, Node]:
    """Values that first appear in the recording, by name, with what they are an update of.

    Some programs keep initial values apart, and copy and update them in the first iteration.
    """
    found = {}
    leaves = {node.number for name, node in recording.start.items() if np.size(node.value)}
    for name, end in recording.end.items():
        if name in recording.start or end.operation == "leaf":
            continue
        waiting, seen = [end], set()
        while waiting:
            node = waiting.pop()
            if node.number in leaves and node.operation == "leaf":
                if np.asarray(node.value).dtype.kind == "f":
                    found[name] = node
                break
            if node.number not in seen and node.operation in ADDING:
                seen.add(node.number)
                waiting += reversed(node.inputs)
    return found
