"""Faults planted in the configuration: it cannot learn, or not in time."""

import copy
from typing import Any

from nntui.bench.matrix.planting import (
    CONFIGURATION,
    Make,
    Plant,
    Planted,
    changed,
    lowest,
)
from nntui.bench.matrix.tasks import Source, Task


def _training(**entries: Any) -> Make:
    def change(task: Task, architecture: str, source: Source) -> None:
        source["training"].update(entries)

    return changed(change)


def rate(factor: float) -> Make:
    def change(task: Task, architecture: str, source: Source) -> None:
        source["training"]["learning_rate"] *= factor

    return changed(change)


def _init(factor: float) -> Make:
    def change(task: Task, architecture: str, source: Source) -> None:
        for layer in source["layers"]:
            layer["scale"] = factor

    return changed(change)


def _zero(task: Task, architecture: str, source: Source) -> None:
    for layer in source["layers"]:
        layer["init"] = "zeros"


def _equal(task: Task, architecture: str, source: Source) -> None:
    _zero(task, architecture, source)
    for layer in source["layers"][:-1]:
        layer.update(bias="shared-start", bias_init="uniform")


def _output_relu(task: Task, architecture: str, source: Source) -> bool | None:
    if task.classifies or lowest(task) >= 0.0:
        return False
    source["layers"][-1].update(activation="relu", init="he")
    return None


def _output_bounded(task: Task, architecture: str, source: Source) -> bool | None:
    if task.classifies or lowest(task) >= 0.0:
        return False
    source["layers"][-1]["activation"] = "sigmoid"
    return None


def _no_bias(task: Task, architecture: str, source: Source) -> None:
    for layer in source["layers"]:
        layer["bias"] = "none"


def _linear(task: Task, architecture: str, source: Source) -> None:
    for layer in source["layers"][:-1]:
        layer["activation"] = "identity"


def _one_unit(task: Task, architecture: str, source: Source) -> None:
    for layer in source["layers"][:-1]:
        layer["units"] = 1


def _saturated_output(task: Task, architecture: str, source: Source) -> bool | None:
    if not task.classifies:
        return False
    source["training"]["loss"] = "squared-error"
    source["layers"][-1]["scale"] = 50.0
    return None


def _saturated_hidden(task: Task, architecture: str, source: Source) -> bool | None:
    if architecture != "tanh":
        return False
    source["layers"][0].update(bias_init="normal", bias_scale=50.0)
    return None


def _deep_sigmoid(task: Task, architecture: str, source: Source) -> None:
    hidden = {**source["layers"][0], "activation": "sigmoid", "init": "lecun"}
    source["layers"][:-1] = [dict(hidden) for _ in range(5)]


def _dead_start(task: Task, architecture: str, source: Source) -> bool | None:
    if architecture != "relu":
        return False
    source["layers"][0].update(bias_init="uniform", bias_scale=-200.0)
    return None


def _dead_output(task: Task, architecture: str, source: Source) -> bool | None:
    if task.classifies or lowest(task) < 0.0:
        return False
    source["layers"][-1].update(
        activation="relu", init="he", bias="shared-start", bias_init="uniform", bias_scale=-200.0
    )
    return None


def _linear_task(task: Task, source: Source) -> Source | None:
    """``source`` with a target that is a plane beside the origin; None where it is no plane."""
    if task.name != "sum":
        return None
    plane = copy.deepcopy(source)
    plane["data"]["targets"] = [[y + 1.0] for (y,) in task.targets]
    return plane


def _line_without_bias(task: Task, architecture: str, source: Source) -> Planted | None:
    healthy = _linear_task(task, source)
    if healthy is None:
        return None
    for layer in healthy["layers"][:-1]:
        layer.update(activation="identity", init="xavier")
    faulty = copy.deepcopy(healthy)
    for layer in faulty["layers"]:
        layer["bias"] = "none"
    return Planted(healthy, faulty)


def _drawn_without_bias(task: Task, architecture: str, source: Source) -> Planted:
    """Rows drawn one at a time, with the loss over all of them reported; no biases."""
    healthy = copy.deepcopy(source)
    healthy["training"].update(order="random", batch=1)
    healthy["report"].update(rows="all", when="after")
    faulty = copy.deepcopy(healthy)
    _no_bias(task, architecture, faulty)
    return Planted(healthy, faulty)


def _low_from_zeros(task: Task, architecture: str, source: Source) -> Planted | None:
    """A linear model from zeros, where the rate is too low and the zeros are right."""
    healthy = _linear_task(task, source)
    if healthy is None or architecture != "relu":
        return None
    healthy["layers"] = [{"units": 1, "init": "zeros"}]
    faulty = copy.deepcopy(healthy)
    faulty["training"]["learning_rate"] *= 1e-3
    return Planted(healthy, faulty)


def _low_from_small(task: Task, architecture: str, source: Source) -> Planted:
    """First weights a little smaller than usual, which learn, and a rate at which they do not."""
    healthy = copy.deepcopy(source)
    for layer in healthy["layers"]:
        layer["scale"] = 0.6
    faulty = copy.deepcopy(healthy)
    faulty["training"]["learning_rate"] *= 1e-3
    return Planted(healthy, faulty)


def _no_hidden_layer(task: Task, architecture: str, source: Source) -> bool | None:
    if task.name == "sum" or architecture != "relu":
        return False
    source["layers"][:-1] = []
    return None


def _silent_sample(task: Task, architecture: str, source: Source) -> bool | None:
    """Units that begin beyond the origin, which is a sample; the output is f(0) there."""
    origin = [0.0] * len(task.inputs[0])
    if architecture != "relu" or not task.classifies or origin not in task.inputs:
        return False
    source["layers"][0].update(units=6, bias_init="uniform", bias_scale=-0.5)
    source["layers"][-1]["bias"] = "none"
    return None


def _budget_small(task: Task, architecture: str, source: Source) -> None:
    source["goal"]["epochs"] = task.epochs // 10


PLANTS = (
    Plant("rate-high", CONFIGURATION, rate(30.0)),
    Plant("rate-low", CONFIGURATION, rate(1e-3)),
    Plant("momentum-high", CONFIGURATION, _training(momentum=0.999)),
    Plant("clip-small", CONFIGURATION, _training(clip_norm=1e-4)),
    Plant(
        "schedule-fast",
        CONFIGURATION,
        _training(schedule="exponential", schedule_decay=0.5, schedule_every=1),
    ),
    Plant("zero-init", CONFIGURATION, changed(_zero)),
    Plant("equal-init", CONFIGURATION, changed(_equal)),
    Plant("large-init", CONFIGURATION, _init(30.0)),
    Plant("small-init", CONFIGURATION, _init(1e-3)),
    Plant("output-relu", CONFIGURATION, changed(_output_relu)),
    Plant("output-bounded", CONFIGURATION, changed(_output_bounded)),
    Plant("no-bias", CONFIGURATION, changed(_no_bias)),
    Plant("drawn-without-bias", CONFIGURATION, _drawn_without_bias),
    Plant("linear-hidden", CONFIGURATION, changed(_linear)),
    Plant("one-unit", CONFIGURATION, changed(_one_unit)),
    Plant("penalty-strong", CONFIGURATION, _training(l2=1.0)),
    Plant("saturated-output", CONFIGURATION, changed(_saturated_output)),
    Plant("saturated-hidden", CONFIGURATION, changed(_saturated_hidden)),
    Plant("deep-sigmoid", CONFIGURATION, changed(_deep_sigmoid)),
    Plant("dead-start", CONFIGURATION, changed(_dead_start)),
    Plant("dead-output", CONFIGURATION, changed(_dead_output)),
    Plant("line-without-bias", CONFIGURATION, _line_without_bias),
    Plant("no-hidden-layer", CONFIGURATION, changed(_no_hidden_layer)),
    Plant("silent-sample", CONFIGURATION, changed(_silent_sample)),
    Plant("low-from-zeros", CONFIGURATION, _low_from_zeros),
    Plant("low-from-small", CONFIGURATION, _low_from_small),
    Plant("budget-small", CONFIGURATION, changed(_budget_small)),
)
