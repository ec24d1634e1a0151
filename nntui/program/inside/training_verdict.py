"""Whether a training is right, from the verdicts on its parameters and what else was seen of it."""

from typing import Any

from nntui.program.blame.faults.shapes import of_array_for_number
from nntui.program.judge.probing.search import Found
from nntui.program.judge.verdict.judgement import (
    NEVER_UPDATED,
    NO_INFORMATION,
    RIGHT,
    SHAPE_CHANGES,
    WRONG,
)
from nntui.program.record.places import Places


def is_right(answer: dict[str, Any]) -> bool | None:
    """Whether the training is right.

    False: a parameter is wrong, changes its shape or is never updated, a number of an update is
    not finite, or predictions meet targets of another shape.  True: a parameter is right, and
    finite differences do not contradict.  None: neither.
    """
    verdicts = [each["verdict"] for each in answer.get("parameters", ())]
    wrong = {WRONG, SHAPE_CHANGES, NEVER_UPDATED}
    if any(each in wrong for each in verdicts):
        return False
    lost = answer.get("not_finite")
    if lost is not None and not lost["printed"]:
        return False
    if answer.get("crossing"):
        return False
    if "hypothesis" not in answer or RIGHT not in verdicts:
        return None
    return None if answer.get("confirmed") is False else True


def tell_growth(answer: dict[str, Any], found: Found, places: Places) -> None:
    """Parameters that changed their shape in their first update are told so."""
    known = {each["name"]: each for each in answer.setdefault("parameters", [])}
    grown, memories = [], set()
    for name, (before, _) in found.grown.items():
        benign = (RIGHT, NO_INFORMATION, WRONG)
        for_units = not before and name not in found.by_row
        if for_units and name in known and known[name]["verdict"] in benign:
            # A number that becomes one entry for each unit, as a bias of all of them.
            continue
        if for_units and known and name not in known:
            # A memory that starts as 0 takes the shape of what it remembers.
            memories.add(name)
            continue
        if name not in known:
            answer["parameters"].append({"name": name, "factor": None, "residual": None})
        entry = known.get(name, answer["parameters"][-1])
        entry.update(shape=before, verdict=SHAPE_CHANGES)
        grown.append(name)
    for name, (after, at) in found.from_whole_number.items():
        if name in known and known[name]["shape"] == after and name not in found.grown:
            known[name].update(shape=[], verdict=SHAPE_CHANGES, factor=None)
            grown.append(name)
            found.findings.append(of_array_for_number(name, after, places.places[at], places))
    first, last = [], []
    for each in found.findings:
        if set(each["parameters"]) & set(grown):
            first.append(each)
        elif not set(each["parameters"]) <= memories:
            last.append({**each, "code": "broadcast", "confidence": "likely"})
    answer["findings"] = first + answer["findings"] + last
