"""Trainings of a program with a change, from several seeds, and what counts as learned in them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import Any

from nntui.diagnosis.experiments.results import Ended, middle
from nntui.diagnosis.finding import Fix
from nntui.program.follow.following import LEFT
from nntui.program.why.changes.variants import Source, Variant
from nntui.program.why.trials.goal import Reference
from nntui.program.why.trials.pool import Pool, Question

FOLLOW = "nntui.program.follow.many:follow"
FEW = 3
"""Seeds of which the median loss is taken for what a variant reaches; and variants of which the
lowest loss is taken for what can be reached from a seed."""
SHORTEST, STEP = 64, 4
"""The shortest round is that part of the training; and the ratio of the lengths of rounds."""
LONGEST = 8.0
"""Planned seconds of what one process is asked at a time: starting one costs a while."""
RECORDING = 30.0
"""How many times longer an update takes while it is recorded, where that was not measured."""
FORK = 0.02
"""Seconds for a process of its own."""
GROWTH = 4.0
"""Between the looks that are made in case a training ends by itself."""


@dataclass(frozen=True)
class Seeds:
    """The seeds that are tried, by number: 0 is the run as it was asked for.

    Where the program draws nothing at random, they are starts that are a little off its own.
    """

    first: int | None
    """Of the run that was asked for; None: the program's own seeds stand."""
    fixed: bool = False
    """Whether no seed makes a difference."""

    def seed(self, number: int) -> int | None:
        """The seed that ``number`` stands for."""
        if self.fixed or number == 0:
            return self.first
        return number + (self.first or 0)

    def jitter(self, number: int) -> int:
        """The noise on the start."""
        return number if self.fixed else 0


@dataclass(eq=False)
class ProgramTrial:
    """A fix, the variant of the program that it makes, and the losses of its seeds."""

    fix: Fix
    variant: Variant
    board: "Board"
    losses: dict[int, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    """By the epochs of the round and by seed; infinite for one that diverged."""

    def epochs(self, epochs: int) -> int:
        """The epochs it is trained for in a round of ``epochs``."""
        return epochs * self.variant.times

    def well_tried(self) -> list[int]:
        """The rounds in which enough of its seeds came to an end."""
        return [epochs for epochs, losses in self.losses.items() if len(losses) >= FEW]

    def losses_from(self, seed: int, epochs: int) -> list[float]:
        """The losses of one seed in the rounds of up to ``epochs``."""
        known = (ends for at, ends in self.losses.items() if at <= epochs)
        return [ends[seed] for ends in known if seed in ends]

    def ended(self) -> dict[int, dict[int, Ended]]:
        """See `Tried.ended`."""
        found: dict[int, dict[int, Ended]] = {}
        for epochs, losses in self.losses.items():
            found[epochs] = {}
            for seed, loss in losses.items():
                goal = self.board.goal(epochs, seed)
                found[epochs][seed] = Ended(loss <= goal, loss / (goal if goal > 0.0 else 1.0))
        return found


@dataclass(eq=False)
class Board:
    """All trials of a program, and by what they are measured."""

    reference: Reference
    trials: list[ProgramTrial] = field(default_factory=list)
    """The first is that of the program as it stands."""
    halfway: bool = False
    """Whether half of the way to the lowest loss counts as learned."""

    def lowest(self, epochs: int, seed: int) -> float:
        """The lowest loss from ``seed`` of any trial in rounds of up to ``epochs``.

        Another seed may mean other data, of which less can be learned.  Where too few were tried
        from this one, it is the lowest median over seeds.
        """
        ends = [each.losses_from(seed, epochs) for each in self.trials]
        own = [min(each) for each in ends if each]
        if len(own) >= FEW:
            return min(own)
        return self._median(epochs)

    def goal(self, epochs: int, seed: int) -> float:
        """The loss that counts as learned from ``seed`` in the round of ``epochs``."""
        lowest = self.lowest(epochs, seed)
        if not self.halfway:
            return self.reference.goal(lowest)
        return self.reference.halfway(self._median(epochs), self._present(epochs))

    def _present(self, epochs: int) -> float:
        """The median loss of the program as it stands."""
        return middle(list(self.trials[0].losses.get(epochs, {}).values()))

    def _median(self, epochs: int) -> float:
        """The lowest median loss over seeds, in rounds of up to ``epochs``."""
        medians = [
            middle(list(each.losses[length].values()))
            for each in self.trials
            for length in each.well_tried()
            if length <= epochs
        ]
        return min(medians, default=inf)


@dataclass(frozen=True)
class Costs:
    """What training a program takes, in seconds."""

    before: float
    """Up to its first update."""
    epoch: float
    look: float
    """Measuring the loss of an epoch, beside training it."""

    @classmethod
    def measured(cls, course: Mapping[str, Any]) -> "Costs":
        """Those of a training that was followed."""
        updates, epochs = max(course["updates"], 1), max(course["epochs"], 1)
        looks = max(len(course["looks"]), 1)
        recorded = course["seconds"] / updates
        each = course["each"] if course["each"] is not None else recorded / RECORDING
        spent = max(course["seconds"] - each * updates, 0.0)
        return cls(course["before"] + FORK, each * updates / epochs, spent / looks)

    def of(self, epochs: int) -> float:
        """Of one training of so many epochs."""
        return self.before + self.epoch * epochs + self.look * len(looks_for(epochs))


class ProgramLaboratory:
    """Trains variants of a program in several processes until a deadline."""

    def __init__(
        self, source: Source, board: Board, seeds: Seeds, pool: Pool, costs: "Costs"
    ) -> None:
        self.source, self.board, self.pool, self.seeds = source, board, pool, seeds
        self._costs = costs

    def trial(self, fix: Fix) -> ProgramTrial | None:
        """A new trial of ``fix``; None where it cannot be made to the program."""
        variant = self.source.variant(fix.changes)
        if variant is None:
            return None
        made = ProgramTrial(fix, variant, self.board)
        self.board.trials.append(made)
        return made

    def seconds(self, trial: ProgramTrial, epochs: int) -> float:
        """A rough estimate for one seed in a round of ``epochs``."""
        return self._costs.of(trial.epochs(epochs))

    @property
    def capacity(self) -> float:
        """The seconds of all processes together that are left."""
        return self.pool.workers * max(self.pool.deadline.left, 0.0)

    def fitting(self, trials: Sequence[ProgramTrial], seeds: int, share: float) -> int:
        """The most epochs for which ``trials`` fit into ``share`` of the time that is left."""
        budget, room = self.source.epochs, share * self.capacity
        epochs = budget
        while epochs * SHORTEST > budget and epochs > 1:
            if seeds * sum(self.seconds(each, epochs) for each in trials) <= room:
                break
            epochs = max(epochs // STEP, 1)
        return epochs

    def train(self, trials: Sequence[ProgramTrial], epochs: int, seeds: int) -> bool:
        """Train ``trials`` for ``epochs``, the first seeds first; whether all came to an end."""
        tasks = [
            (trial, seed)
            for seed in range(seeds)
            for trial in trials
            if seed not in trial.losses.get(epochs, {})
        ]
        batches = self._batches(tasks, epochs)
        questions = [Question(FOLLOW, self._options(batch, epochs)) for batch in batches]
        done = 0
        for number, answer in self.pool.ask(questions):
            for (trial, seed), course in zip(batches[number], answer.get("runs", ()), strict=False):
                _note(trial, seed, course, epochs)
            done += len(answer.get("runs", ())) == len(batches[number])
        return done == len(batches)

    def _batches(
        self, tasks: Sequence[tuple[ProgramTrial, int]], epochs: int
    ) -> list[list[tuple[ProgramTrial, int]]]:
        """``tasks`` dealt out to as many processes as run at a time, or more if it takes long."""
        planned = sum(self.seconds(trial, epochs) for trial, _ in tasks)
        count = max(self.pool.workers, int(planned / LONGEST))
        return [batch for at in range(count) if (batch := list(tasks[at::count]))]

    def _options(self, batch: Sequence[tuple[ProgramTrial, int]], epochs: int) -> dict[str, Any]:
        runs = []
        for trial, seed in batch:
            looks = looks_for(trial.epochs(epochs))
            request = trial.variant.request(self.source.request, looks)
            request = replace(request, jitter=self.seeds.jitter(seed))
            runs.append(
                {
                    "request": request.as_plain(),
                    "seed": self.seeds.seed(seed),
                    "texts": dict(trial.variant.texts),
                }
            )
        return {"runs": runs, "seconds": max(self.pool.deadline.left, 0.1)}


def looks_for(epochs: int) -> list[int]:
    """The last of ``epochs``, and earlier ones in case that training ends by itself."""
    looks, at = {epochs - 1}, 1.0
    while at < epochs:
        looks.add(int(at) - 1)
        at = max(at * GROWTH, at + 1.0)
    return sorted(looks)


def _note(trial: ProgramTrial, seed: int, course: Mapping[str, Any], epochs: int) -> None:
    """Keep the final loss of a training; nothing of one that the time has cut off."""
    wanted = trial.epochs(epochs) - 1
    looks = {look["epoch"]: look["loss"] for look in course.get("looks", ())}
    ending = course.get("ending") or {}
    loss: float | None = None
    if wanted in looks:
        loss = looks[wanted]
    elif ending.get("kind") == "crash":
        loss = inf
    elif course.get("ended") == LEFT and looks:
        loss = looks[max(looks)]
    if loss is not None:
        trial.losses[epochs][seed] = loss if isfinite(loss) else inf
