"""The marks in the margin of a program's source, and its loss in words."""

import os
from typing import Any

from nntui.program.answer import FAULTY, PROVEN, RIGHT
from nntui.program.debugging.seen import MERELY_TOLD, UpdateSeen


def loss_name(check: Any, is_read: bool) -> str:
    """The loss in words."""
    if check is None:
        return ""
    loss = check.loss
    if loss is None:
        return "a number of the program" if is_read else "no loss is known"
    if loss.kind == "own":
        return f"{loss.text} (line {loss.line})" if loss.line else str(loss.text)
    return f"{loss.kind.replace('-', ' ')} (assumed, of {loss.text}, line {loss.line})"


def marks(check: Any, seen: UpdateSeen | None, own: str) -> dict[tuple[str, int], str]:
    """The marks in the margin, by file and line.

    A line is proven right if it gives a value that is the true gradient of a parameter whose
    update is right, or makes that update.
    """
    found: dict[tuple[str, int], str] = {}
    if check is None:
        return found
    verdicts = {each.name: each.verdict for each in check.parameters}
    if seen is not None:
        wrong = {name for name, verdict in verdicts.items() if verdict in FAULTY}
        for line in seen.lines:
            told = [each for each in line.values if each.of is not None]
            right = all(each.is_gradient and verdicts.get(each.of or "") == RIGHT for each in told)
            updated = [each.updates for each in line.values if each.updates is not None]
            if not told and updated and all(verdicts.get(each) == RIGHT for each in updated):
                found[line.file, line.line] = "right"
            if told and right and not wrong & {each.of for each in told}:
                found[line.file, line.line] = "right"
        if seen.not_finite is not None:
            found[seen.not_finite[0], seen.not_finite[1]] = "not finite"
    for finding in check.findings:
        if finding.line is None or finding.file is None or finding.code in MERELY_TOLD:
            continue
        place = (absolute(finding.file, own), finding.line)
        if finding.code in ("shape-grows", "broadcast"):
            found[place] = "shape"
        elif finding.code == "not-finite":
            found[place] = "not finite"
        elif finding.confidence == PROVEN:
            found[place] = "wrong"
        else:
            found.setdefault(place, "doubt")
    return found


def absolute(file: str, own: str) -> str:
    """``file``, as findings name it, beside the program's ``own`` file."""
    if os.path.isabs(file):
        return file
    if os.path.basename(file) == os.path.basename(own):
        return own
    return os.path.join(os.path.dirname(own), os.path.basename(file))
