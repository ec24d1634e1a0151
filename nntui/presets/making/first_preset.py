"""A first preset for some data: layers as they were asked for, and the rest by rules of thumb.

The rules are those that most textbooks begin with: standardised numbers, Glorot's or He's first
weights, Adam at 0.01, and the loss that belongs to the task.  Each is an entry of the preset, to be
changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nntui.core.errors import ConfigError, quoted
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.datasets import DATASETS
from nntui.presets.making.csv_columns import CsvColumns
from nntui.presets.making.first_story import (
    goal_of_classes,
    goal_of_numbers,
    pictures_of,
    story_of,
)

HIDDEN = "8 tanh"
"""What is offered for the hidden layers."""
MOST_HIDDEN, MOST_NAMED = 20, 3
"""Hidden layers, and inputs that are named in the question."""
RATE = 0.01
BATCH = 32
UPDATES = 20_000
"""Updates that a training is given at first; see `_epochs`."""
LEAST_EPOCHS, MOST_EPOCHS = 200, 5_000
TESTED_FROM, TEST_SHARE = 50, 0.2
"""Rows from which on some are kept out of training, and how many of them."""
UNEXPLAINED = 0.05
"""The goal of a regression: the share of the targets' variance that is left."""
CROSS_ENTROPY = 0.1
"""The goal of a classification: about 0.9 of the probability for the right class."""
SET_ROWS, SET_NOISE = 100, 0.1
RECTIFIERS = ("relu", "leaky-relu", "elu", "gelu", "softplus")
"""Activations whose first weights are He's."""
Hidden = Sequence[tuple[int, str]]
"""Units and activation of each hidden layer."""
Tables = Mapping[str, Any]
"""The tables of a preset, as in its TOML."""


@dataclass(frozen=True)
class _Task:
    activation: str
    loss: str
    goal: float
    meaning: str
    """What the goal means, in a sentence."""
    outputs: int

    @property
    def is_of_classes(self) -> bool:
        """Whether the targets are classes."""
        return self.loss != "squared-error"


def hidden_layers(text: str) -> Hidden:
    """The hidden layers that ``text`` names, such as ``8 tanh, 4 relu``; none for an empty one.

    A layer without an activation has that of the one before; the first has tanh.  Raises
    ConfigError, with what would be right.
    """
    layers: list[tuple[int, str]] = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        units, _, activation = part.partition(" ")
        activation = activation.strip() or (layers[-1][1] if layers else "tanh")
        if not (units.isascii() and units.isdigit() and 0 < int(units[:6]) <= 100_000):
            raise ConfigError("", f"{quoted(part)}: units and an activation, such as {HIDDEN}")
        if activation not in ACTIVATIONS or activation == "softmax":
            known = ", ".join(each for each in ACTIVATIONS if each != "softmax")
            raise ConfigError("", f"{quoted(activation)} is none of {known}")
        layers.append((int(units), activation))
    if len(layers) > MOST_HIDDEN:
        raise ConfigError("", f"at most {MOST_HIDDEN} hidden layers")
    return layers


def for_columns(found: CsvColumns, inputs: Sequence[str], target: str, hidden: Hidden) -> Tables:
    """The preset that learns column ``target`` of a file from the columns ``inputs``.

    A column of texts gives classes, one of 0 and 1 two classes, another one numbers.  Raises
    ConfigError for columns that cannot be used so.
    """
    columns = {each.name: each for each in found.columns}
    for name in inputs:
        if name not in columns:
            raise ConfigError("", f"{found.path.name} has no column {quoted(name)}")
        if columns[name].problem:
            raise ConfigError("", f"{quoted(name)} {columns[name].in_words}")
        if not columns[name].is_numeric:
            raise ConfigError("", f"{quoted(name)} is no input: it holds {columns[name].in_words}")
        if name == target:
            raise ConfigError("", f"{quoted(name)} is the target, and cannot be an input too")
    column = columns[target]
    if column.problem:
        raise ConfigError("", f"{quoted(target)} {column.in_words}")
    if not inputs:
        raise ConfigError("", "at least one column of numbers has to be an input")
    data: dict[str, Any] = {"csv": found.path.name, "input_columns": list(inputs)}
    if found.delimiter != ",":
        data["delimiter"] = found.delimiter
    if not column.is_numeric:
        if len(column.texts) < 2:
            raise ConfigError("", f"{quoted(target)} holds {column.in_words}: nothing to learn")
        data["classes_from"] = target
        task = _classes("softmax", "categorical-cross-entropy", len(column.texts))
    else:
        data["target_columns"] = [target]
        if column.is_flag:
            task = _classes("sigmoid", "binary-cross-entropy", 1)
        elif column.variance > 0.0:
            data["scale_targets"] = "standard"
            goal = float(f"{UNEXPLAINED * column.variance:.2g}")
            meaning = goal_of_numbers(goal, column.variance)
            task = _Task("identity", "squared-error", goal, meaning, 1)
        else:
            raise ConfigError("", f"{quoted(target)} is {column.low:g} everywhere")
    data["scale_inputs"] = "standard"
    *first, last = inputs
    told = f"{', '.join(first)} and {last}" if first else last
    if len(inputs) > MOST_NAMED:
        told = f"{len(inputs)} columns"
    asked = f"What does a network learn of {target} from {told}?"
    return _tables(data, found.rows, len(inputs), hidden, task, asked)


def for_set(name: str, hidden: Hidden) -> Tables:
    """The preset that learns the classes of the data set ``name``."""
    data = {"set": name, "samples": SET_ROWS, "noise": SET_NOISE}
    task = _classes("sigmoid", "binary-cross-entropy", 1)
    asked = f"What does a network learn of {name}, {DATASETS[name].summary}?"
    return _tables(data, SET_ROWS, 2, hidden, task, asked)


def _classes(activation: str, loss: str, outputs: int) -> _Task:
    return _Task(activation, loss, CROSS_ENTROPY, goal_of_classes(CROSS_ENTROPY), outputs)


def _tables(
    data: dict[str, Any], rows: int, inputs: int, hidden: Hidden, task: _Task, asked: str
) -> Tables:
    tested = rows >= TESTED_FROM
    shown = pictures_of(inputs, task.outputs, classes=task.is_of_classes, tested=tested)
    if tested:
        data["test_share"] = TEST_SHARE
        rows = round(rows * (1 - TEST_SHARE))
    training: dict[str, Any] = {
        "loss": task.loss,
        "optimiser": "adam",
        "learning_rate": RATE,
        "schedule": "cosine",
        "schedule_decay": 0.1,
        "schedule_every": _epochs(rows),
    }
    if rows > BATCH:
        training |= {"batch": BATCH, "order": "shuffled"}
    return {
        "data": data,
        "layers": [
            *(
                {
                    "units": units,
                    "activation": activation,
                    "init": "he" if activation in RECTIFIERS else "xavier",
                }
                for units, activation in hidden
            ),
            {"units": task.outputs, "activation": task.activation, "init": "xavier"},
        ],
        "training": training,
        "report": {"loss": task.loss},
        "goal": {"loss": task.goal, "epochs": _epochs(rows)},
        "story": story_of(asked, task.meaning, shown),
    }


def _epochs(rows: int) -> int:
    """As many as make `UPDATES`, within bounds, rounded to two digits."""
    wanted = UPDATES * min(BATCH, rows) / rows
    return round(float(f"{min(max(wanted, LEAST_EPOCHS), MOST_EPOCHS):.1g}"))


def file_of(path: Path) -> Path:
    """A file that is not there yet, for the preset of the data ``path``: beside it."""
    number, free = 2, path.with_suffix(".toml")
    while free.exists():
        free, number = path.with_name(f"{path.stem}-{number}.toml"), number + 1
    return free
