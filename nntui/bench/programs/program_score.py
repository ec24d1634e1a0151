"""What the checker got right: analysed, verdict, line, false alarms, seconds."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from nntui.bench.matrix.score import Share, share
from nntui.bench.programs.checked import ALL_GROUPS, Checked

BESIDE = frozenset({"wrong-factor", "loss-not-minimised", "never-called", "broadcast"})
"""Codes of findings that decide nothing: they may stand beside a right verdict."""


@dataclass(frozen=True)
class Said:
    """One answer of the checker, held against the truth."""

    checked: Checked

    @property
    def ok(self) -> bool | None:
        """The verdict; None where it could not tell or did not answer."""
        verdict = self.checked.answer.get("ok")
        return verdict if isinstance(verdict, bool) else None

    @property
    def analysed(self) -> bool:
        """Whether it came to a verdict."""
        return self.ok is not None

    @property
    def verdict_right(self) -> bool:
        """Whether it said what is true."""
        return self.ok == self.checked.case.ok

    @property
    def findings(self) -> list[dict[str, object]]:
        """All findings, the first to mend first."""
        return list(self.checked.answer.get("findings", []))

    @property
    def decisive(self) -> list[dict[str, object]]:
        """Those that make a program wrong."""
        return [each for each in self.findings if each["code"] not in BESIDE] or self.findings

    def is_true(self, finding: dict[str, object]) -> bool:
        """Whether a finding names a line that a careful person would accept."""
        if finding["code"] in self.checked.case.anywhere:
            return True
        return place(finding) in self.checked.case.lines

    @property
    def first_line_right(self) -> bool:
        """Whether the first finding names the fault."""
        return bool(self.findings) and self.is_true(self.findings[0])

    @property
    def only_true_lines(self) -> bool:
        """Whether no finding that decides names another line."""
        return bool(self.decisive) and all(map(self.is_true, self.decisive))

    @property
    def false_alarm(self) -> bool:
        """Whether a right program was called wrong."""
        return self.checked.case.ok and self.ok is False

    @property
    def miss(self) -> str | None:
        """What went wrong, in a few words; None where nothing did."""
        case = self.checked.case
        if not self.analysed:
            words = self.checked.complaint.splitlines()[-1:] or ["could not tell"]
            return f"exit {self.checked.exit_code}: {words[0][:90]}"
        if self.false_alarm:
            return f"false alarm: {self._named}"
        if not self.verdict_right:
            return f"called right; wrong at {', '.join(case.lines)}"
        if not case.ok and not self.first_line_right:
            return f"named {self._named}; true: {', '.join(case.lines)}"
        return None

    @property
    def _named(self) -> str:
        return ", ".join(f"{place(each)} {each['code']}" for each in self.findings[:3]) or "no line"


def place(finding: dict[str, object]) -> str:
    """File and line of a finding, the file without its folder."""
    file = str(finding.get("file") or "").replace("\\", "/").rpartition("/")[2]
    return f"{file}:{finding.get('line')}"


@dataclass(frozen=True)
class Score:
    """The figures over some answers."""

    said: tuple[Said, ...]

    @cached_property
    def wrong(self) -> tuple[Said, ...]:
        """Those whose programs are wrong."""
        return tuple(each for each in self.said if not each.checked.case.ok)

    @property
    def analysed(self) -> Share:
        """How many came to a verdict."""
        return share([each.analysed for each in self.said])

    @property
    def verdict(self) -> Share:
        """How many of those analysed were judged right."""
        return share([each.verdict_right for each in self.said if each.analysed])

    @property
    def first_line(self) -> Share:
        """How many of the wrong programs, analysed or not, have the right first line."""
        return share([each.ok is False and each.first_line_right for each in self.wrong])

    @property
    def only_true(self) -> Share:
        """How many of the wrong programs that were called wrong have no other line."""
        return share([each.only_true_lines for each in self.wrong if each.ok is False])

    @property
    def false_alarms(self) -> Share:
        """How many right programs were called wrong."""
        return share([each.false_alarm for each in self.said if each.checked.case.ok])

    @property
    def loop(self) -> Share:
        """How many of those analysed name the loop of the updates."""
        found = []
        for each in self.said:
            loops = each.checked.case.program.loops
            if each.analysed and loops:
                loop = each.checked.answer.get("loop") or {}
                found.append(loop.get("line") in loops)
        return share(found)

    @property
    def seconds(self) -> tuple[float | None, float | None]:
        """Median and 90 % of the time of a check, the start of both processes included."""
        times = sorted(each.checked.seconds for each in self.said)
        if not times:
            return None, None
        return median(times), times[min(int(0.9 * len(times)), len(times) - 1)]

    def by_group(self) -> dict[str, "Score"]:
        """The same of each group that has any."""
        return {
            group: Score(its)
            for group in ALL_GROUPS
            if (its := tuple(each for each in self.said if each.checked.case.group == group))
        }

    def by_operator(self) -> dict[str, "Score"]:
        """The same of each operator of the mutants."""
        counts = Counter(each.checked.case.operator for each in self.said)
        return {
            operator: Score(
                tuple(each for each in self.said if each.checked.case.operator == operator)
            )
            for operator in sorted(counts)
            if operator
        }
