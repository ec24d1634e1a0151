"""Mends a program: proposes changes near what is wrong, tries them, and keeps those that help.

A change counts if it makes the step of a wrong parameter the gradient in every generic state, and
that of no other wrong.  The program with all that counted is checked as a whole in the end.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nntui.program.control.execution import Execution
from nntui.program.control.loading.source_file import decoded
from nntui.program.mending.families.all_families import proposals
from nntui.program.mending.focus import Focus, lines_to_try
from nntui.program.mending.judged_updates import KINDS, Question, Verdicts, loss_turns
from nntui.program.mending.proposal import Proposal, cheapest_first
from nntui.program.mending.site import Facts, Site
from nntui.program.mending.source_text import SourceText
from nntui.program.mending.tried_changes import Tried, Trying
from nntui.program.mending.unified_diff import diff_of, without_one

Answer = dict[str, Any]
Check = Callable[[Execution, float, int], Answer]
"""Checks an execution within so many seconds; its training loop begins in the given line."""
ROUNDS = 6
"""Faults that are mended, one after the other."""
FAULTY = ("wrong", "shape changes", "never updated")
"""Verdicts on a parameter."""
BY_CHECKS = ("not-finite", "softmax-axis")
"""Findings that no single update shows, so that the whole check is asked."""
SHARE = 0.6
"""The part of the time left that looking for one mend may take."""
WORSE = 1.5
"""How much more a better change may cost than one that mends everything."""
ALIKE = 0.01
"""Relative spread up to which the factors of all parameters count as one."""


class Mending:
    """The mends of one program, of which ``answer`` is the check."""

    def __init__(self, execution: Execution, answer: Answer, check: Check, until: float) -> None:
        self._execution, self._check, self._until = execution, check, until
        self._first = self._answer = answer
        self._sources: dict[str, SourceText] = {}
        self._original: dict[str, str] = {}
        self._changed: set[str] = set()

    def mend(self) -> Answer:
        """What is added to the answer of a check: ``diff``, ``mended``, ``mended_ok``."""
        rounds = 0
        while rounds < ROUNDS and self._is_wrong() and self._round():
            rounds += 1
        if rounds > 1 and not self._is_wrong():
            self._take_back()
        if not rounds:
            return {"diff": None, "mended": None, "mended_ok": None}
        now = self._answer
        return {
            "diff": diff_of(self._original, self._texts()),
            "mended_ok": now.get("ok"),
            "mended": {"ok": now.get("ok"), "findings": now.get("findings", [])},
        }

    def _is_wrong(self) -> bool:
        return self._answer.get("ok") is False and time.monotonic() < self._until

    def _texts(self) -> dict[str, str]:
        return {file: self._sources[file].text for file in self._changed}

    def _take_back(self) -> None:
        """Undo what is not needed any more, now that all is mended: one run of lines at a time."""
        for file in sorted(self._changed):
            for text in without_one(self._original[file], self._sources[file].text):
                left = self._until - time.monotonic()
                if left <= 0:
                    return
                line = self._answer["loop"]["line"]  # a run of lines of another length moves it
                if text.count("\n") == self._sources[file].text.count("\n"):
                    answer = self._checked({**self._texts(), file: text}, left, line)
                    if answer.get("ok") is True:
                        self._sources[file] = SourceText(file, text)
                        self._answer = answer
                        break

    # One fault.

    def _round(self) -> bool:
        """Mend one fault; False where no change helps."""
        if faulty(self._answer):
            for tried in self._by_updates():
                if self._accept(tried.proposal):
                    return True
        return any(self._accept(each) for each in self._by_checks())

    def _by_updates(self) -> Sequence[Tried]:
        """Changes that make updates right, the best first."""
        answer = self._answer
        until = time.monotonic() + SHARE * (self._until - time.monotonic())
        loop = (answer["loop"]["file"], answer["loop"]["line"])
        self._load([loop[0], *(each["file"] for each in answer["findings"] if each["file"])])
        loss = answer.get("loss") or {"kind": "", "text": ""}
        question = Question(
            tuple(each["name"] for each in answer["parameters"]),
            tuple(answer.get("memories", ())),
            loss["kind"],
            loss["text"],
            loss_turns((answer.get("hypothesis") or {}).get("key")),
        )
        has_grown = any(each["verdict"] == "shape changes" for each in answer["parameters"])
        at = 0 if has_grown or answer.get("unjudged") else 1
        trying = Trying(self._execution, self._sources, loop, at, question, until)
        before = trying.begin()
        facts = _facts(trying.facts)
        self._load(file for file, _ in trying.facts.get("lines", ()))
        foci = lines_to_try(
            answer["findings"],
            self._sources,
            *(
                [(file, line) for file, line in trying.facts.get(which, ())]
                for which in ("lines", "forward", "first")
            ),
        )
        told = [set(each["parameters"]) for each in answer["findings"] if each["parameters"]]
        best = _Best(before, faulty(answer), told)
        for tried in trying.each(self._proposals(foci, facts)):
            best.add(tried)
            if best.is_enough(tried.proposal.cost):
                break
        return best.ranked()[:3]

    def _proposals(self, foci: Iterable[Focus], facts: Facts) -> list[Proposal]:
        found = []
        for focus in foci:
            source = self._sources[focus.file]
            statement = source.statement_at(focus.line)
            if statement is not None:
                site = Site(source, statement, focus.wanted, facts)
                found += [each.costing(focus.cost) for each in proposals(site)]
        return cheapest_first(found, self._sources)

    def _by_checks(self) -> Iterable[Proposal]:
        """Changes at the findings that only a whole check can tell of."""
        told = [each for each in self._answer["findings"] if each["code"] in BY_CHECKS]
        self._load(each["file"] for each in told if each["file"])
        foci = lines_to_try(told, self._sources, [], [])
        return self._proposals([each for each in foci if each.cost < 1], Facts())[:12]

    def _accept(self, proposal: Proposal) -> bool:
        """Check the program with the change; keep it if less is wrong then."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        source = self._sources[proposal.file]
        text = proposal.text(source)
        file, line = self._answer["loop"]["file"], self._answer["loop"]["line"]
        if file == proposal.file:
            line = proposal.line(source, line)
        answer = self._checked({**self._texts(), proposal.file: text}, left, line)
        if not _is_better(answer, self._answer):
            return False
        self._sources[proposal.file] = SourceText(proposal.file, text)
        self._changed.add(proposal.file)
        self._answer = answer
        return True

    def _checked(self, texts: dict[str, str], seconds: float, line: int) -> Answer:
        return self._check(self._execution.varied(self._execution.seed, texts), seconds, line)

    def _load(self, files: Iterable[str]) -> None:
        for file in files:
            if file not in self._sources:
                with open(file, "rb") as stream:
                    text = decoded(file, stream.read())
                self._original[file] = text
                self._sources[file] = SourceText(file, text)


class _Best:
    """The changes that helped, compared with each other.

    ``wanted`` are the parameters at fault, and ``told`` those of each finding: a change that mends
    all of one finding will do where there are several.
    """

    def __init__(self, before: Verdicts, wanted: set[str], told: Sequence[set[str]] = ()) -> None:
        self._before, self._wanted = before, wanted
        self._told = [each & wanted for each in told if each & wanted] if len(told) > 1 else []
        self._found: list[tuple[tuple[float, ...], Tried]] = []
        self._whole: float | None = None
        self._done = False

    def add(self, tried: Tried) -> None:
        """Look at one more change."""
        before, now = self._before, tried.verdicts
        gained = (now.right - before.right) & (self._wanted | before.wrong)
        fewer = len(now.loss) < len(before.loss)  # the training ends, and nothing is shown
        if not gained or before.right - now.right or fewer:
            return
        alters, odd = _alters(before, now), _is_odd(now)
        rank = (-len(gained), alters, odd, tried.proposal.cost)
        self._found.append((rank, tried))
        is_whole = gained >= self._wanted and not now.wrong
        if is_whole or any(gained >= each for each in self._told):
            self._done = self._done or not (alters or odd)
            if self._whole is None:
                self._whole = tried.proposal.cost

    def is_enough(self, cost: float) -> bool:
        """Whether looking further, at changes of that ``cost``, is not worth it."""
        return self._done or (self._whole is not None and cost > self._whole + WORSE)

    def ranked(self) -> list[Tried]:
        """The changes that helped, the best first."""
        return [tried for _, tried in sorted(self._found, key=lambda each: each[0])]


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


def _facts(found: Answer) -> Facts:
    return Facts(
        {
            text: [tuple(shape) for shape in shapes]
            for text, shapes in found.get("shapes", {}).items()
        },
        tuple((kind, constant) for kind, constant in found.get("slopes", ())),
        tuple((one, other) for one, other in found.get("activations", ())),
    )


def faulty(answer: Answer) -> set[str]:
    """The parameters whose updates are at fault."""
    return {each["name"] for each in answer.get("parameters", ()) if each["verdict"] in FAULTY}


def _is_better(now: Answer, before: Answer) -> bool:
    """Whether less is wrong than before."""
    if "loop" not in now or now.get("updates", 0) < before.get("updates", 0):
        return False
    if now.get("ok") is True:
        return True
    if len(faulty(now)) != len(faulty(before)):
        return len(faulty(now)) < len(faulty(before))
    return _by_checks(now) < _by_checks(before) or _moves(now, before)


def _by_checks(answer: Answer) -> int:
    return sum(each["code"] in BY_CHECKS for each in answer["findings"])


def _moves(now: Answer, before: Answer) -> bool:
    """Whether the first number that is not finite arises on another line than before."""
    lines = [
        {each["line"] for each in answer["findings"] if each["code"] in BY_CHECKS}
        for answer in (now, before)
    ]
    return bool(lines[1]) and not lines[0] & lines[1]
