"""The experiments of a diagnosis, in a fixed order of rounds.

Many fixes are tried for a short time, the better ones for longer, the best for the whole budget
(successive halving: Jamieson and Talwalkar 2016).  The size of a round follows from the preset
alone, by an estimate of what its training costs; where that is too much, seeds are cut before
epochs.  What is planned is then repeated with four times as much, until every fix was trained for
the whole budget.  The time only cuts this off.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from nntui.core.engine.player_names import AUTO
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.evidence import forbids
from nntui.diagnosis.experiments.fixes import (
    candidates,
    combined,
    correction,
    longer,
    own_fixes,
    tried,
)
from nntui.diagnosis.experiments.laboratory import Laboratory, OnProgress, Task, Trial
from nntui.diagnosis.experiments.results import ENOUGH, Experiment, Experiments, Given, simplest
from nntui.diagnosis.finding import PROOF, Finding, Fix
from nntui.presets.preset import Preset
from nntui.presets.schema import HIGHEST_SEED
from nntui.sweeps.processes import local_processes

SEEDS = 100
SECONDS = 20.0
FEWEST = 3
"""Seeds of a round that only decides what is tried further."""
CAUSES, FIELD, LONGER, FINALS, WHOLE = 1.5, 2.5, 1.0, 3.0, 10.0
"""Seconds of a core of about 2020 that a round may take at first: the fixes of the findings, all
fixes and their combinations, the better ones for longer, the best, and those that help for the
whole budget."""
GROWTH = 4
"""How many times more the next pass may take, and how many times longer the next round is."""
LEAST_SHARE = 16
"""At first causes and finalists are trained for that part of the budget, however long it takes."""
LEAST_EPOCHS, LEAST_UPDATES = 20, 1000
"""Wanted in a round; if that takes too long, an epoch uses fewer rows."""
LEAST_ROWS = 1000
"""Fewest rows of an epoch."""
LEADING = 3
"""Single fixes that are combined with others first, and findings whose fixes are."""
PAIRS, FEW_PAIRS, TRIPLES = 40, 8, 4
"""Combinations with another fix at most, and at least; then those of the best pair."""
FINALISTS = 3
"""Fixes in the last round, beside those of the first finding."""
NOTHING = Fix("nothing changed", {})


@contextmanager
def workshop(
    preset: Preset,
    deadline: Deadline,
    progress: OnProgress | None = None,
    workers: int | None = None,
    player: str = AUTO,
) -> Iterator[Laboratory]:
    """A laboratory for ``preset``, at work until ``deadline``, whose updates ``player`` makes.

    ``workers`` is its number of processes (None: one per processor; 0: train in this thread).
    """
    count = (os.cpu_count() or 1) if workers is None else workers
    with local_processes(count, preset) as executor:
        yield Laboratory(preset, executor, count, deadline, progress, player)


def experiment(
    findings: Sequence[Finding],
    laboratory: Laboratory,
    seeds: int = SEEDS,
    epochs_needed: float = 0.0,
) -> Experiments:
    """Try the fixes of ``findings`` and the standing ones in ``laboratory``, from ``seeds`` seeds.

    Seeds start with the preset's own and are the same for the baseline and every fix.
    ``epochs_needed`` is how many epochs the run would need at its pace, 0 if that is not known.
    """
    return _Rounds(findings, laboratory, seeds, epochs_needed).all()


def counts(seeds: int) -> list[int]:
    """Numbers of seeds a round can have, ascending: from 6 doubled, up to ``seeds``."""
    found, count = [], min(ENOUGH, seeds)
    while count < seeds:
        found.append(count)
        count *= 2
    return [*found, seeds]


def lengths(epochs: int) -> list[int]:
    """Numbers of epochs a round can have, descending: the budget, a half, a quarter, down to 1."""
    found = [epochs]
    while found[-1] > 1:
        found.append(found[-1] // 2)
    return found


def short_epoch(preset: Preset, fixes: int, player: str = AUTO) -> int | None:
    """The rows of an epoch with which ``fixes`` fit into a round; None for all of them."""
    configuration = preset.configuration
    samples = configuration.samples_per_epoch
    if samples <= LEAST_ROWS:
        return None
    wanted = max(LEAST_EPOCHS, -(-LEAST_UPDATES // configuration.updates_per_epoch))
    epochs = min(wanted, preset.goal.epochs)
    needed = fixes * Trial(preset, NOTHING, player=player).seconds(range(FEWEST), epochs)
    rows = max(int(samples * FIELD / needed), LEAST_ROWS) if needed > FIELD else samples
    return rows if rows < samples else None


class _Rounds:
    def __init__(
        self, findings: Sequence[Finding], laboratory: Laboratory, seeds: int, needed: float
    ) -> None:
        self.preset = preset = laboratory.preset
        self.laboratory = laboratory
        first = min(preset.seed, HIGHEST_SEED + 1 - seeds)
        self.seeds = range(first, first + seeds)
        self.findings = [each for each in findings if not each.rule.is_code_fault]
        self.slips = [each for each in findings if each.rule.is_code_fault]
        self.correction = correction(findings)
        self.alone = fixes = candidates(preset, findings)
        self.below_floor = bool(findings) and forbids(findings[0])
        if self.below_floor and self._base is not None:
            # Nothing helps that leaves the floor where it is.
            fixes = tried(preset, [*self._causes(), *self._added_to(self._base)])
        self.rows = short_epoch(preset, len(fixes), laboratory.player)
        """Of an epoch, where that is shortened."""
        self.baseline = self._trial(NOTHING)
        self.trials = [self._trial(fix) for fix in fixes]
        self.longer = longer(preset, needed)
        self.complete = False

    def _trial(self, fix: Fix) -> Trial:
        return Trial(self.preset, fix, self.rows, self.laboratory.player)

    def all(self) -> Experiments:
        """Pass after pass, until nothing is left to be trained for longer or the time is up."""
        scale, last = 1.0, False
        while not last and not self.laboratory.deadline.passed:
            last = self._pass(scale)
            scale *= GROWTH
            if not self.laboratory.go_on("more seeds"):
                break
            self.complete = True
        return self._result()

    def _against(self, goal: float) -> Experiments:
        """The results, held against another ``goal``."""
        for trial in (self.baseline, *self.trials):
            trial.hold_against(goal)
        self.preset = self.baseline.base
        return self._result()

    def _pass(self, scale: float) -> bool:
        """All rounds once, with ``scale`` times the first time; whether no more is left to do."""
        budget = self.preset.goal.epochs
        least = max(int(budget * scale / LEAST_SHARE), 1)
        causes = [self.baseline, *self._named(self._causes())]
        if not self._train("the causes", causes, self._fitting(causes, CAUSES * scale, least)):
            return False
        field = [self.baseline, *self.trials]
        size = self._fitting(field, FIELD * scale, 1, FEWEST)
        if not self._train("every fix", field, size):
            return False
        pairs = self._added(self._pairs(size[0]), self._affordable(size, FIELD * scale))
        if not self._train("two fixes at once", pairs, size):
            return False
        triples = self._added(self._triples(size[0]), TRIPLES)
        if not self._train("three at once", triples, size):
            return False
        epochs, kept = size[0], self._ranked(size[0])
        while epochs * GROWTH < budget and len(kept) > 2 * FINALISTS:
            epochs *= GROWTH
            kept = kept[: max(len(kept) // GROWTH, 2 * FINALISTS)]
            longer = [self.baseline, *kept]
            until = self._fitting(longer, LONGER * scale, 1, FEWEST)
            if until[0] < epochs:
                break
            if not self._train("the better ones for longer", longer, (epochs, until[1])):
                return False
            kept = self._ranked(epochs, kept)
        best = [self.baseline, *self._finalists(kept)]
        final = self._fitting(best, FINALS * scale, least)
        if not self._train("the best for longer", best, final):
            return False
        if final[0] < budget and not self._for_the_whole_budget(best[1:], WHOLE * scale):
            return False
        if final[0] == budget and self.longer is not None:
            most = self._added([self.longer], 1)
            if not self._train("a larger budget", most, (budget, min(ENOUGH, len(self.seeds)))):
                return False
        if final[0] == budget:
            # Not all of the field needs every seed.
            self._train("the best on more seeds", self._best(budget), (budget, len(self.seeds)))
        return final[0] == budget == size[0]

    def _for_the_whole_budget(self, best: Sequence[Trial], seconds: float) -> bool:
        """Train what helps of ``best`` for the whole budget, as far as that fits into ``seconds``.

        The baseline is trained too, and the simplest that is as good as the best comes first.
        """
        budget, seeds = self.preset.goal.epochs, self.seeds[:ENOUGH]
        known = [(Experiment.of(trial, self.baseline), trial) for trial in best]
        helping = [(each, trial) for each, trial in known if each is not None and each.helps]
        simple = simplest([each for each, _ in helping])
        helping.sort(key=lambda pair: pair[0] is not simple)
        trials = [self.baseline]
        for _, trial in helping:
            if sum(each.seconds_left(seeds, budget) for each in (*trials, trial)) > seconds:
                break
            trials.append(trial)
        if len(trials) == 1:
            return True
        return self._train("what helps, for the whole budget", trials, (budget, len(seeds)))

    def _fitting(
        self, trials: Sequence[Trial], seconds: float, least: int, fewest: int = ENOUGH
    ) -> tuple[int, int]:
        """The epochs and seeds with which ``trials`` take ``seconds``; seeds are cut first.

        At least ``least`` epochs and ``fewest`` seeds are left, whatever they take.
        """

        def needed(count: int, epochs: int) -> float:
            return sum(trial.seconds(self.seeds[:count], epochs) for trial in trials)

        possible = counts(len(self.seeds))
        if fewest < possible[0]:
            possible.insert(0, fewest)
        budget = self.preset.goal.epochs
        longest = (each for each in lengths(budget) if needed(possible[0], each) <= seconds)
        epochs = max(next(longest, 1), min(least, budget))
        return epochs, max(
            (each for each in possible if needed(each, epochs) <= seconds), default=possible[0]
        )

    def _train(self, words: str, trials: Sequence[Trial], size: tuple[int, int]) -> bool:
        """Train ``trials`` for the epochs and from as many seeds as ``size`` says."""
        epochs, count = size
        tasks: list[Task] = [(trial, self.seeds[:count], epochs) for trial in trials]
        return self.laboratory.run(words, tasks)

    def _named(self, fixes: Iterable[Fix]) -> list[Trial]:
        """The trials of ``fixes``, made where there is none yet."""
        known = [trial.fix.changes for trial in self.trials]
        for fix in fixes:
            if fix.changes not in known:
                self._added([fix], 1)
        wanted = [fix.changes for fix in fixes]
        return [trial for trial in self.trials if trial.fix.changes in wanted]

    def _causes(self) -> list[Fix]:
        """What decides between causes: all slips mended, each finding's fix, and both."""
        own = [fix for finding in self.findings[:LEADING] for fix in own_fixes(finding)[:2]]
        if not self.slips:
            return own
        both = [pair for fix in own if (pair := combined(self.correction, fix)) is not None]
        each = [fix for slip in self.slips for fix in own_fixes(slip)]
        return [self.correction, *own, *each, *both]

    def _added(self, fixes: Iterable[Fix], most: int) -> list[Trial]:
        """New trials of up to ``most`` of ``fixes``, those left out that are known or invalid."""
        old = [trial.fix for trial in self.trials]
        new = tried(self.preset, [*old, *fixes])[len(old) :][:most]
        added = [self._trial(fix) for fix in new]
        self.trials += added
        return added

    def _ranked(self, epochs: int, among: Sequence[Trial] | None = None) -> list[Trial]:
        """The trials with a result in the round of ``epochs``, the best first."""
        results = [
            (found, trial)
            for trial in (self.trials if among is None else among)
            if (found := Experiment.of(trial, self.baseline, epochs)) is not None
        ]
        return [trial for _, trial in sorted(results, key=lambda pair: pair[0].rank)]

    def _affordable(self, size: tuple[int, int], seconds: float) -> int:
        """How many pairs of fixes can be tried in the round of ``size`` in so many seconds."""
        epochs, count = size
        one = self.baseline.seconds(self.seeds[:count], epochs)
        return max(min(int(seconds / max(one, 1e-9)), PAIRS), FEW_PAIRS)

    @property
    def _base(self) -> Fix | None:
        """What is wanted in any case: all slips mended, and the fix of what is proven."""
        mend = self.correction if self.slips else None
        proven = [each for each in self.findings[:1] if each.rule.klass == PROOF]
        own = [fix for finding in proven for fix in own_fixes(finding)[:1]]
        if mend is None or not own:
            return own[0] if own else mend
        return combined(mend, own[0]) or mend

    def _added_to(self, one: Fix) -> Iterator[Fix]:
        """``one`` with each single fix."""
        yield from filter(None, (combined(one, other) for other in self.alone))

    def _pairs(self, epochs: int) -> Iterator[Fix]:
        """Fixes of two findings, what is wanted in any case with others, and the best with them."""
        ranked = [trial.fix for trial in self._ranked(epochs)]
        if self.below_floor:
            best = [fix for fix in ranked if fix.parts > 1][:LEADING]
            yield from (fix for one in best for fix in self._added_to(one))
            return
        alone = [fix for fix in ranked if fix.parts == 1]
        leading = [fix for fix in alone if fix is not self.correction][:LEADING]
        own = [fix for finding in self.findings[:LEADING] for fix in own_fixes(finding)[:1]]
        pairs = [(one, other) for one in own[:2] for other in (*own, *leading[:1])]
        # What changes the scale of things changes the rate that suits them.
        paces = [fix for fix in alone if "training.learning_rate" in fix.changes]
        base = self._base
        if base is not None:
            pairs += [(base, other) for other in alone]
        pairs += [(one, other) for one in own[:1] for other in paces]
        pairs += [(one, other) for one in leading for other in leading]
        pairs += [(leading[0], other) for other in alone if leading]
        yield from filter(None, (combined(one, other) for one, other in pairs))

    def _triples(self, epochs: int) -> Iterator[Fix]:
        """The best pairs with what is wanted in any case, and with the best others."""
        ranked = [trial.fix for trial in self._ranked(epochs)]
        pairs = [fix for fix in ranked if fix.parts > 1]
        base = self._base
        if base is not None:
            yield from filter(None, (combined(base, fix) for fix in pairs[:2]))
        alone = [fix for fix in ranked if fix.parts == 1]
        yield from filter(None, (combined(pair, fix) for pair in pairs[:1] for fix in alone))

    def _finalists(self, kept: Sequence[Trial]) -> list[Trial]:
        """The best few, the simplest of those as good, and what decides about the cause."""
        results = [Experiment.of(trial, self.baseline) for trial in kept]
        simple = simplest([each for each in results if each is not None])
        chosen = [trial for trial in kept if simple is not None and trial.fix is simple.fix]
        base = self._base
        if base is not None:
            chosen += [t for t in kept if base.changes.items() <= t.fix.changes.items()][:1]
        first = [fix for finding in self.findings[:1] for fix in own_fixes(finding)[:2]]
        decisive = self._named([*([self.correction] if self.slips else ()), *first])
        return list(dict.fromkeys([*kept[:FINALISTS], *chosen, *decisive]))

    def _best(self, epochs: int) -> list[Trial]:
        """The baseline and what is recommended or decides, for the last seeds."""
        return [self.baseline, *self._finalists(self._ranked(epochs))]

    def _result(self) -> Experiments:
        known = [(Experiment.of(trial, self.baseline), trial) for trial in self.trials]
        found = [each for each, _ in known if each is not None]
        return Experiments(
            given=Given.of(self.preset),
            seeds=len(self.seeds),
            rows=self.rows,
            epochs=max((each.base_epochs for each in found), default=0),
            baseline=Experiment.of(self.baseline, self.baseline),
            tried=tuple(sorted(found, key=lambda each: each.place)),
            solving=self._solving(),
            untried=tuple(trial.fix for each, trial in known if each is None),
            correction=self.correction,
            complete=self.complete,
            again=self._against,
        )

    def _solving(self) -> tuple[int, ...]:
        rounds = self.baseline.outcomes
        longest = rounds[max(rounds)] if rounds else {}
        goal = self.preset.goal
        return tuple(sorted(seed for seed, each in longest.items() if each.solved(goal)))
