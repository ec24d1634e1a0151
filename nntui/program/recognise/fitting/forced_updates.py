"""Makes the program's updates with a configuration, each from the program's own parameters.

Because every update starts where the program's did, a wrong step of one layer does not spoil the
next updates of the others; only the optimiser's memory is carried on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nntui.core.engine.network import Layout
from nntui.core.engine.stepper import Stepper
from nntui.core.engine.trainer import learning_rate
from nntui.core.settings.configuration import Configuration
from nntui.program.recognise.description import Description

Array = np.ndarray


@dataclass(frozen=True)
class Course:
    """Consecutive updates of the program, its optimiser's memory at 0 before the first."""

    theta: Array
    """(updates + 1, parameters), in the order of `Layout`."""
    batches: tuple[Array, ...]
    """By update, inputs stacked on targets, (inputs + outputs, samples)."""


@dataclass(frozen=True)
class Made:
    """What a configuration makes of the same updates, one row each."""

    gradients: Array
    """What the optimiser gets."""
    steps: Array
    """What is subtracted from the parameters."""


class ForcedUpdates:
    """The program's updates, as data: those that it made as it is, then the other courses."""

    def __init__(self, description: Description) -> None:
        layers = description.layers
        own = Course(
            _theta([layer.W for layer in layers], [layer.b for layer in layers]),
            tuple(
                np.concatenate([description.inputs[rows].T, description.targets[rows].T])
                for rows in description.batches
            ),
        )
        others = [
            Course(
                _theta(each.W, each.b),
                tuple(np.concatenate(pair) for pair in zip(each.x, each.y, strict=True)),
            )
            for each in description.trajectories
        ]
        finite = [each for each in others if np.isfinite(each.theta).all()]
        self._set((own, *finite), description.epochs)

    def _set(self, courses: tuple[Course, ...], epochs: Array) -> None:
        self.courses, self.epochs = courses, epochs
        self.theta = np.concatenate([each.theta[:-1] for each in courses])
        """The parameters before each update, one row each."""
        self.steps = np.concatenate([each.theta[:-1] - each.theta[1:] for each in courses])
        """What the program subtracted from them."""
        counts = [len(each.batches) for each in courses]
        self.first = np.zeros(sum(counts), bool)
        """Whether an update is the first of its course."""
        self.first[np.cumsum([0, *counts[:-1]])] = True
        self.samples = np.array([b.shape[1] for each in courses for b in each.batches])
        """How many samples each update uses."""

    def first_of_each(self, count: int) -> "ForcedUpdates":
        """The first ``count`` updates of each course."""
        few = ForcedUpdates.__new__(ForcedUpdates)
        courses = [Course(each.theta[: count + 1], each.batches[:count]) for each in self.courses]
        few._set(tuple(courses), self.epochs)
        return few

    def make(self, configuration: Configuration, rates: Sequence[float] | None = None) -> Made:
        """All updates; ``rates`` are those of the epochs in place of the configuration's own."""
        stepper = Stepper(configuration)
        gradients, steps = np.empty_like(self.steps), np.empty_like(self.steps)
        at = 0
        for course in self.courses:
            stepper.restore(course.theta[0])
            for number, batch in enumerate(course.batches):
                epoch = int(self.epochs[min(number, len(self.epochs) - 1)])
                rate = rates[epoch] if rates else learning_rate(configuration, epoch)
                stepper.clock.rate[...] = rate
                stepper.theta[...] = course.theta[number]
                stepper.make(batch)
                gradients[at] = stepper.gradient
                steps[at] = course.theta[number] - stepper.theta
                at += 1
        return Made(gradients, steps)


def _theta(W: Sequence[Array], b: Sequence[Array | None]) -> Array:
    parts = []
    for weights, bias in zip(W, b, strict=True):
        parts.append(weights.reshape(len(weights), -1))
        if bias is not None:
            parts.append(bias)
    return np.concatenate(parts, axis=1)


def spans(configuration: Configuration) -> list[tuple[slice, slice | None]]:
    """Where W and b of each layer are in the vector of all parameters."""
    found: list[tuple[slice, slice | None]] = []
    at = 0
    for units, inputs, has_bias in Layout.of(configuration).shapes:
        weights = slice(at, at + units * inputs)
        at = weights.stop
        bias = slice(at, at + units) if has_bias else None
        at += units if has_bias else 0
        found.append((weights, bias))
    return found


def agree(program: Array, made: Array, theta: Array, factor: float = 1.0) -> bool:
    """Whether the steps are ``factor`` times those that were made, up to rounding."""
    if not np.isfinite(made).all() or not np.isfinite(program).all():
        return False
    noise = 64 * np.finfo(float).eps * np.abs(theta).max(axis=1, initial=0.0)
    size = np.abs(program).max(axis=1, initial=0.0)
    return bool(
        (np.abs(program - factor * made).max(axis=1, initial=0.0) <= 1e-8 * size + noise).all()
    )


def ratio(program: Array, made: Array, theta: Array) -> float | None:
    """The one number that the steps are times those that were made; None if there is none."""
    if not np.isfinite(made).all() or not np.isfinite(program).all():
        return None
    square = float(np.sum(made * made))
    if square == 0.0:
        return None
    factor = float(np.sum(made * program)) / square
    return factor if agree(program, made, theta, factor) else None
