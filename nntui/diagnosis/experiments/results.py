"""Results of the experiments: each fix compared with no change, on the same seeds."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nntui.diagnosis.experiments.fixes import CORRECTION, combined, own_fixes
from nntui.diagnosis.experiments.paired_test import HARMS, HELPS, NO_EFFECT, p_value, verdict
from nntui.diagnosis.finding import Finding, Fix
from nntui.presets.preset import Preset
from nntui.sweeps.result import wilson

ENOUGH = 6
"""Seeds that must have finished for a round to count: the fewest of which `paired_test` can say
that a fix helps."""
NEAR = 0.9
"""A fix counts as equally good if it solves this share of the seeds that another one solves: a few
seeds prove no difference."""


@dataclass(frozen=True)
class Ended:
    """How one seed ended with a fix."""

    solved: bool
    loss: float
    """Its final loss in units of the goal; infinite without a finite one."""


class Tried(Protocol):
    """A fix and how its seeds ended, in every round that was made of it."""

    fix: Fix

    def ended(self) -> Mapping[int, Mapping[int, Ended]]:
        """By the epochs of the round, and by seed."""

    def epochs(self, epochs: int) -> int:
        """The epochs it is trained for in a round of ``epochs``."""


@dataclass(frozen=True)
class Given:
    """The settings that experiments are compared with: those that were given."""

    epochs: int
    """The budget."""
    learning_rate: float | None
    """None if it is not known."""
    rows: int
    """Rows in an epoch."""
    goal: float | None = None
    """The reported loss that counts as solved; None if it is not one for all seeds."""

    @classmethod
    def of(cls, preset: Preset) -> "Given":
        """Those of ``preset``."""
        configuration = preset.configuration
        rate = configuration.training.learning_rate
        return cls(preset.goal.epochs, rate, configuration.samples_per_epoch, preset.goal.loss)


@dataclass(frozen=True)
class Experiment:
    """A fix over ``seeds`` seeds, paired with the baseline's same seeds."""

    fix: Fix
    seeds: int
    epochs: int
    """Those of the fix; the baseline is trained for `base_epochs`."""
    solved: int
    baseline_solved: int
    won: int
    """Seeds that only the fix solves."""
    lost: int
    """Seeds that only the baseline solves."""
    loss: float
    """The median final loss in units of the goal, which is not the same for every fix; infinite if
    half of the runs have no finite one."""
    ends: Mapping[int, Mapping[int, bool]] = field(default_factory=dict, repr=False)
    """Whether each seed is solved, by epochs of the round and seed."""
    base_epochs: int = 0

    @classmethod
    def of(cls, trial: Tried, baseline: Tried, within: int | None = None) -> "Experiment | None":
        """The result of ``trial`` in its longest round with enough seeds; None without any.

        With ``within`` only the round of so many epochs counts.
        """
        now, then = trial.ended(), baseline.ended()
        shared = {
            epochs: sorted(ends.keys() & then.get(epochs, {}).keys())
            for epochs, ends in now.items()
            if within is None or epochs == within
        }
        rounds = sorted(
            (min(len(seeds), ENOUGH), epochs) for epochs, seeds in shared.items() if seeds
        )
        if not rounds:
            return None
        epochs = rounds[-1][1]
        pairs = [(now[epochs][seed], then[epochs][seed]) for seed in shared[epochs]]
        return cls(
            fix=trial.fix,
            seeds=len(pairs),
            epochs=trial.epochs(epochs),
            base_epochs=epochs,
            solved=sum(mine.solved for mine, _ in pairs),
            baseline_solved=sum(other.solved for _, other in pairs),
            won=sum(mine.solved and not other.solved for mine, other in pairs),
            lost=sum(other.solved and not mine.solved for mine, other in pairs),
            loss=middle([mine.loss for mine, _ in pairs]),
            ends={
                length: {seed: each.solved for seed, each in sorted(ends.items())}
                for length, ends in now.items()
            },
        )

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson 95 % interval of the share of seeds solved with the fix."""
        return wilson(self.solved, self.seeds)

    @property
    def p(self) -> float:
        """See `paired_test.p_value`."""
        return p_value(self.won, self.lost)

    @property
    def verdict(self) -> str:
        """``helps``, ``no effect`` or ``harms``."""
        return verdict(self.won, self.lost)

    @property
    def helps(self) -> bool:
        """Whether it solves more seeds than nothing changed, beyond chance."""
        return self.verdict == HELPS

    @property
    def harms(self) -> bool:
        """Whether it solves fewer seeds than nothing changed, beyond chance."""
        return self.verdict == HARMS

    def as_good_as(self, other: "Experiment") -> bool:
        """Whether it solves nearly as many seeds as ``other``, and no fewer beyond chance.

        Decided by the longest round that covers all seeds of ``other``; False without one.
        """
        for epochs in sorted(self.ends.keys() & other.ends.keys(), reverse=True):
            mine, theirs = self.ends[epochs], other.ends[epochs]
            if len(theirs) >= other.seeds and mine.keys() >= theirs.keys():
                won = sum(mine[seed] and not solved for seed, solved in theirs.items())
                lost = sum(solved and not mine[seed] for seed, solved in theirs.items())
                solved_there = sum(theirs.values())
                near = solved_there + won - lost >= NEAR * solved_there
                return near and verdict(won, lost) != HARMS
        return False

    @property
    def rank(self) -> tuple[float, ...]:
        """Sort key, best first: longest trained, most solved, fewest changes, least loss.

        Shares of different numbers of seeds are compared by the lower ends of their intervals.
        Where nothing is solved the loss decides.
        """
        changes = len(self.fix.changes) if self.solved else 0
        return (-self.base_epochs, -self.interval[0], changes, self.loss, len(self.fix.changes))

    @property
    def place(self) -> tuple[float, ...]:
        """Sort key of the list: what helps, then what has no effect, then what harms."""
        return ((HELPS, NO_EFFECT, HARMS).index(self.verdict), *self.rank)

    @property
    def simplicity(self) -> tuple[float, ...]:
        """Sort key, simplest first; equally simple ones by `rank`."""
        return (*self.fix.size, *self.rank)

    def as_json(self) -> dict[str, Any]:
        """An entry of ``experiments`` in ``why --json``."""
        return {
            "fix": self.fix.text,
            "set": dict(self.fix.changes),
            "seeds": self.seeds,
            "epochs": self.epochs,
            "solved": self.solved,
            "baseline_solved": self.baseline_solved,
            "interval": list(self.interval),
            "p_value": self.p,
            "verdict": self.verdict,
        }


def simplest(
    tried: Sequence[Experiment], *preferred: Callable[[Experiment], bool]
) -> Experiment | None:
    """The simplest of those ``tried`` that are as good as the best that helps; None without one.

    Those that the first of ``preferred`` picks take precedence, then those of the next.
    """
    helping = sorted((each for each in tried if each.helps), key=lambda each: each.rank)
    good = [each for each in helping if each is helping[0] or each.as_good_as(helping[0])]
    wanted = next(filter(None, ([e for e in good if picks(e)] for picks in preferred)), good)
    return min(wanted, key=lambda each: each.simplicity, default=None)


def middle(losses: Sequence[float]) -> float:
    """The median; infinite for none."""
    return sorted(losses)[len(losses) // 2] if losses else math.inf


@dataclass(frozen=True)
class Experiments:
    """All experiments on a preset or program, best first."""

    given: Given
    seeds: int
    """The number of seeds requested."""
    epochs: int
    """The number of epochs of the last round."""
    baseline: Experiment | None
    """The baseline, compared with itself; None if not even that was trained."""
    tried: tuple[Experiment, ...] = ()
    untried: tuple[Fix, ...] = ()
    """Fixes for which there was no time."""
    solving: tuple[int, ...] = ()
    """Seeds that are solved with nothing changed."""
    rows: int | None = None
    """Rows per epoch, drawn at random, if there was no time for whole epochs."""
    correction: Fix = CORRECTION
    """What mends all code faults that were found."""
    complete: bool = True
    """Whether the time allowed all that was planned for the best of them."""
    again: "Callable[[float], Experiments] | None" = field(default=None, compare=False, repr=False)
    """Holds the same outcomes against another goal."""

    def against(self, goal: float) -> "Experiments":
        """The same, held against another ``goal``, where that can be done."""
        if self.again is None or goal == self.given.goal:
            return self
        return self.again(goal)

    @property
    def lowest(self) -> float:
        """The lowest median loss of all that was tried, in units of the goal."""
        return min((each.loss for each in self.tried), default=math.inf)

    def cut(self, each: Experiment) -> bool:
        """Whether ``each`` was cut short, so that "no effect" means undecided."""
        short = self.rows is not None or each.base_epochs < self.given.epochs
        return short or each.seeds < min(ENOUGH, self.seeds)

    @property
    def corrected(self) -> Experiment | None:
        """The experiment in which all code faults are mended, and nothing else is changed."""
        return self.of((self.correction,))

    def with_own(self, finding: Finding, mended: bool = False) -> Experiment | None:
        """The best experiment with a fix of ``finding`` alone; ``mended``: or without code faults.

        None if there is none.
        """
        fixes = own_fixes(finding)
        if mended:
            fixes += tuple(filter(None, (combined(self.correction, fix) for fix in fixes)))
        return self.of(fixes)

    def decided(self, each: Experiment) -> bool:
        """Whether the verdict on ``each`` is more than that it was cut short."""
        return each.verdict != NO_EFFECT or not self.cut(each)

    @property
    def reduced(self) -> str | None:
        """What was reduced for lack of time, in words; None if nothing was."""
        most = max((each.seeds for each in self.tried), default=0)
        cut = []
        if most < self.seeds:
            cut.append(f"{most} of {self.seeds} seeds")
        if self.epochs < self.given.epochs:
            cut.append(f"{self.epochs:,} of {self.given.epochs:,} epochs")
        if self.rows is not None:
            every = self.given.rows
            cut.append(f"epochs of {self.rows:,} rows drawn from {every:,}")
        fewer = [e for e in self.tried if e.seeds < most or e.epochs < self.epochs]
        if fewer:
            cut.append(f"fewer for {len(fewer)} of {len(self.tried)} fixes")
        if self.untried:
            cut.append(f"not tried for lack of time: {len(self.untried)}")
        return ", ".join(cut) or None

    def of(self, fixes: Iterable[Fix]) -> Experiment | None:
        """The best experiment with exactly one of ``fixes``."""
        wanted = [dict(fix.changes) for fix in fixes]
        return next((each for each in self.tried if dict(each.fix.changes) in wanted), None)

    def as_json(self) -> list[dict[str, Any]]:
        """``experiments`` in ``why --json``."""
        return [
            {
                **each.as_json(),
                "rows": self.rows or self.given.rows,
                "decided": self.decided(each),
            }
            for each in self.tried
        ]
