"""Findings beside the wrong line: parameters never updated, another loss, code never called."""

import ast
import re
from contextlib import suppress
from statistics import median_low
from typing import Any

import numpy as np

from nntui.program.blame.evidence.scene import Scene
from nntui.program.blame.evidence.verified import Verified
from nntui.program.blame.naming.findings import Finding, finding, own_line
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.record.node import Node
from nntui.program.record.places import Places

PARAMETER_NAME = re.compile(
    r"^(w|b|v|u|weights?|bias(es)?|theta|beta|gamma|kernels?|coef\w*|intercept\w*|wih|who|syn)"
    r"[_\d]*(ih|ho|hh|xh|hy|in|out|hidden|output|h|o|x|y)?[_\d]*$",
    re.IGNORECASE,
)
"""Names that programs give to weights and biases."""
PART_OF_A_NAME = re.compile(r"bias|weight|kernel|theta", re.IGNORECASE)
NOT_TRAINED = re.compile(r"sample|class|loss|row", re.IGNORECASE)
"""In the names of weights that a loss gives to rows or classes."""
SLOPE_NAME = re.compile(r"deriv|prime|grad|backward|backprop|slope|_d$|^d_|delta", re.IGNORECASE)


def stem(name: str) -> tuple[str, str]:
    """(container, name without its number) of a live value's name."""
    plain = re.sub(r"\[[^\]]*[\d'\"][^\]]*\]$", lambda m: re.sub(r"\d+", "", m.group()), name)
    head, _, last = plain.rpartition(".")
    return head, re.sub(r"\d+", "", last)


def never_updated(scene: Scene) -> list[str]:
    """Arrays that the loss depends on, that look like parameters, and that no update changes."""
    recording, judgement = scene.recording, scene.judgement
    known = {stem(name) for name in judgement.parameters}
    found = []
    for name, start in recording.start.items():
        if name in judgement.parameters or any(
            each.end.get(name) is not each.start.get(name) for each in scene.recordings
        ):
            continue
        value = np.asarray(start.value)
        if value.dtype.kind != "f" or start.number not in scene.forward:
            continue
        bare = stem(name)[1].rpartition(":")[2]
        bare = re.sub(r"^.*\[['\"]?|['\"]?\]$", "", bare).strip("_")
        alike = stem(name) in known or _is_a_parameters_name(bare)
        if alike and np.any(scene.true(scene.at).get(start.number, 0.0)):
            found.append(name)
    return found


def _is_a_parameters_name(bare: str) -> bool:
    if PARAMETER_NAME.match(bare):
        return True
    return PART_OF_A_NAME.search(bare) is not None and NOT_TRAINED.search(bare) is None


def of_never_updated(scene: Scene, names: list[str]) -> list[Finding]:
    """The findings for parameters that no update changes."""
    found = []
    for name in names:
        where = _where_used(scene, name)
        found.append(
            finding(
                scene,
                "never-updated",
                where,
                f"{name} is never updated, though the loss depends on it",
                [name],
                f"{name} is unchanged by all {len(scene.recordings)} updates looked at",
                f"subtract the learning rate times the gradient with respect to {name} in every "
                "update",
                "likely",
            )
        )
    return found


def _where_used(scene: Scene, name: str) -> tuple[str, int] | None:
    """Where its new value goes to another name, or else the last update of another parameter."""
    recording = scene.recording
    start = recording.start[name]
    for node in recording.users[start.number]:
        if node.operation in ("+", "-") and node.place >= 0 and node.number not in scene.forward:
            place = scene.places.places[node.place]
            return place.file, place.line
    best = None
    for other in scene.judgement.parameters:
        node = scene.recording.end[other]
        if node.place >= 0:
            place = scene.places.places[node.place]
            if best is None or place.line > best[1]:
                best = (place.file, place.line)
    return best


def of_another_loss(scene: Scene, printed: Loss) -> Finding:
    """The program computes one loss, and its steps follow another."""
    place = scene.places.places[printed.place] if printed.place >= 0 else None
    kind = scene.judgement.loss.kind.replace("-", " ")
    name = printed.name or "the loss"
    return finding(
        scene,
        "loss-not-minimised",
        None if place is None else (place.file, place.line),
        f"{name} is not what is minimised: the steps follow the {kind}",
        [],
        f"every step is a multiple of the gradient of the {kind}, none of that of {name}",
        f"print the {kind}, or differentiate {name}",
        "proven",
    )


def never_called(places: Places, called: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """Functions that compute a slope or a gradient, and that nothing refers to."""
    trees: dict[str, ast.Module] = {}
    for file, lines in places.sources.items():
        with suppress(SyntaxError):
            trees[file] = ast.parse("\n".join(lines))
    used: set[str] = set()  # in any of the files: a class of one is used in another
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
            elif isinstance(node, ast.ImportFrom):
                used.update(alias.name for alias in node.names)
    return [
        _not_called(file, node, places.sources[file])
        for file, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and SLOPE_NAME.search(node.name)
        and node.name not in used
        and (file, node.name) not in called
    ]


def _not_called(file: str, node: ast.FunctionDef, lines: list[str]) -> Finding:
    return {
        "code": "never-called",
        "file": file,
        "line": node.lineno,
        "text": lines[node.lineno - 1].strip(),
        "cause": f"{node.name} is never called",
        "parameters": [],
        "evidence": "nothing in the program refers to it",
        "fix": "remove it, or use it where it belongs",
        "confidence": "proven",
    }


def of_unexplained(scene: Scene, names: list[str], tried_all: bool) -> Finding:
    """Steps that are wrong, and that no replacement of one value makes right.

    ``tried_all`` is False where the time ran out before every replacement was tried.
    """
    judgement = scene.judgement
    node = scene.recording.end[names[0]]
    first = Verified(scene, alone=True).frontier(names) or Verified(scene).frontier(names)
    if first:
        return _of_first_wrong(scene, names, first[0])
    where = None
    if node.place >= 0:
        place = scene.places.places[node.place]
        where = (place.file, place.line)
    known = [each for name in names for each in judgement.agreements[name] if each is not None]
    off = 100 * min(max((each.residual for each in known), default=1.0), 1.0)
    return finding(
        scene,
        "update-wrong",
        where,
        f"the step of {', '.join(names[:4])} is not along the gradient of the loss",
        names,
        f"up to {off:.3g} % off; "
        + (
            "replacing any one value of the way back does not correct it"
            if tried_all
            else "the time ran out before every replacement was tried"
        ),
        None,
        "likely",
    )


def _of_first_wrong(scene: Scene, names: list[str], node: Node) -> Finding:
    """The first value on the way back that is no derivative of the loss, though its inputs are."""
    return finding(
        scene,
        "gradient",
        own_line(scene, node),
        f"here the way back goes wrong: {scene.called(node)} is no derivative of the loss",
        names,
        "what it is computed from still is one, of a value of the forward pass, to 1e-7",
        None,
        "likely",
    )


def of_factors(scene: Scene) -> list[Finding]:
    """Different positive factors from parameter to parameter."""
    judgement = scene.judgement
    factors = {
        name: factor
        for name, factor in judgement.factors.items()
        if factor > 0 and not judgement.readings[name].adapts
    }
    if len(factors) < 2 or judgement.wrong:
        return []
    usual = median_low(factors.values())  # one of them: between two, both would be odd
    odd = {name: each / usual for name, each in factors.items() if abs(each / usual - 1) > 0.01}
    if not odd:
        return []
    name = max(odd, key=lambda each: abs(np.log(odd[each])))
    node = scene.recording.end[name]
    where = None
    if node.place >= 0:
        place = scene.places.places[node.place]
        where = (place.file, place.line)
    ratios = ", ".join(f"{each} {ratio:.6g}" for each, ratio in list(odd.items())[:4])
    return [
        finding(
            scene,
            "wrong-factor",
            where,
            f"the steps of {', '.join(odd)} are another multiple of the gradient than the others",
            list(odd),
            f"relative to the others: {ratios}",
            "use one factor for all, unless two learning rates are meant",
            "likely",
        )
    ]
