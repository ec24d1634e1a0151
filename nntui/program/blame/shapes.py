"""Parameters that change their shape, and operations that broadcast a column against a row."""

from typing import Any

import numpy as np

from nntui.program.blame.scene import Scene
from nntui.program.judge.loss_hypotheses import OWN
from nntui.program.judge.recorded_update import Recording, ancestors, operand, origin
from nntui.program.record.node import Node
from nntui.program.record.places import Place, Places

Finding = dict[str, Any]
SCALING = frozenset({"+", "-", "*", "/", "neg", "view", "array", "copy"})
"""What a gradient goes through on its way into an update."""
ELEMENTWISE = frozenset({"+", "-", "*", "/", "**", "maximum", "minimum", "where"})


def broadcasting(recording: Recording, within: set[int]) -> list[Node]:
    """Elementwise operations whose result is larger than each of their operands."""
    found = []
    for node in recording.nodes:
        if node.number not in within or node.operation not in ELEMENTWISE or node.place < 0:
            continue
        sizes = [np.size(argument_value(each)) for each in node.arguments]
        if np.size(node.value) > max(sizes, default=0) and len(sizes) > 1:
            found.append(node)
    return found


def argument_value(argument: Any) -> Any:
    """The value of an argument of a node, recorded or constant."""
    return argument.node.value if hasattr(argument, "node") else argument


def of_growth(recording: Recording, grown: list[str], places: Places) -> list[Finding]:
    """Findings for the parameters ``grown``, whose shape is another after the update."""
    by_line: dict[tuple[str, int], Finding] = {}
    for name in grown:
        start, end = recording.start[name], recording.end[name]
        within = ancestors([end])
        node = _culprit(recording, broadcasting(recording, within), start, end)
        if node is None:
            continue
        number = node.place
        if node is end:
            given = _given_gradient(recording, start, end, places)
            number = node.place if given is None else given
        place = places.places[number]
        before, after = np.shape(start.value), np.shape(end.value)
        shapes = " and ".join(str(np.shape(argument_value(each))) for each in node.arguments[:2])
        key = (place.file, place.line)
        if key in by_line:
            by_line[key]["parameters"].append(name)
            continue
        by_line[key] = {
            "code": "shape-grows",
            "file": place.file,
            "line": place.line,
            "text": places.line(place),
            "cause": f"{name} grows from {before} to {after}: {shapes} broadcast to "
            f"{np.shape(node.value)} "
            + ("here" if number == node.place else f"in line {places.places[node.place].line}"),
            "parameters": [name],
            "evidence": f"shape of {name} before its first update {before}, after it {after}",
            "fix": "give both operands one shape, or sum the gradient over the axis that "
            "broadcasting added",
            "confidence": "proven",
        }
    return list(by_line.values())


def of_array_for_number(name: str, after: list[int], place: Place, places: Places) -> Finding:
    """The finding for a parameter that began as a whole number and has an entry for each row."""
    return {
        "code": "shape-grows",
        "file": place.file,
        "line": place.line,
        "text": places.line(place),
        "cause": f"{name} begins as one number and becomes an array {tuple(after)}, with an entry "
        "for each row of the data",
        "parameters": [name],
        "evidence": f"shape of {name} before its first update (), after it {tuple(after)}",
        "fix": "sum or average its gradient over the rows",
        "confidence": "proven",
    }


def _culprit(recording: Recording, broadcasts: list[Node], start: Node, end: Node) -> Node | None:
    """The first operation whose result has more entries than both operands, and that counts.

    One that merely adds a bias of one row to all samples does not: its operand is the parameter.
    """
    size = np.size(start.value)
    for node in broadcasts:
        shapes = [np.shape(argument_value(each)) for each in node.arguments[:2]]
        if len(shapes) == 2 and _is_column_against_row(shapes[0], shapes[1]):
            return node
    last = None
    for node in recording.nodes:
        if node.number in ancestors([end]) and np.size(node.value) > size and node.place >= 0:
            last = node
    return last


def of_crossing(scene: Scene) -> list[Finding]:
    """A prediction (n,) that meets its target (n, 1) in the loss: each is compared with all.

    The gradient of that loss may well be right, and learns one answer for all samples.
    """
    recording, loss = scene.recording, scene.judgement.loss
    mask = recording.mask(scene.judgement.parameters)
    meetings = recording.by_line.get(loss.key, []) if loss.kind != OWN else []
    for node in [*recording.nodes, *meetings]:
        if node.operation != "-" or node.place < 0:
            continue
        if node.number not in scene.forward and node not in meetings:
            continue
        sides = [operand(node, at) for at in (0, 1)]
        shapes = [np.shape(argument_value(each)) for each in node.arguments[:2]]
        sizes = {int(np.prod(shape)) for shape in shapes}
        if len(shapes) != 2 or len(sizes) != 1 or not _is_column_against_row(*shapes):
            continue
        predicted = [
            each is not None and bool(recording.depends[each.number] & mask) for each in sides
        ]
        if sum(predicted) != 1:
            continue
        prediction = sides[predicted.index(True)]
        assert prediction is not None
        if origin(prediction).number in scene.parameter_starts:
            continue
        place, count = scene.places.places[node.place], sizes.pop()
        told = " and ".join(map(str, shapes))
        return [
            {
                "code": "broadcast",
                "file": place.file,
                "line": place.line,
                "text": scene.places.line(place),
                "cause": f"every prediction is compared with all {count} targets: {told} "
                f"broadcast to {np.shape(node.value)}",
                "parameters": list(scene.judgement.parameters),
                "evidence": f"the loss is made of {np.size(node.value)} differences, where there "
                f"are {count} predictions and {count} targets",
                "fix": "give prediction and target one shape, as with .reshape(-1, 1) or .ravel()",
                "confidence": "proven",
            }
        ]
    return []


def _given_gradient(recording: Recording, start: Node, end: Node, places: Places) -> int | None:
    """The place where what is added to a parameter gets the last name that is its own alone.

    That is where the gradient was not summed; None where the update itself computes it.
    """
    names: dict[int, list[int]] = {}
    starts = {each.number for each in recording.start.values()}
    general = {number for number, node, _ in recording.assignments if node.number in starts}
    for number, node, _ in recording.assignments:
        # What parameters are named by, too, is an argument of something general.
        if places.places[number].target not in (None, "<return>") and number not in general:
            names.setdefault(node.number, []).append(number)
    own = ancestors([start])
    node, found = end, None
    while True:
        given = [
            each
            for each in node.inputs
            if each.number not in own and np.shape(each.value) == np.shape(end.value)
        ]
        if len(given) != 1 or node.operation not in SCALING:
            return found
        node = given[0]
        own_names = names.get(node.number, [])
        alone = len(recording.users[node.number]) == 1
        if own_names and (alone or len(own_names) > 1):
            found = own_names[-1]
        if not alone:
            return found


def _is_column_against_row(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether shapes such as (n,) and (n, 1), or (1, n) and (n, 1), meet."""
    if max(len(one), len(other)) != 2 or 0 in (len(one), len(other)):
        return False
    one, other = (1,) * (2 - len(one)) + one, (1,) * (2 - len(other)) + other
    return (one[0] == 1 != one[1] and other[1] == 1 != other[0]) or (
        other[0] == 1 != other[1] and one[1] == 1 != one[0]
    )
