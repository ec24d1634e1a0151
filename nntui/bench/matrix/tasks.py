"""Matrix tasks: small problems, each with three architectures that solve them.

Budgets are short, so that thousands of runs fit into minutes; rates were chosen so that the
healthy network reaches its goal for nearly every seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from nntui.core.parts.datasets import draw_dataset

Table = list[list[float]]
Source = dict[str, Any]
"""A preset as the table that `presets.read_preset` takes."""


@dataclass(frozen=True)
class Task:
    """One problem: its rows, and what it takes to learn them."""

    name: str
    inputs: Table
    targets: Table
    goal: float
    """A mean squared error, summed over the outputs, at or below this is solved."""
    epochs: int
    loss: str = "squared-error"
    output: str = "identity"
    training: tuple[tuple[str, Any], ...] = (("learning_rate", 0.05), ("momentum", 0.9))
    widths: tuple[int, int, int] = (20, 10, 12)
    """Units a hidden layer, by architecture."""

    @property
    def classifies(self) -> bool:
        """Whether the targets are classes."""
        return self.output != "identity"


ARCHITECTURES: dict[str, tuple[str, int]] = {
    "relu": ("relu", 1),
    "tanh": ("tanh", 1),
    "leaky": ("leaky-relu", 2),
}
"""The hidden activation, and how many hidden layers."""

GRID = [-1.0, -0.5, 0.0, 0.5, 1.0]
LINE = np.linspace(-1.0, 1.0, 21).tolist()


def _of(inputs: Table, function: Callable[..., float]) -> tuple[Table, Table]:
    return inputs, [[float(function(*row))] for row in inputs]


def _plane() -> Table:
    return [list(row) for row in product(GRID, GRID)]


def _points() -> Table:
    return [[x] for x in LINE]


def _drawn(name: str, samples: int, classes: int, noise: float) -> tuple[Table, Table]:
    points, labels = draw_dataset(name, np.random.RandomState(0), samples, classes, noise)
    if classes == 2:
        return points.tolist(), [[float(label)] for label in labels]
    return points.tolist(), np.eye(classes)[labels].tolist()


def _bits(count: int) -> Table:
    return [list(row) for row in product((0.0, 1.0), repeat=count)]


def _sgd(rate: float, momentum: float = 0.9, **others: Any) -> tuple[tuple[str, Any], ...]:
    return (("learning_rate", rate), ("momentum", momentum), *others.items())


BINARY: dict[str, Any] = {"loss": "binary-cross-entropy", "output": "sigmoid"}

TASKS: dict[str, Task] = {
    each.name: each
    for each in (
        Task("sum", *_of(_plane(), lambda a, b: a + b), 1e-2, 150, training=_sgd(0.1, 0.0)),
        Task("square", *_of(_points(), lambda x: x * x), 5e-3, 400),
        Task("wave", *_of(_points(), lambda x: np.sin(3.0 * x)), 1.5e-2, 400),
        Task("product", *_of(_plane(), lambda a, b: a * b), 1e-2, 400),
        Task(
            "absolute",
            *_of(_points(), abs),
            1e-2,
            120,
            training=_sgd(0.05, 0.8, batch=7, order="shuffled"),
        ),
        Task("xor", *_of(_bits(2), lambda a, b: a != b), 2e-2, 300, **BINARY),
        Task("parity", *_of(_bits(3), lambda *row: sum(row) % 2), 2e-2, 400, **BINARY),
        Task("circles", *_drawn("circles", 24, 2, 0.03), 4e-2, 400, **BINARY, training=_sgd(0.1)),
        Task("moons", *_drawn("moons", 24, 2, 0.03), 5e-2, 600, **BINARY, training=_sgd(0.1)),
        Task(
            "clusters",
            *_drawn("clusters", 24, 3, 0.2),
            4e-2,
            60,
            loss="categorical-cross-entropy",
            output="softmax",
            training=_sgd(0.05, 0.0, batch=6, order="shuffled"),
        ),
    )
}


def source_of(task: Task, architecture: str) -> Source:
    """The healthy network of ``architecture`` for ``task``, a new table each time."""
    activation, depth = ARCHITECTURES[architecture]
    units = task.widths[list(ARCHITECTURES).index(architecture)]
    init = "xavier" if activation == "tanh" else "he"
    hidden = {"units": units, "activation": activation, "init": init}
    last = {"units": len(task.targets[0]), "activation": task.output, "init": "xavier"}
    return {
        "data": {"inputs": task.inputs, "targets": task.targets},
        "layers": [*(dict(hidden) for _ in range(depth)), last],
        "training": {"loss": task.loss, **dict(task.training)},
        "report": {"loss": "squared-error"},
        "goal": {"loss": task.goal, "epochs": task.epochs},
    }
