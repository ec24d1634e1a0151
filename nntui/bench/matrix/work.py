"""Work of the matrix: pure functions that train and diagnose one cell, for any process."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import Any

from nntui.bench.matrix.outcomes import (
    HURTS,
    NOT_HEALTHY,
    SILENT,
    Cures,
    Faulty,
    Healthy,
    Said,
    accepts,
)
from nntui.bench.matrix.planting import CODE, COMBINED, Planted
from nntui.bench.matrix.plants import PLANTS
from nntui.bench.matrix.tasks import TASKS, source_of
from nntui.bench.matrix.unknown import registered
from nntui.core.engine.network import has_effect
from nntui.core.errors import ConfigError
from nntui.core.settings.training_settings import FULL
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.finding import Diagnosis
from nntui.diagnosis.observation import observe
from nntui.presets import Preset, read_preset
from nntui.presets.schema import override
from nntui.sweeps.block import Block, train_block
from nntui.timeline.run import Run

SHARES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Where a run is looked at beside its first update, as shares of its updates."""
ANOTHER = 1000
"""What is added to a seed to get another one."""
WATCHED = 4
"""One of so many healthy runs is also looked at on its way."""
BEYOND = 5
"""A continued healthy run ends at so many times its convergence."""


def planted(kind: str, task: str, architecture: str) -> Planted | None:
    """The twins of a cell, None where the fault makes no sense or changes nothing."""
    made = PLANTS[kind].plant(TASKS[task], architecture, source_of(TASKS[task], architecture))
    if made is None or PLANTS[kind].family not in (CODE, COMBINED):
        return made
    with registered():
        configuration = read_preset(kind, made.faulty).configuration
        does = all(has_effect(configuration, entry) for entry in configuration.faults)
    samples = made.faulty["training"].get("batch", FULL)
    return made if does and samples != 1 else None


def said(diagnosis: Diagnosis) -> Said:
    """The findings as (code, layer)."""
    return tuple((finding.code, finding.layer) for finding in diagnosis.findings)


@dataclass(frozen=True)
class Cell:
    """One kind of fault in one network, from several seeds."""

    kind: str
    task: str
    architecture: str
    seeds: tuple[int, ...]

    def run(self) -> list[Faulty]:
        """The outcome of every seed; nothing where the fault makes no sense."""
        twins = planted(self.kind, self.task, self.architecture)
        if twins is None:
            return []
        with registered():
            return self._run(twins)

    def _run(self, twins: Planted) -> list[Faulty]:
        healthy, faulty = (read_preset(self.kind, each) for each in (twins.healthy, twins.faulty))
        well, ill = _solved(healthy, self.seeds), _solved(faulty, self.seeds)
        cures = self._general_cures(faulty, [s for s in self.seeds if well[s] and not ill[s]])
        outcomes, fixes = [], dict[int, Mapping[str, Any] | None]()
        for seed in self.seeds:
            label = NOT_HEALTHY if not well[seed] else SILENT if ill[seed] else HURTS
            outcome, fixes[seed] = self._seen(faulty, seed, label, twins.layers)
            outcomes.append(outcome)
        repaired = _fixed(faulty, fixes)
        return [
            replace(each, cures=Cures(repaired.get(each.seed), *cures[each.seed]))
            if each.label == HURTS
            else each
            for each in outcomes
        ]

    def _general_cures(self, faulty: Preset, failed: list[int]) -> dict[int, tuple[bool, bool]]:
        """Whether another seed, and a tenth of the rate, solve what failed."""
        other = _solved(faulty, [seed + ANOTHER for seed in failed])
        rate = faulty.configuration.training.learning_rate / 10.0
        slower = _solved(override(faulty, {"training.learning_rate": rate}), failed)
        return {seed: (other[seed + ANOTHER], slower[seed]) for seed in failed}

    def _seen(
        self, faulty: Preset, seed: int, label: str, layers: tuple[int, ...]
    ) -> tuple[Faulty, Mapping[str, Any] | None]:
        """The run as the diagnosis sees it, and the changes of its first fix."""
        is_code = PLANTS[self.kind].family == CODE
        outcome = Faulty(self.kind, self.task, self.architecture, seed, label, layers=layers)
        if label == NOT_HEALTHY or not (is_code or label == HURTS):
            return outcome, None
        run, heard, first = Run(faulty, seed), None, None
        every = looks(faulty) if label == HURTS else [1]
        for update in every:
            if heard is not None and update < every[-1]:
                continue
            run.seek(update)
            diagnosis = diagnose(observe(run))
            found = said(diagnosis)
            first = found if first is None else first
            if heard is None and any(accepts(self.kind, found, layers)):
                heard = run.update
            if run.update < update:
                break
        headline = diagnosis.headline
        fix = headline.fixes[0].changes if headline is not None and headline.fixes else None
        seen = replace(
            outcome,
            at_start=first or (),
            at_end=found if label == HURTS else (),
            heard=heard,
            updates=run.update,
        )
        return seen, fix or None


@dataclass(frozen=True)
class Well:
    """One healthy network from several seeds."""

    task: str
    architecture: str
    seeds: tuple[int, ...]

    def run(self) -> list[Healthy]:
        """The outcome of every seed; every second one is continued beyond its convergence."""
        preset = _healthy(self.task, self.architecture)
        return [self._seen(preset, seed) for seed in self.seeds]

    def _seen(self, preset: Preset, seed: int) -> Healthy:
        run, way = Run(preset, seed), Said()
        continued = seed % 2 == 1
        budget = preset.goal.epochs
        watched = seed % WATCHED == 0
        for update in looks(preset)[:-1] if watched else ():
            run.seek(update)
            way += said(diagnose(observe(run)))
        run.seek(run.end_of(budget - 1))
        outcome = Healthy(self.task, self.architecture, seed, run.solved)
        if not run.solved:
            return outcome
        reports = zip(run.reported_epochs.tolist(), run.losses.tolist(), strict=True)
        converged = next(epoch for epoch, loss in reports if preset.goal.reached(loss))
        if continued:
            run.seek(run.end_of(max(budget, BEYOND * (converged + 1)) - 1))
        return replace(
            outcome,
            converged=converged,
            continued=continued,
            watched=watched,
            epochs=run.epoch,
            alarms=said(diagnose(observe(run))),
            on_the_way=way,
        )


@lru_cache
def _healthy(task: str, architecture: str) -> Preset:
    return read_preset(task, source_of(TASKS[task], architecture))


def looks(preset: Preset) -> list[int]:
    """The updates at which a run of ``preset`` is looked at, the last of its budget at last."""
    budget = preset.goal.epochs * preset.configuration.updates_per_epoch
    return sorted({1, *(max(ceil(share * budget), 1) for share in SHARES)})


def _solved(preset: Preset, seeds: "tuple[int, ...] | list[int]") -> dict[int, bool]:
    block = Block(preset.configuration, preset.goal, preset.goal.epochs, tuple(seeds))
    return {each.seed: each.solved(preset.goal) for each in train_block(block)}


def _fixed(faulty: Preset, fixes: Mapping[int, Mapping[str, Any] | None]) -> dict[int, bool]:
    """Per seed that has a fix, whether the run is solved with it."""
    groups: dict[str, tuple[Mapping[str, Any], list[int]]] = {}
    for seed, changes in fixes.items():
        if changes is not None:
            groups.setdefault(repr(sorted(changes.items())), (changes, []))[1].append(seed)
    found: dict[int, bool] = {}
    for changes, seeds in groups.values():
        try:
            repaired = fixed(faulty, changes)
        except ConfigError:
            found.update(dict.fromkeys(seeds, False))
        else:
            found.update(_solved(repaired, seeds))
    return found


def fixed(faulty: Preset, changes: Mapping[str, Any]) -> Preset:
    """``faulty`` with a fix, to be judged by the same error, budget and goal as before.

    Raises ConfigError for changes that do not go together.
    """
    own = {
        key: value for key, value in changes.items() if key.split(".")[0] not in ("goal", "report")
    }
    return override(faulty, own)
