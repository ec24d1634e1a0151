"""An explanation: the findings of a run, weighed by experiments, and what they recommend."""

from typing import Any

from nntui.diagnosis.experiments.fixes import own_fixes
from nntui.diagnosis.experiments.results import Experiment, Experiments, simplest
from nntui.diagnosis.finding import Finding

EFFECT = frozenset(("fix", "seeds", "epochs", "solved", "baseline_solved", "verdict"))
"""What ``why --json`` says of mending a code fault alone."""


class Explanation:
    """What an answer concludes from its findings and experiments; it is a dataclass with these."""

    findings: tuple[Finding, ...]
    """The headline's first."""
    experiments: Experiments | None
    """None if there was nothing to try."""
    solved: bool
    """Whether the run learns as it stands."""
    decided: bool
    """Whether more time could not name another cause."""

    @property
    def headline(self) -> Finding | None:
        """The cause; None if nothing is wrong or no cause was found."""
        return self.findings[0] if self.findings else None

    @property
    def slips(self) -> tuple[Finding, ...]:
        """The code faults that are not the headline."""
        return tuple(each for each in self.findings[1:] if each.rule.is_code_fault)

    @property
    def own(self) -> Experiment | None:
        """The experiment with the headline's own fix alone, if it was made.

        Of a code fault that is the one that mends all of them.
        """
        if self.headline is None or self.experiments is None:
            return None
        mended = self.experiments.corrected if self.headline.rule.is_code_fault else None
        return mended or self.effect(self.headline)

    def effect(self, finding: Finding) -> Experiment | None:
        """The experiment with a fix of ``finding`` alone, if it was made."""
        return self.experiments.with_own(finding) if self.experiments is not None else None

    @property
    def best(self) -> Experiment | None:
        """The recommended experiment: the simplest of those as good as the best that helps.

        Preferred are those that mend every code fault and fix the headline's cause.  If the run
        learns already, a fix of its program must only do no harm.
        """
        if self.experiments is None:
            return None
        tried = self.experiments.tried
        if self.solved:
            longest = max((each.base_epochs for each in tried), default=0)
            able = [e for e in tried if self._fixes_cause(e) and e.base_epochs == longest]
            harmless = [each for each in able if not each.harms]
            return simplest(able) or min(harmless, key=lambda each: each.simplicity, default=None)
        return simplest(tried, self._mends_all_and_cause, self._fixes_cause)

    @property
    def promising(self) -> Experiment | None:
        """Where nothing is known to help: the experiment that solved the most seeds more."""
        tried = self.experiments.tried if self.experiments and not self.solved else ()
        more = [each for each in tried if each.won > each.lost]
        return min(more, key=lambda each: (each.p, each.rank), default=None)

    def _fixes_cause(self, each: Experiment) -> bool:
        """Whether ``each`` includes a fix of the headline."""
        own = own_fixes(self.headline) if self.headline is not None else ()
        if self.headline is not None and self.headline.rule.is_code_fault and self.experiments:
            own = (*own, self.experiments.correction)
        return any(fix.changes.items() <= each.fix.changes.items() for fix in own)

    def _mends_all_and_cause(self, each: Experiment) -> bool:
        assert self.experiments is not None
        mends = self.experiments.correction.changes.items() <= each.fix.changes.items()
        return mends and self._fixes_cause(each)

    @property
    def recommended(self) -> Experiment | None:
        """What helped, else what is promising."""
        return self.best or self.promising

    @property
    def fix(self) -> str | None:
        """The recommendation in words: what helped, else what is promising or proposed."""
        if self.recommended is not None:
            return self.recommended.fix.text
        fixes = self.headline.fixes if self.headline is not None else ()
        return fixes[0].text if fixes else None

    def explained_json(self) -> dict[str, Any]:
        """The part of ``why --json`` that is the same for presets and programs."""
        headline, best = self.headline, self.recommended
        return {
            "headline": None
            if headline is None
            else {
                **headline.as_headline(),
                "fix": self.fix,
                "set": None if best is None else dict(best.fix.changes),
                "decided": self.decided,
            },
            "decided": self.decided,
            "findings": [each.as_json() for each in self.findings],
            "slips": [self._slip_json(each) for each in self.slips],
            "experiments": self.experiments.as_json() if self.experiments is not None else [],
            "reduced": self.experiments.reduced if self.experiments is not None else None,
        }

    def _slip_json(self, slip: Finding) -> dict[str, Any]:
        """A code fault that is not the headline, with the effect of mending it alone."""
        said = {"code": slip.code, "layer": slip.layer}
        effect = self.effect(slip)
        if self.experiments is None or effect is None:
            return {**said, "verdict": None, "decided": False}
        measured = {key: value for key, value in effect.as_json().items() if key in EFFECT}
        return {**said, **measured, "decided": self.experiments.decided(effect)}
