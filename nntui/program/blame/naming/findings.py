"""Findings: a repair in the words of the program's author, with its line and its numbers."""

import re
from typing import Any

import numpy as np

from nntui.program.blame.evidence.scene import Line, Scene
from nntui.program.blame.evidence.verified import Verified
from nntui.program.blame.naming.kinds import slope_kind, what_it_is
from nntui.program.blame.naming.left_out import is_slope, multiplied, nearer
from nntui.program.blame.repairs.counterfactuals import LocalDerivative, Together
from nntui.program.blame.repairs.repair import Repair, Repairs
from nntui.program.blame.repairs.slope_functions import SlopeFunction
from nntui.program.record.deriving.rules import COPYING
from nntui.program.record.node import Node
from nntui.program.record.places import Places

PROVEN, LIKELY = "proven", "likely"
Finding = dict[str, Any]


def finding(
    scene: Scene,
    code: str,
    where: tuple[str, int] | None,
    cause: str,
    parameters: list[str],
    evidence: str,
    fix: str | None,
    confidence: str = PROVEN,
) -> Finding:
    """One finding in the shape of the JSON contract."""
    file, line = where or (None, None)
    cause = re.sub(rf"` in line {line}(?!\d)", "`", cause)  # the line that is named anyway
    return {
        "code": code,
        "file": file,
        "line": line,
        "text": None if file is None or line is None else source_line(scene.places, file, line),
        "cause": cause,
        "parameters": parameters,
        "evidence": evidence,
        "fix": fix,
        "confidence": confidence,
    }


def of_repairs(scene: Scene, repairs: Repairs) -> list[Finding]:
    """The findings of all repairs; those of one line and kind are one."""
    found: list[Finding] = []
    verified = Verified(scene)
    for at, repair in enumerate(repairs.found):
        if any(_is_within(scene, verified, repair, other) for other in repairs.found[at + 1 :]):
            # What makes it wrong is a slope that is computed elsewhere, and found there.
            continue
        code, cause, fix = _kind(scene, repair)
        where = line_of(scene, repair)
        if code == "derivative-missing":
            where = missing_factor_line(scene, _incomplete(scene, repair) or repair.candidate.node)
        edits = Together(tuple(each.edit for each in repairs.found[: at + 1]))
        evidence = _evidence(scene, repairs, edits, repair)
        same = (code, *(where or (None, None)))
        twin = next((e for e in found if (e["code"], e["file"], e["line"]) == same), None)
        if twin is None:
            names = list(repair.mends)
            found.append(finding(scene, code, where, cause, names, evidence, fix))
            found[-1]["repair"] = _in_source(scene, repair)
        else:
            twin["parameters"] += [name for name in repair.mends if name not in twin["parameters"]]
    return found


def _is_within(scene: Scene, verified: Verified, repair: Repair, other: Repair) -> bool:
    """Whether ``other`` mends a slope, in a function, that the value of ``repair`` is made of."""
    if repair.candidate.is_operand or not isinstance(other.edit, LocalDerivative):
        return False
    where = line_of(scene, other)
    parts = [each for each in verified.beside(repair.candidate.node) if each.place >= 0]
    return any(own_line(scene, each) == where for each in parts) and (
        line_of(scene, repair) != where
    )


def _kind(scene: Scene, repair: Repair) -> tuple[str, str, str]:
    candidate = repair.candidate
    if candidate.is_operand:
        return _operand_kind(scene, repair)
    assert candidate.forward is not None
    if candidate.part:
        name, by = scene.called(candidate.node), _told(scene, candidate.forward)
        return (
            "gradient",
            f"{name} is the derivative by {by} through one of its uses, not through all of them",
            "add up the derivatives that come through each use",
        )
    if isinstance(candidate.edit, LocalDerivative | SlopeFunction):
        assert candidate.before is not None
        lacking = _incomplete(scene, repair)
        inner = nearer(scene, candidate.node, candidate.forward, candidate.before)
        if lacking is not None and inner is not None:
            slope = f"the slope of {_told(scene, candidate.forward)} at {_told(scene, inner)}"
            cause = f"{scene.called(lacking)} is not multiplied by {slope}"
            return "derivative-missing", cause, f"multiply it by {slope}"
        return slope_kind(scene, candidate.node, candidate.forward, candidate.before)
    return what_it_is(scene, candidate.node, candidate.forward)


def _incomplete(scene: Scene, repair: Repair) -> Node | None:
    """The value that lacks a factor before it meets a slope that is right as far as it goes."""
    candidate = repair.candidate
    if not isinstance(candidate.edit, LocalDerivative):
        return None
    assert candidate.forward is not None
    assert candidate.before is not None
    if nearer(scene, candidate.node, candidate.forward, candidate.before) is None:
        return None
    return multiplied(scene, candidate.node)


def _told(scene: Scene, node: Node) -> str:
    """What ``node`` is called, with its line: two values of one name are told apart."""
    name = scene.called(node)
    line = scene.places.places[node.place].line if node.place >= 0 else None
    return name if line is None or " in line " in name else f"{name} (line {line})"


def _in_source(scene: Scene, repair: Repair) -> dict[str, str]:
    """The values of a repair as the program writes them: for whoever writes it as source."""
    candidate, places = repair.candidate, scene.places
    values = {
        "used": candidate.used,
        "meant": candidate.meant,
        "activation": candidate.forward,
        "before": candidate.before,
    }
    return {
        what: node.name or (places.text(node.place) if node.place >= 0 else "")
        for what, node in values.items()
        if node is not None
    }


def _operand_kind(scene: Scene, repair: Repair) -> tuple[str, str, str]:
    candidate = repair.candidate
    used, meant = candidate.used, candidate.meant
    assert used is not None
    assert meant is not None
    text = "" if candidate.line is None else source_line(scene.places, *candidate.line[:2])
    name, other = scene.called(used, text), scene.called(meant)
    if name == other:
        name, other = _told(scene, used), _told(scene, meant)
    if used is meant:
        return (
            "transposed",
            f"{name} is transposed where it should not be, or the reverse",
            f"use {name}.T in place of {name}, or {name} in place of {name}.T",
        )
    if candidate.stale:
        return (
            "update-before-backprop",
            f"{name} is used after it has been updated; the gradient needs its value before",
            f"compute this line before {other} is updated, or use a copy of the old {other}",
        )
    recording = scene.recording
    mask = recording.mask(repair.mends)
    if (
        used.number in scene.forward
        and used.operation != "leaf"
        and recording.depends[used.number] & mask
        and not recording.depends[meant.number] & mask
    ):
        return (
            "own-output-for-input",
            f"the layer's output {name} is used where its input {other} belongs",
            f"use {other} in place of {name}",
        )
    pairs = {(one.number, two.number) for one, two in scene.activations}
    if (used.number, meant.number) in pairs:
        cause = f"the slope is taken at {name} instead of {other}"
        return "derivative-at-a", cause, f"evaluate the slope at {other}"
    if (meant.number, used.number) in pairs:
        return (
            "derivative",
            f"{name} is used where {other} belongs",
            f"use {other} in place of {name}",
        )
    return "gradient", f"{name} is used where {other} belongs", f"use {other} in place of {name}"


def line_of(scene: Scene, repair: Repair) -> tuple[str, int] | None:
    """(file, line) of a repair: the innermost line that the forward pass does not share."""
    candidate = repair.candidate
    of_slope = isinstance(candidate.edit, LocalDerivative) or (
        candidate.is_operand and not candidate.stale
    )
    if of_slope and _is_right_elsewhere(scene, candidate.node):
        # The function is right, and what it is called with here is not.
        lines = scene.lines(candidate.node)
        at = 0 if candidate.line is None else lines.index(candidate.line)
        if at + 1 < len(lines):
            return lines[at + 1][:2]
    if candidate.line is None:
        lines = scene.lines(candidate.node)
        if candidate.node.operation in COPYING and len(lines) > 1:
            return lines[1][:2]  # a function that only puts values together is right
        return own_line(scene, candidate.node)
    if candidate.stale or candidate.used is None:
        return candidate.line[:2]
    line = _calling_line(scene, repair) or candidate.line
    return _alias(scene, repair, _backward_line(scene, candidate.node, line))


def _alias(scene: Scene, repair: Repair, line: tuple[str, int]) -> tuple[str, int]:
    """The line where the wrong value gets the name that it is used by, if it has another too."""
    used, places = repair.candidate.used, scene.places
    assert used is not None
    text = source_line(places, *line)
    for number, node, _ in scene.recording.assignments:
        place = places.places[number]
        target = place.target or ""
        is_alias = (
            node is used
            and target.isidentifier()
            and target != used.name
            and (place.file, place.line) != line
            and "(" not in places.line(place).partition("=")[2]  # not what a call returns
            and places.places[used.place].line != place.line
        )
        if is_alias and re.search(rf"\b{target}\b", text):
            return place.file, place.line
    return line


def missing_factor_line(scene: Scene, node: Node) -> tuple[str, int] | None:
    """The line where the value gets its last name: there the factor that it lacks belongs."""
    calls = [step for step in node.path if not isinstance(step, tuple)]
    found = own_line(scene, node)
    for number, other, path in scene.recording.assignments:
        place = scene.places.places[number]
        inside = [step for step in path if not isinstance(step, tuple)] == calls
        if other is node and place.target not in (None, "<return>") and inside:
            found = place.file, place.line
    return found


def _is_right_elsewhere(scene: Scene, node: Node) -> bool:
    """Whether the same expression, called from another line, gives a true slope."""
    here = [step for step in node.path if not isinstance(step, tuple)]
    for other in scene.recording.nodes:
        there = [step for step in other.path if not isinstance(step, tuple)]
        if (
            other.place != node.place
            or other.operation != node.operation
            or there == here
            or scene.is_forward(other)
        ):
            continue
        for activation, before in scene.activations:
            if is_slope(scene, other, activation, before):
                return True
    return False


def own_line(scene: Scene, node: Node) -> tuple[str, int] | None:
    """(file, line) of ``node``, or of the call that led there from outside the forward pass."""
    lines = scene.lines(node)
    for file, line, _ in lines:
        if (file, line) not in scene.forward_lines:
            return file, line
    return lines[0][:2] if lines else None


def _calling_line(scene: Scene, repair: Repair) -> Line | None:
    """The call that hands the wrong value to a function that is right; None where none does.

    A slope that is written for the activation and is given the pre-activation, or the reverse, may
    as well be wrong itself.
    """
    candidate = repair.candidate
    used, meant, line = candidate.used, candidate.meant, candidate.line
    assert used is not None
    assert meant is not None
    assert line is not None
    pairs = {(one.number, two.number) for one, two in scene.activations}
    handed = used is not meant and used.operation != "leaf"
    if not handed or {(used.number, meant.number), (meant.number, used.number)} & pairs:
        return None
    lines = scene.lines(candidate.node)
    # What a function returns is at hand where it gets a name, outside of that function.
    named = [
        path
        for number, node, path in scene.recording.assignments
        if node is used and scene.places.places[number].target != "<return>"
    ]
    depth = min(
        sum(1 for step in path if not isinstance(step, tuple)) for path in (used.path, *named)
    )
    outer = [each for each in lines[lines.index(line) :] if len(each[2]) <= depth]
    if not outer or outer[0] == line:
        return None
    # A function that is given both values takes the wrong one of them itself.
    text = re.sub(r"^[^=(]*=(?!=)", "", source_line(scene.places, *outer[0][:2]))  # its call
    is_given = scene.called(meant, text) if meant.name else ""
    return None if is_given and re.search(rf"\b{re.escape(is_given)}\b", text) else outer[0]


def _backward_line(scene: Scene, node: Node, line: Line) -> tuple[str, int]:
    """``line``, or the first of the calls around it that the forward pass does not share."""
    lines = scene.lines(node)
    for file, number, _ in lines[lines.index(line) :]:
        if (file, number) not in scene.forward_lines:
            return file, number
    return line[:2]


def _evidence(scene: Scene, repairs: Repairs, edits: Together, repair: Repair) -> str:
    judgement = scene.judgement
    again = repairs.rejudged(edits)
    before, after, states = 0.0, 0.0, 0
    for name in repair.mends:
        known = [each for each in judgement.agreements[name] if each is not None]
        before = max([before, *(each.residual for each in known)])
        now = [each for each in again.agreements[name] if each is not None]
        after = max([after, *(each.residual for each in now)])
        states = max(states, len(now))
    steps = "step of " + ", ".join(repair.mends[:4]) + (", ..." if len(repair.mends) > 4 else "")
    if before < 1e-3:
        shown = "is proportional to the gradient, but by a factor that changes with the weights"
    else:
        shown = f"is up to {100 * min(before, 1.0):.3g} % off the gradient"
    left = f"{after:.1g}" if after > 1e-15 else "rounding"
    return f"the {steps} {shown}; with this mended they agree to {left} in {states} states"


def source_line(places: Places, file: str, line: int) -> str:
    """The line ``line`` of ``file``, counted from 1, without the blanks around it."""
    lines = places.sources.get(file, [])
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def finite(value: float) -> float | None:
    """``value``, or None where JSON has no number for it."""
    return float(value) if np.isfinite(value) else None
