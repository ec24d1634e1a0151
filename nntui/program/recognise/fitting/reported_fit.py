"""Finds the reported loss of a preset in the numbers that a program prints or keeps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nntui.core.engine.data import load_data
from nntui.core.engine.network import Forward, Layout
from nntui.core.engine.stepper import Stepper
from nntui.core.parts.losses import LOSSES, loss_value
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.report_settings import Report
from nntui.program.recognise.description import Description, Series
from nntui.program.recognise.fitting.forced_updates import ForcedUpdates
from nntui.program.recognise.fitting.round_numbers import written

Array = np.ndarray
Keys = dict[str, Any]

SAME = 1e-9
"""Relative difference up to which a printed loss is the reported one."""
ROUNDING = 1e-13
"""Relative differences below this tell nothing."""


@dataclass(frozen=True)
class Reported:
    """The entries of a preset's report table, and the number of the program that it is."""

    keys: Keys
    series: Series
    factor: float = 1.0
    """The program's number is this times the reported loss."""
    faults: tuple[str, ...] = ()
    l2: float | None = None
    """The factor of the penalty that it contains."""
    epochs: Array = field(default_factory=lambda: np.zeros(0, int))
    values: Array = field(default_factory=lambda: np.zeros(0))
    """What the program has printed, by epoch, divided by `factor`."""


class ReportedFit:
    """Compares the numbers of a program with the losses of a network with its parameters.

    ``configuration`` has the layers and the faults of the forward pass.
    """

    def __init__(
        self, description: Description, configuration: Configuration, updates: ForcedUpdates
    ) -> None:
        self._description, self._configuration = description, configuration
        self._course = updates.courses[0]
        epochs = description.epochs
        counts = np.bincount(epochs)
        whole = [at for at, count in enumerate(counts) if count == counts[0]]
        self._whole = np.array(whole, int)
        """Epochs that were observed to their end."""
        self._last = np.array([int(np.flatnonzero(epochs == at)[-1]) for at in whole], int)
        self._terms = self._penalties(0), self._penalties(1)

    def fit(self, l2: float = 0.0) -> Reported | None:
        """The best match; None if no number of the program is a loss that presets report.

        ``l2`` is that of the training, by which a penalty may be reported; without one, it may be
        too small to be seen in the steps, and is looked for among the program's constants.
        """
        factors = [l2] if l2 else self._small_factors()
        candidates = list(self._candidates())
        found: list[tuple[float, Reported]] = []
        for rank, series in enumerate(self._description.series):
            epochs, values = self._by_epoch(series)
            if not epochs.size or not np.isfinite(values).all():
                continue
            for keys, losses in candidates:
                for match, error in self._matches(
                    keys, losses[epochs], series, epochs, values, factors
                ):
                    score = 3.0 * series.printed - 0.1 * rank - 3.0 * (match.factor != 1.0)
                    score += 5.0 * len(epochs) / len(self._whole)
                    score += 2.0 * (match.keys["loss"] == self._likely)
                    score -= 0.5 * float(np.log10(max(error, ROUNDING) / ROUNDING))
                    found.append((score, match))
        return max(found, key=lambda each: each[0])[1] if found else None

    def _small_factors(self) -> list[float]:
        rows = len(self._description.inputs)
        found = {abs(each.value) for each in self._description.constants}
        found |= {each / rows for each in found} | {2.0 * each for each in found}
        return sorted(each for each in found if 0.0 < each < 0.1)

    @property
    def _likely(self) -> str:
        output = self._configuration.layers[-1].activation
        for name, loss in LOSSES.items():
            if loss.needs_output == output:
                return name
        return ""

    def _by_epoch(self, series: Series) -> tuple[Array, Array]:
        """Of each whole epoch, as an index, the last value of ``series`` in it."""
        epochs = self._description.epochs
        here = series.updates < len(epochs)
        owners, values = epochs[series.updates[here]], series.values[here]
        found = {int(each): at for at, each in enumerate(owners)}
        kept = [(at, found[int(each)]) for at, each in enumerate(self._whole) if int(each) in found]
        index = np.array([at for at, _ in kept], int)
        return index, np.array([values[at] for _, at in kept])

    def _candidates(self) -> Iterator[tuple[Keys, Array]]:
        """Entries of a report table, and the losses that they give in the whole epochs."""
        rows = len(self._description.inputs)
        epochs = self._description.epochs
        samples = np.array([each.shape[1] for each in self._course.batches])
        output = self._configuration.layers[-1].activation
        for name, loss in LOSSES.items():
            if loss.needs_output not in (None, output):
                continue
            sums = self._batch_sums(name)
            by_epoch = np.array([sums[epochs == at].sum() for at in self._whole])
            counts = np.array([samples[epochs == at].sum() for at in self._whole])
            yield {"loss": name, "reduction": "mean"}, by_epoch / counts
            yield {"loss": name, "reduction": "sum"}, by_epoch
            for when, shift in (("before", 0), ("after", 1)):
                whole = np.array([self._of_all(name, int(at) + shift) for at in self._last])
                keys: Keys = {"rows": "all", "when": when}
                yield {"loss": name, "reduction": "mean", **keys}, whole / rows
                yield {"loss": name, "reduction": "sum", **keys}, whole

    def _batch_sums(self, name: str) -> Array:
        report = Report(loss=name, reduction="sum")
        stepper = Stepper(replace(self._configuration, report=report))
        stepper.restore(self._course.theta[0])
        sums = np.empty(len(self._course.batches))
        for at, batch in enumerate(self._course.batches):
            stepper.theta[...] = self._course.theta[at]
            sums[at] = stepper.make(batch).reported()
        return sums

    def _of_all(self, name: str, update: int) -> float:
        configuration = self._configuration
        data = load_data(configuration)
        views = Layout.of(configuration).views(self._course.theta[update].copy())
        forward = Forward(configuration, views, data.x)
        error = forward.play() - data.y
        return loss_value(name, "sum", forward.layers[-1].z, error, data.y)

    def _penalties(self, after: int) -> dict[tuple[str, ...], Array]:
        """By the fault that it needs, the sum that a penalty is made of, in each whole epoch.

        With the parameters from before its last update, or ``after`` it (1).
        """
        squares, sums = [], []
        for at in self._last:
            views = Layout.of(self._configuration).views(self._course.theta[int(at) + after])
            squares.append(sum(float((W * W).sum()) for W, _ in views))
            sums.append(sum(float(W.sum()) for W, _ in views))
        return {(): np.array(squares), ("penalty-sum",): np.array(sums)}

    def _matches(
        self,
        keys: Keys,
        losses: Array,
        series: Series,
        epochs: Array,
        values: Array,
        factors: Sequence[float],
    ) -> Iterator[tuple[Reported, float]]:
        """The reports by which ``losses`` are ``values``, and how far they are from that."""
        every = self._every(epochs)
        if every is None:
            return
        keys = keys if every == 1 else {**keys, "every": every}
        whole = self._whole[epochs]
        plain = _difference(values, losses)
        if plain <= SAME:
            yield Reported(keys, series, 1.0, (), None, whole, values), plain
        for l2 in factors if plain > ROUNDING else ():
            penalised = {**keys, "penalty": True}
            early = keys.get("when") == "before"
            for faults, terms in self._terms[0 if early else 1].items():
                error = _difference(values, losses + 0.5 * l2 * terms[epochs])
                if error <= 1e-2 * min(plain, 100.0 * SAME):
                    yield Reported(penalised, series, 1.0, faults, l2, whole, values), error
        if len(values) < 2 or not losses.any() or np.ptp(losses) <= 1e-6 * np.abs(losses).max():
            return
        factor = float(np.sum(values * losses) / np.sum(losses * losses))
        outputs = self._description.targets.shape[1]
        factor = written(factor, (), {outputs, len(self._description.inputs), len(values)})
        error = _difference(values, factor * losses)
        if factor > 0.0 and error <= SAME:
            yield Reported(keys, series, factor, (), None, whole, values / factor), error

    def _every(self, epochs: Array) -> int | None:
        """From how many epochs to the next the number is computed, from epoch 0 on."""
        whole = self._whole[epochs]
        if whole[0] != 0:
            return None
        if len(whole) > 1:
            steps = np.diff(whole)
            return int(steps[0]) if (steps == steps[0]).all() else None
        if len(self._whole) == 1:
            return 1
        # It comes again behind the updates that were recorded, when something is printed.
        updates = int(np.count_nonzero(self._description.epochs == 0))
        printed = np.unique(self._description.printed // updates)
        later = printed[printed > self._whole[-1]]
        return int(later[0]) if later.size and (later % later[0] == 0).all() else None


def _difference(one: Array, other: Array) -> float:
    """The largest relative difference; infinite where a number is not finite."""
    size = np.maximum(np.abs(one), np.abs(other))
    found = np.max(np.abs(one - other) / np.where(size == 0.0, 1.0, size), initial=0.0)
    return float(found) if np.isfinite(found) else np.inf
