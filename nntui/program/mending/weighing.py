"""Weighs changes against each other, and a changed program against what it was."""

from collections.abc import Sequence
from typing import Any

from nntui.program.judge.verdict.loss_hypotheses import OWN
from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.trying.judged_updates import KINDS, Verdicts
from nntui.program.mending.trying.tried_changes import Tried

Answer = dict[str, Any]
FAULTY = ("wrong", "shape changes", "never updated")
"""Verdicts on a parameter."""
BY_CHECKS = ("not-finite", "softmax-axis")
"""Findings that no single update shows, so that the whole check is asked."""
WORSE, MORE = 0.8, 100
"""How much more a better change may cost than one that mends everything, and how many are tried."""
ALIKE = 0.01
"""Relative spread up to which the factors of all parameters count as one."""


class Weighing:
    """The changes that helped, compared with each other.

    ``wanted`` are the parameters at fault, and ``told`` those of each finding: a change that mends
    all of one finding will do where there are several.
    """

    def __init__(self, before: Verdicts, wanted: set[str], told: Sequence[set[str]] = ()) -> None:
        self._before, self._wanted = before, wanted
        self._told = [each & wanted for each in told if each & wanted] if len(told) > 1 else []
        self._found: list[tuple[tuple[float, ...], Tried]] = []
        self._whole: float | None = None
        self._tried = self._at = 0
        self._done = False

    def add(self, tried: Tried) -> None:
        """Look at one more change."""
        self._tried += 1
        before, now = self._before, tried.verdicts
        gained = (now.right - before.right) & (self._wanted | before.wrong)
        fewer = len(now.loss) < len(before.loss)  # the training ends, and nothing is shown
        if not gained or before.right - now.right or fewer:
            return
        alters, odd = _alters(before, now), _is_odd(now)
        rank = (-len(gained), alters, odd, tried.proposal.cost)
        self._found.append((rank, tried))
        turned = now.uphill - before.uphill  # right but for a sign, which comes next
        is_whole = gained | turned >= self._wanted and now.wrong <= now.uphill
        if is_whole or any(gained >= each for each in self._told):
            self._done = self._done or not (alters or odd)
            if self._whole is None:
                self._whole, self._at = tried.proposal.cost, self._tried

    def is_enough(self, cost: float) -> bool:
        """Whether looking further, at changes of that ``cost``, is not worth it."""
        if self._done or self._whole is None:
            return self._done
        return cost > self._whole + WORSE or self._tried > self._at + MORE

    def ranked(self) -> list[Proposal]:
        """The changes that helped, the best first."""
        return [tried.proposal for _, tried in sorted(self._found, key=lambda each: each[0])]


def _alters(before: Verdicts, now: Verdicts) -> bool:
    """Whether the forward pass, and so the loss in the same state, is another one."""
    for kind, one, other in zip(KINDS, before.loss, now.loss, strict=False):
        if kind == "noise" or one is None or other is None:
            return False
        if abs(one - other) > 1e-9 * max(abs(one), abs(other)):
            return True
    return False


def _is_odd(now: Verdicts) -> bool:
    """Whether the steps of the parameters are different multiples of their gradients."""
    sizes = [abs(each) for each in now.factors.values()]
    return bool(sizes) and max(sizes) - min(sizes) > ALIKE * max(sizes)


def faulty(answer: Answer) -> set[str]:
    """The parameters whose updates are at fault."""
    return {each["name"] for each in answer.get("parameters", ()) if each["verdict"] in FAULTY}


def is_better(now: Answer, before: Answer) -> bool:
    """Whether less is wrong than before."""
    if "loop" not in now or now.get("updates", 0) < before.get("updates", 0):
        return False
    if _is_cut_off(now, before) or _is_unseen(now, before):
        return False
    if now.get("ok") is True and not _is_lost_there(now, before):
        return True
    if len(faulty(now)) != len(faulty(before)):
        return len(faulty(now)) < len(faulty(before))
    return _told(now) < _told(before) or _moves(now, before)


def _is_cut_off(now: Answer, before: Answer) -> bool:
    """Whether the program's own loss does not depend on its parameters any more."""
    kinds = [(answer.get("loss") or {}).get("kind") for answer in (before, now)]
    return kinds[0] == OWN != kinds[1]


def _is_unseen(now: Answer, before: Answer) -> bool:
    """Whether there was no time to see if a number is still not finite, and where."""
    lost = before.get("not_finite")
    if lost is None:
        return False
    if now.get("not_finite") is not None:
        return not _told(now)
    watched = now.get("watched")
    return watched is not None and watched <= lost["between"][1]


def _is_lost_there(now: Answer, before: Answer) -> bool:
    """Whether a number is still not finite, and arises on the same line.

    A look at the training that comes earlier may find it in the loss alone, before the parameters
    have it, which is no fault of theirs.
    """
    both = all(each.get("not_finite") is not None for each in (now, before))
    return both and not _moves(now, before)


def _told(answer: Answer) -> int:
    return sum(each["code"] in BY_CHECKS for each in answer["findings"])


def _moves(now: Answer, before: Answer) -> bool:
    """Whether the first number that is not finite arises on another line than before."""
    lines = [
        {each["line"] for each in answer["findings"] if each["code"] in BY_CHECKS}
        for answer in (now, before)
    ]
    return bool(lines[1]) and not lines[0] & lines[1]
