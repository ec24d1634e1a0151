"""The experiments with a program: which changes are tried, how long, and from how many seeds.

The fixes of the findings come first, then the usual ones, then the best of them together; the best
are trained for longer and from more seeds.  How long follows from the time that there is.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from nntui.diagnosis.experiments.fixes import combined, own_fixes
from nntui.diagnosis.experiments.results import ENOUGH, Experiment, Experiments, Given, simplest
from nntui.diagnosis.finding import Finding, Fix
from nntui.program.why.changes.variants import DRAWN, LINES, RATE, SIZE
from nntui.program.why.trials.program_trials import ProgramLaboratory, ProgramTrial

NOTHING = Fix("nothing changed", {})
FEWEST = 3
"""Seeds of a round that only decides what is tried further."""
LEADING = 3
"""Findings whose fixes are tried, and fixes that are combined with others."""
CAUSES, FIELD, PAIRS = 0.25, 0.4, 0.4
"""The most of the time that is left for the fixes of the findings, the usual ones, and pairs."""
FACTORS = (10.0, 0.1, 100.0, 1000.0, 3.0, 0.01)
"""By what the learning rate is multiplied, the most promising first."""
LEAST_SHARE, LEAST_FIELD = 16, 4
"""The usual fixes are tried for that part of the training at least, if only so many of them."""


class ProgramRounds:
    """All rounds of experiments with the program of ``laboratory``."""

    def __init__(
        self,
        findings: Sequence[Finding],
        laboratory: ProgramLaboratory,
        seeds: int,
        mend: str = "mend the wrong lines",
    ) -> None:
        self.laboratory, self.source = laboratory, laboratory.source
        self.seeds = seeds
        self.findings = [each for each in findings if not each.rule.is_code_fault]
        self.slips = [each for each in findings if each.rule.is_code_fault]
        self.correction = Fix(mend, {LINES: sorted(self.source.mends)})
        self.trials: list[ProgramTrial] = []
        self.untried: list[Fix] = []
        baseline = self.laboratory.trial(NOTHING)
        assert baseline is not None
        self.baseline = baseline
        self.complete = False

    def all(self) -> Experiments:
        """Round after round, until nothing is left to be trained for longer or the time is up."""
        self.complete = self._all()
        return self.result()

    def _all(self) -> bool:
        causes = self._added(self._causes())
        if not self._round([self.baseline, *causes], CAUSES, min(ENOUGH, self.seeds)):
            return False
        field = self._added(islice(self._usual(), self._affordable(len(causes))))
        if not self._round([self.baseline, *causes, *field], FIELD, min(FEWEST, self.seeds)):
            return False
        pairs = self._added(self._pairs())
        if pairs and not self._round([self.baseline, *pairs], PAIRS, min(FEWEST, self.seeds)):
            return False
        return self._finals()

    def _finals(self) -> bool:
        """The best for as long as the program trains, then from more and more seeds."""
        count, budget = min(ENOUGH, self.seeds), self.source.epochs
        while not self.laboratory.pool.deadline.passed:
            best = [self.baseline, *self._finalists()]
            epochs = self.laboratory.fitting(best, count, 0.8)
            if not self.laboratory.train(best, epochs, count):
                return False
            if count >= self.seeds:
                return epochs == budget
            count = min(2 * count, self.seeds)
        return False

    def _affordable(self, others: int) -> int:
        """How many of the usual fixes can be tried beside ``others``."""
        epochs = max(self.source.epochs // LEAST_SHARE, 1)
        one = min(FEWEST, self.seeds) * self.laboratory.seconds(self.baseline, epochs)
        return max(int(FIELD * self.laboratory.capacity / one) - others - 1, LEAST_FIELD)

    def _round(self, trials: Sequence[ProgramTrial], share: float, seeds: int) -> bool:
        return self.laboratory.train(trials, self.laboratory.fitting(trials, seeds, share), seeds)

    def _added(self, fixes: Iterable[Fix]) -> list[ProgramTrial]:
        """New trials of ``fixes``, those left out that are known or cannot be made."""
        added = []
        for fix in fixes:
            if any(fix.changes == each.fix.changes for each in self.trials) or not fix.changes:
                continue
            trial = self.laboratory.trial(fix)
            if trial is not None:
                added.append(trial)
                self.trials.append(trial)
        return added

    def _causes(self) -> Iterator[Fix]:
        if self.source.mends:
            yield self.correction
        for slip in self.slips:
            yield from own_fixes(slip)
        for finding in self.findings[:LEADING]:
            yield from own_fixes(finding)[:2]

    def _usual(self) -> Iterator[Fix]:
        """What is tried when a network does not learn, whatever was found."""
        rates = self.source.rate_fixes(*FACTORS)
        yield from rates[:2]
        yield from map(self.source.longer_fix, self.source.longer[:1])
        yield Fix("weights drawn as Glorot and Bengio propose", {DRAWN: "xavier"})
        yield from rates[2:]
        for factor, words in ((4.0, "four times"), (0.25, "a quarter of")):
            yield Fix(f"first weights {words} their size", {SIZE: factor})
        yield from map(self.source.longer_fix, self.source.longer[1:])

    def _ranked(self) -> list[ProgramTrial]:
        """All trials with a result, the best first."""
        found = [(Experiment.of(each, self.baseline), each) for each in self.trials]
        known = [(made, each) for made, each in found if made is not None]
        return [each for _, each in sorted(known, key=lambda pair: pair[0].rank)]

    def _pairs(self) -> Iterator[Fix]:
        """What mends the lines with the best others, and the best two of these."""
        others = [each.fix for each in self._ranked() if LINES not in each.fix.changes]
        pairs: list[Fix | None] = []
        if self.source.mends:
            pairs += [combined(self.correction, fix) for fix in others[:LEADING]]
            rates = [fix for fix in others if RATE in fix.changes]
            pairs += [combined(self.correction, fix) for fix in rates[:1]]
        pairs += [combined(others[0], fix) for fix in others[1 : LEADING + 1]] if others else []
        yield from filter(None, pairs)

    def _finalists(self) -> list[ProgramTrial]:
        """The best few, the simplest of those as good, and what decides about the cause."""
        ranked = self._ranked()
        made = [Experiment.of(each, self.baseline) for each in ranked]
        simple = simplest([each for each in made if each is not None])
        chosen = [each for each in ranked if simple is not None and each.fix is simple.fix]
        decisive = [self.correction] if self.source.mends else []
        decisive += [fix for each in self.findings[:1] for fix in own_fixes(each)[:1]]
        wanted = [fix.changes for fix in decisive]
        chosen += [each for each in self.trials if each.fix.changes in wanted]
        return list(dict.fromkeys([*ranked[:2], *chosen]))

    def result(self) -> Experiments:
        """All experiments so far, by what counts as learned on the board now."""
        known = [(Experiment.of(each, self.baseline), each) for each in self.trials]
        found = [made for made, _ in known if made is not None]
        rate = self.source.rate
        return Experiments(
            given=Given(
                epochs=self.source.epochs,
                learning_rate=None if rate is None else rate.value,
                rows=0,
            ),
            seeds=self.seeds,
            epochs=max((each.base_epochs for each in found), default=0),
            baseline=Experiment.of(self.baseline, self.baseline),
            tried=tuple(sorted(found, key=lambda each: each.place)),
            untried=tuple(each.fix for made, each in known if made is None),
            solving=self._solving(),
            correction=self.correction,
            complete=self.complete,
        )

    def _solving(self) -> tuple[int, ...]:
        ended = self.baseline.ended()
        longest = ended[max(ended)] if ended else {}
        return tuple(sorted(seed for seed, each in longest.items() if each.solved))
