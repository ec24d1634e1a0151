"""Plan the experiments in rounds that fit into the time.

First every fix alone; then the best together with others; then more seeds, the best first.  Where
the scenario is too long for that, the first rounds train for fewer epochs, and only the best few
for as many as the time allows.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.experiments.fixes import CORRECTION, candidates, combined, own_fixes, tried
from nntui.diagnosis.experiments.laboratory import Laboratory, OnProgress, Task, Trial
from nntui.diagnosis.experiments.results import Experiment, Experiments, simplest
from nntui.diagnosis.finding import Finding, Fix
from nntui.diagnosis.rules.code_faults import ONLY_PRINTED
from nntui.presets.preset import Preset
from nntui.presets.schema import HIGHEST_SEED
from nntui.sweeps.block import seconds_of
from nntui.sweeps.processes import local_processes

SEEDS = 100
SECONDS = 20.0
FEW = 12
"""Fewest seeds of the last round, if time allows."""
FEWEST = 4
"""Seeds of the first rounds if seeds are trained one by one."""
SINGLES, LAST = 0.3, 0.9
"""Shares of the remaining time planned for the first and the last round: estimates are rough."""
SINGLES_END, PAIRS_END = 0.5, 0.45
"""Shares of the remaining time after which the first rounds start no more blocks."""
LEAST_EPOCHS, LEAST_UPDATES = 20, 1000
"""Wanted in the first round; if that takes too long, an epoch uses fewer rows."""
LEAST_ROWS = 1000
"""Fewest rows of an epoch."""
SLOWER = 5.0
"""The factor by which epochs are cut if the first round gave hardly any result."""
LEADING = 3
"""Single fixes that are combined with others first."""
TRIPLES = 4
"""Third fixes with which the best pair is combined."""
SLOW_PAIRS = 5
"""Pairs if seeds are trained one by one: the last round needs the time."""
FINALISTS = 4
"""Fixes in the last round if it trains for longer."""
WORTH_LONGER = 1.5
"""The ratio of epochs from which a longer last round is worth its time."""
NOTHING = Fix("nothing changed", {})


@contextmanager
def workshop(
    preset: Preset,
    deadline: Deadline,
    progress: OnProgress | None = None,
    workers: int | None = None,
) -> Iterator[Laboratory]:
    """A laboratory for ``preset``, open until ``deadline``.

    ``workers`` is its number of processes (None: one per processor; 0: train in this thread).
    """
    count = (os.cpu_count() or 1) if workers is None else workers
    with local_processes(count) as executor:
        laboratory = Laboratory(preset, executor, count, deadline, progress)
        try:
            yield laboratory
        finally:
            laboratory.close()


def experiment(
    findings: Sequence[Finding], laboratory: Laboratory, seeds: int = SEEDS
) -> Experiments:
    """Try the fixes of ``findings`` and the standing ones in ``laboratory``, from ``seeds`` seeds.

    Seeds start with the preset's own and are the same for the baseline and every fix.
    """
    return _Rounds(findings, laboratory, seeds).all()


def fitting(epochs: int, needed: float, available: float) -> int:
    """``epochs``, or fewer (rounded to two digits) if they need more than ``available`` seconds."""
    if needed <= available or needed == 0.0:
        return epochs
    most = max(int(epochs * max(available, 0.0) / needed), 1)
    unit = int(10 ** max(len(str(most)) - 2, 0))
    return most // unit * unit


class _Rounds:
    def __init__(self, findings: Sequence[Finding], laboratory: Laboratory, seeds: int) -> None:
        self.preset, self.laboratory = laboratory.preset, laboratory
        preset = self.preset
        first = min(preset.seed, HIGHEST_SEED + 1 - seeds)
        self.seeds = range(first, first + seeds)
        self.rows: int | None = None
        """Of an epoch, where that is shortened."""
        self.baseline = self._trial(NOTHING)
        self.trials = [self._trial(fix) for fix in candidates(preset, findings)]
        hurt = any(each.rule.is_code_fault and each.code not in ONLY_PRINTED for each in findings)
        self.corrects = hurt and any(trial.fix is CORRECTION for trial in self.trials)
        self.own = [dict(fix.changes) for fix in own_fixes(findings[0])] if findings else []
        self.epochs = preset.goal.epochs
        """Of the rounds that every fix takes part in."""

    def _trial(self, fix: Fix) -> Trial:
        return Trial(self.preset, fix, self.rows)

    def _measure(self) -> None:
        """Learn how fast this machine is, with short epochs.

        Epochs stay short where too few of whole ones fit into the first round.
        """
        configuration, left = self.preset.configuration, self.laboratory.left
        samples = configuration.samples_per_epoch
        short = LEAST_ROWS if samples > LEAST_ROWS else None
        self.laboratory.measure_speed(Trial(self.preset, NOTHING, short), self.seeds[:FEW])
        if short is None:
            return
        wanted = max(LEAST_EPOCHS, -(-LEAST_UPDATES // configuration.updates_per_epoch))
        epochs = min(wanted, self.preset.goal.epochs)
        needed = self.laboratory.seconds_for(self._tasks([self.baseline, *self.trials], epochs))
        rows = max(fitting(samples, needed, SINGLES * left), LEAST_ROWS)
        if rows < samples:
            self.rows = rows
            self.baseline, *self.trials = map(
                self._trial, (NOTHING, *(trial.fix for trial in self.trials))
            )

    def all(self) -> Experiments:
        if not self.laboratory.deadline.passed:
            self._try_all()
        return self._result()

    def _try_all(self) -> None:
        self._measure()
        self.singles = list(self.trials)
        trials = [self.baseline, *self.trials]
        self.epochs = self._fitting(trials, SINGLES)
        self._try("every fix", trials, SINGLES_END)
        while self.epochs > 1 and self._unknown() and self.laboratory.go_on("every fix"):
            # It took longer than the probe had told.
            self.epochs = fitting(self.epochs, SLOWER, 1.0)
            self._try("every fix", trials, SINGLES_END)
        for name, chosen in (("two fixes at once", self._pairs), ("three at once", self._triples)):
            added = [self._trial(fix) for fix in self._new(chosen())]
            self.trials += added
            self._try(name, added, PAIRS_END)
        best = self._finalists()
        longer = self._fitting([self.baseline, *best], LAST, len(self.seeds[:FEW]))
        if longer > WORTH_LONGER * self.epochs:
            self._finish("the best for longer", best, longer)
        else:
            self._finish("the best on more seeds", self._best(), self.epochs)

    def _unknown(self) -> bool:
        """Whether of most fixes nothing can be said yet."""
        return 2 * len(self._ranked()) < len(self.trials)

    def _tasks(self, trials: Sequence[Trial], epochs: int, fewest: int = FEWEST) -> list[Task]:
        """All seeds for those that are trained side by side, which costs little; few for others."""
        return [
            (trial, self.seeds if self._cheap(trial) else self.seeds[:fewest], epochs)
            for trial in trials
        ]

    def _cheap(self, trial: Trial) -> bool:
        """Whether all seeds take at most twice as long as a few."""
        few, every = (seconds_of(trial.block(s, 1)) for s in (self.seeds[:FEW], self.seeds))
        return every <= 2 * few

    def _fitting(self, trials: Sequence[Trial], share: float, fewest: int = FEWEST) -> int:
        """For how many epochs ``trials`` can be trained in a ``share`` of the time left."""
        goal, lab = self.preset.goal, self.laboratory
        needed = lab.seconds_for(self._tasks(trials, goal.epochs, fewest))
        return fitting(goal.epochs, needed, share * lab.left)

    def _try(self, words: str, trials: Sequence[Trial], share: float) -> None:
        self.laboratory.run(words, self._tasks(trials, self.epochs), share)

    def _finish(self, words: str, trials: Sequence[Trial], epochs: int) -> None:
        """As many seeds as the time allows: first a few of each trial, then all, best first."""
        everybody = [self.baseline, *trials]
        few: list[Task] = [(trial, self.seeds[:FEW], epochs) for trial in everybody]
        cheap = [task for task in self._tasks(everybody, epochs) if task[1] is self.seeds]
        rest: list[Task] = [(trial, self.seeds, epochs) for trial in everybody]
        self.laboratory.run(words, [*cheap, *few])
        self.laboratory.run(words, rest)

    def _ranked(self) -> list[tuple[Experiment, Trial]]:
        """The trials with a result, the best first."""
        known = [(Experiment.of(trial, self.baseline), trial) for trial in self.trials]
        found = [(each, trial) for each, trial in known if each is not None]
        return sorted(found, key=lambda pair: pair[0].rank)

    def _best(self) -> list[Trial]:
        """The best first, but for one as good that is simpler, and the headline's own fixes."""
        ranked = self._ranked()
        known = [each for each, _ in ranked]
        chosen = (simplest(known, lambda each: self._fixes_cause(each.fix)), simplest(known))
        leading = [trial for each, trial in ranked if each in chosen or each is known[0]]
        others = sorted((trial for _, trial in ranked), key=lambda trial: not self._is_own(trial))
        return list(dict.fromkeys([*leading, *others]))

    def _finalists(self) -> list[Trial]:
        """The best few, among them one of the headline's own fixes."""
        ranked = [trial for _, trial in self._ranked()]
        own = [trial for trial in ranked if self._is_own(trial)][:1]
        return list(dict.fromkeys([*ranked[: FINALISTS - 1], *own, *ranked]))[:FINALISTS]

    def _is_own(self, trial: Trial) -> bool:
        return dict(trial.fix.changes) in self.own or (self.corrects and trial.fix is CORRECTION)

    def _fixes_cause(self, fix: Fix) -> bool:
        return any(each.items() <= fix.changes.items() for each in self.own)

    def _pairs(self) -> Iterator[Fix]:
        """The fix to begin with together with the others, and the best two.

        One begins with the correction of a code fault, which is wanted in any case; or with the
        headline's own fix where nothing is solved yet; else with the best.
        """
        ranked = self._ranked()
        if not ranked:
            return
        best, trial = ranked[0]
        own = [each for _, each in ranked if self._is_own(each)]
        begins_with_own = own and (self.corrects or not best.solved)
        first = own[0] if begins_with_own else trial
        # What is best alone need not be best together, so all of them have their turn.
        leading = [each for _, each in ranked if each.fix is not CORRECTION][:LEADING]
        others = dict.fromkeys([*leading, *self.trials])
        if not begins_with_own and best.solved == best.seeds:
            others = dict.fromkeys(leading)
        slow = not self._cheap(self.baseline)
        firsts = (first, trial) if slow else (first,)
        pairs = [(trial, other) for other in leading[:2]]
        pairs += [(one, other) for other in others for one in firsts]
        both = filter(None, (combined(one.fix, other.fix) for one, other in pairs))
        yield from islice(both, SLOW_PAIRS if slow else None)

    def _triples(self) -> Iterator[Fix]:
        """The best pair together with the best others, where it leaves something to solve."""
        ranked = self._ranked()
        pairs = [(each, trial) for each, trial in ranked if trial not in self.singles]
        if self.corrects:
            pairs = [
                pair for pair in pairs if pair[1].fix.changes.items() >= CORRECTION.changes.items()
            ]
        perfect = not pairs or pairs[0][0].solved == pairs[0][0].seeds
        if perfect or not self._cheap(self.baseline):
            return
        alone = [trial.fix for _, trial in ranked if trial in self.singles]
        added = [combined(pairs[0][1].fix, fix) for fix in alone]
        if self.corrects:
            uncorrected = (trial.fix for _, trial in ranked if trial not in self.singles)
            added.insert(
                0, next(filter(None, (combined(fix, CORRECTION) for fix in uncorrected)), None)
            )
        yield from islice(filter(None, added), TRIPLES)

    def _new(self, fixes: Iterable[Fix]) -> list[Fix]:
        old = [trial.fix for trial in self.trials]
        return tried(self.preset, [*old, *fixes])[len(old) :]

    def _result(self) -> Experiments:
        ranked = self._ranked()
        done = [trial for _, trial in ranked]
        return Experiments(
            preset=self.preset,
            seeds=len(self.seeds),
            rows=self.rows,
            epochs=max((each.epochs for each, _ in ranked), default=0),
            baseline=Experiment.of(self.baseline, self.baseline),
            tried=tuple(sorted((each for each, _ in ranked), key=lambda each: each.place)),
            solving=self._solving(),
            untried=tuple(trial.fix for trial in self.trials if trial not in done),
        )

    def _solving(self) -> tuple[int, ...]:
        rounds = self.baseline.outcomes
        longest = rounds[max(rounds)] if rounds else {}
        goal = self.preset.goal
        return tuple(sorted(seed for seed, each in longest.items() if each.solved(goal)))
