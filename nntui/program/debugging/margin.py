"""The marks in the margin of a program's source, and its loss in words."""

import os
import re
from collections.abc import Mapping
from typing import Any

from nntui.program.answer import PROVEN, RIGHT
from nntui.program.control.ending import CRASH, REFUSED, Ending
from nntui.program.debugging.insight import Insight
from nntui.program.debugging.seen import MERELY_TOLD, UpdateSeen, Value

STOPPED = re.compile(r"(.+?):(\d+): the program stopped")
"""How the reason begins that a program gives no update."""


NO_LOSS = "no loss is known"


def loss_name(known: Insight | None) -> str:
    """The loss in words; empty before anything is known."""
    if known is None:
        return ""
    loss = known.check.loss
    if known.read:
        asked = "" if loss is None else f", in the place of {loss.called}"
        return f"{known.read}{asked}"
    if loss is None:
        return "a number of the program" if known.loss_sites else NO_LOSS
    if loss.kind == "own":
        return f"{loss.called} (line {loss.line})" if loss.line else loss.called
    return f"{loss.kind.replace('-', ' ')} (assumed, of {loss.called}, line {loss.line})"


def marks(check: Any, seen: UpdateSeen | None, own: str) -> dict[tuple[str, int], str]:
    """The marks in the margin, by file and line.

    A line is proven right if it gives a value that is the true gradient of a parameter whose
    update is right, or makes that update.  One that hands several on proves nothing of its own.
    """
    found: dict[tuple[str, int], str] = {}
    if check is None:
        return found
    if seen is not None:
        verdicts = {each.name: each.verdict for each in check.parameters}
        for place, values in _values_by_line(seen).items():
            told = [each for each in values if each.of is not None or each.updates is not None]
            several = len({each.of for each in told if each.of is not None}) > 1
            if told and not several and all(_is_right(each, verdicts) for each in told):
                found[place] = "right"
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


def stopped_at(problem: str, ending: Ending | None, own: str) -> tuple[str, int] | None:
    """File and line where the program stopped by an error, also before its first update."""
    if ending is not None and ending.kind in (CRASH, REFUSED) and ending.file and ending.line:
        return absolute(ending.file, own), ending.line
    found = STOPPED.match(problem)
    return None if found is None else (absolute(os.path.abspath(found[1]), own), int(found[2]))


def _values_by_line(seen: UpdateSeen) -> dict[tuple[str, int], list[Value]]:
    found: dict[tuple[str, int], list[Value]] = {}
    for line in seen.lines:
        found.setdefault((line.file, line.line), []).extend(line.values)
    return found


def _is_right(value: Value, verdicts: Mapping[str, str]) -> bool:
    """Whether a gradient is the true one, or an update is right."""
    if value.updates is not None:
        return verdicts.get(value.updates) == RIGHT
    return value.is_gradient and verdicts.get(value.of or "") == RIGHT


def absolute(file: str, own: str) -> str:
    """``file``, as findings name it, beside the program's ``own`` file."""
    if os.path.isabs(file):
        return file
    if os.path.basename(file) == os.path.basename(own):
        return own
    return os.path.join(os.path.dirname(own), os.path.basename(file))
