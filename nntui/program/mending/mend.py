"""Mends a program: proposes changes near what is wrong, tries them, and keeps those that help.

A change counts if it makes the step of a wrong parameter the gradient in every generic state, and
that of no other wrong.  The program with all that counted is checked as a whole in the end.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import inf
from typing import Any

from nntui.program.control.execution import Execution
from nntui.program.control.loading.source_file import decoded
from nntui.program.mending.families.all_families import proposals
from nntui.program.mending.focus import Focus, lines_to_try
from nntui.program.mending.source.beforehand import Facts
from nntui.program.mending.source.proposal import Cheapest, Proposal
from nntui.program.mending.source.site import Site
from nntui.program.mending.source.source_text import SourceText
from nntui.program.mending.trying.judged_updates import Question, loss_turns
from nntui.program.mending.trying.tried_changes import Trying
from nntui.program.mending.unified_diff import diff_of, without_one
from nntui.program.mending.weighing import BY_CHECKS, Weighing, faulty, is_better

Answer = dict[str, Any]
Check = Callable[[Execution, float, int], Answer]
"""Checks an execution within so many seconds; its loop begins in the given line, 0: any line."""
ROUNDS = 6
"""Faults that are mended, one after the other."""
SHARE = 0.6
"""The part of the time left that looking for one mend may take."""
MOST_CHECKED, MOST_NEAR = 3, 12
"""Changes of one round for which the whole program is checked: known to help, and unknown."""
NEAR = 1.0
"""What looking at a line may cost without any facts."""


class Mending:
    """The mends of one program, of which ``answer`` is the check."""

    def __init__(self, execution: Execution, answer: Answer, check: Check, until: float) -> None:
        self._execution, self._check, self._until = execution, check, until
        self._first = self._answer = answer
        self._sources: dict[str, SourceText] = {}
        self._original: dict[str, str] = {}
        self._changed: set[str] = set()
        self.tried = 0
        """Changes that were tried."""

    def mend(self) -> Answer:
        """What is added to the answer of a check: ``diff``, ``mended``, ``mended_ok``.

        Where there is a mend, ``mended_texts`` has the files that it changes, whole.
        """
        rounds = 0
        while rounds < ROUNDS and self._is_wrong() and self._round():
            rounds += 1
        if rounds > 1 and not self._is_wrong():
            self._take_back()
        now = self._answer
        left_out = list(self._first.get("left_out", ()))
        if now.get("ok") is False and time.monotonic() >= self._until:
            left_out.append(f"the search for a mend ended with the time, at change {self.tried:,}")
        if not rounds:
            return {"diff": None, "mended": None, "mended_ok": None, "left_out": left_out}
        return {
            "diff": diff_of(self._original, self._texts()),
            "mended_texts": self._texts(),
            "mended_ok": now.get("ok"),
            "mended": {"ok": now.get("ok"), "findings": now.get("findings", [])},
            "left_out": left_out,
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
        found = None
        if faulty(self._answer) and self._answer.get("loop_number") is not None:
            found = self._by_updates()
        if any(self._accept(each) for each in found or ()):
            return True
        is_seen = found is not None and not any(
            each["code"] in BY_CHECKS for each in self._answer["findings"]
        )
        return not is_seen and any(self._accept(each) for each in self._near_findings())

    def _by_updates(self) -> list[Proposal] | None:
        """Changes that make updates right, the best first; None where updates show no fault."""
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
        if not before.verdicts or before.right >= faulty(answer):
            return None
        if None in before.loss and any(each["code"] in BY_CHECKS for each in answer["findings"]):
            return None  # first things first: there is no gradient of what is not finite
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
        best = Weighing(before, faulty(answer), told)
        for tried in trying.each(self._proposals(foci, facts)):
            best.add(tried)
            if best.is_enough(tried.proposal.cost):
                break
        self.tried += trying.count
        return best.ranked()[:MOST_CHECKED]

    def _proposals(self, foci: Iterable[Focus], facts: Facts) -> Iterator[Proposal]:
        """Changes at ``foci``, the cheapest first; those of a line only when it is its turn."""
        cheapest = Cheapest(self._sources)
        for focus in foci:
            yield from cheapest.up_to(focus.cost)
            source = self._sources[focus.file]
            statement = source.statement_at(focus.line)
            if statement is not None:
                site = Site(source, statement, focus.wanted, facts)
                cheapest.add(each.costing(focus.cost) for each in proposals(site))
        yield from cheapest.up_to(inf)

    def _near_findings(self) -> list[Proposal]:
        """Changes at the lines of the findings themselves, for whole checks to tell which helps."""
        told = [each for each in self._answer["findings"] if each["file"]]
        if any(each["code"] in BY_CHECKS for each in told):
            told = [each for each in told if each["code"] in BY_CHECKS]
        self._load(each["file"] for each in told)
        foci = lines_to_try(told, self._sources, [], [])
        near = [each for each in foci if each.cost < NEAR]
        return list(islice(self._proposals(near, Facts()), MOST_NEAR))

    def _accept(self, proposal: Proposal) -> bool:
        """Check the program with the change; keep it if less is wrong then."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        source = self._sources[proposal.file]
        text = proposal.text(source)
        line = 0
        if self._answer.get("loop_number") is not None:
            line = self._answer["loop"]["line"]
            if self._answer["loop"]["file"] == proposal.file:
                line = proposal.line(source, line)
        answer = self._checked({**self._texts(), proposal.file: text}, left, line)
        if not is_better(answer, self._answer):
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
                text = self._execution.texts.get(os.path.realpath(file))
                if text is None:
                    with open(file, "rb") as stream:
                        text = decoded(file, stream.read())
                self._original[file] = text
                self._sources[file] = SourceText(file, text)


def _facts(found: Answer) -> Facts:
    return Facts(
        {
            text: [tuple(shape) for shape in shapes]
            for text, shapes in found.get("shapes", {}).items()
        },
        tuple((kind, constant) for kind, constant in found.get("slopes", ())),
        tuple((one, other) for one, other in found.get("activations", ())),
    )
