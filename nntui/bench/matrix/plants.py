"""Planted faults: each turns a healthy network into one with a known cause of failure."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nntui.bench.matrix.tasks import ARCHITECTURES, Source, Task

CODE, CONFIGURATION, DATA, COMBINED = "code", "configuration", "data", "combined"
FAMILIES = (CODE, CONFIGURATION, DATA, COMBINED)
"""Where the fault is; combined: in the program, and in a setting or the data as well."""


@dataclass(frozen=True)
class Planted:
    """A healthy network and its faulty twin, as tables."""

    healthy: Source
    faulty: Source
    layers: tuple[int, ...] = ()
    """Where a code fault shows: the layers one may point at; empty for wherever it is found."""


Make = Callable[[Task, str, Source], Planted | None]


@dataclass(frozen=True)
class Plant:
    """One kind of fault; `plant` gives None where it makes no sense."""

    kind: str
    family: str
    plant: Make


def _changed(change: Callable[[Task, str, Source], bool | None]) -> Make:
    """A plant of a function that changes a table, and returns False where it should not."""

    def make(task: Task, architecture: str, source: Source) -> Planted | None:
        faulty = copy.deepcopy(source)
        return None if change(task, architecture, faulty) is False else Planted(source, faulty)

    return make


# Code faults


def _layers(architecture: str) -> int:
    return ARCHITECTURES[architecture][1] + 1


def _everywhere_or_one(name: str, lowest: int = 0, **parameters: Any) -> Make:
    """A known fault: with ReLU in all layers, else in one, which differs by architecture."""

    def make(task: Task, architecture: str, source: Source) -> Planted | None:
        entry = {"name": name, **parameters}
        if architecture != "relu":
            entry["layers"] = [max(lowest, 0 if architecture == "tanh" else 1)]
        return Planted(source, {**source, "faults": [entry]})

    return make


def _derivative(task: Task, architecture: str, source: Source) -> Planted | None:
    of = "sigmoid" if architecture == "tanh" else "identity"
    return Planted(source, {**source, "faults": [{"name": "derivative", "layers": [0], "of": of}]})


def _derivative_at_a(task: Task, architecture: str, source: Source) -> Planted | None:
    if architecture != "tanh":  # a rectifier's slope is the same at a as at z
        return None
    return Planted(source, {**source, "faults": ["derivative-at-a"]})


def _penalised(name: str) -> Make:
    def make(task: Task, architecture: str, source: Source) -> Planted | None:
        healthy = copy.deepcopy(source)
        healthy["training"]["l2"], healthy["report"]["penalty"] = 1e-5, True
        return Planted(healthy, {**healthy, "faults": [name]})

    return make


def _decayed(task: Task, architecture: str, source: Source) -> Planted | None:
    healthy = copy.deepcopy(source)
    healthy["training"]["l2"] = 1e-3
    return Planted(healthy, {**healthy, "faults": ["penalty-before-update"]})


def _error_down(task: Task, architecture: str, source: Source) -> Planted | None:
    if _layers(architecture) < 3:  # a linear output, or a cross-entropy, passes the same down
        return None
    return Planted(source, {**source, "faults": [{"name": "error-for-delta", "layers": [1]}]})


def _over_samples(task: Task, architecture: str, source: Source) -> Planted | None:
    if task.output != "softmax":
        return None
    return Planted(source, {**source, "faults": ["softmax-over-samples"]})


def _in_layer(name: str, hidden: bool = False, below: int = 0) -> Make:
    """An unknown fault in one layer; ``below`` is how far below that one it shows."""

    def make(task: Task, architecture: str, source: Source) -> Planted | None:
        last = _layers(architecture) - 1
        layer = {"relu": 0, "tanh": 0 if hidden else last, "leaky": 1}[architecture]
        if below:
            layer = last
        faulty = {**source, "faults": [{"name": name, "layers": [layer]}]}
        return Planted(source, faulty, tuple({layer, layer - below}))

    return make


# Configurations


def _training(**entries: Any) -> Make:
    def change(task: Task, architecture: str, source: Source) -> None:
        source["training"].update(entries)

    return _changed(change)


def _rate(factor: float) -> Make:
    def change(task: Task, architecture: str, source: Source) -> None:
        source["training"]["learning_rate"] *= factor

    return _changed(change)


def _init(factor: float) -> Make:
    def change(task: Task, architecture: str, source: Source) -> None:
        for layer in source["layers"]:
            layer["scale"] = factor

    return _changed(change)


def _zero(task: Task, architecture: str, source: Source) -> None:
    for layer in source["layers"]:
        layer["init"] = "zeros"


def _equal(task: Task, architecture: str, source: Source) -> None:
    _zero(task, architecture, source)
    for layer in source["layers"][:-1]:
        layer.update(bias="shared-start", bias_init="uniform")


def _lowest(task: Task) -> float:
    return min(value for row in task.targets for value in row)


def _output_relu(task: Task, architecture: str, source: Source) -> bool | None:
    if task.classifies or _lowest(task) >= 0.0:
        return False
    source["layers"][-1].update(activation="relu", init="he")
    return None


def _output_bounded(task: Task, architecture: str, source: Source) -> bool | None:
    if task.classifies or _lowest(task) >= 0.0:
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
    if task.classifies or _lowest(task) < 0.0:
        return False
    source["layers"][-1].update(
        activation="relu", init="he", bias="shared-start", bias_init="uniform", bias_scale=-200.0
    )
    return None


def _late_output_bias(task: Task, architecture: str, source: Source) -> Planted | None:
    """An output that its bias takes below the range of its activation."""
    if task.classifies or _lowest(task) >= 0.0:
        return None
    faulty = copy.deepcopy(source)
    faulty["layers"][-1]["activation"] = "softplus"  # which no seed begins dead
    entry = {"name": "bias-after-activation", "layers": [_layers(architecture) - 1]}
    return Planted(source, {**faulty, "faults": [entry]})


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


# Two at once


_SLOPES = {"relu": "step(z, 0)", "tanh": "1 - a^2", "leaky": "max(step(z, 0), 0.01)"}


def _with(faults: Callable[[str], list[Any]], plant: Make) -> Make:
    """The fault of ``plant``, and ``faults`` of an architecture in the program."""

    def make(task: Task, architecture: str, source: Source) -> Planted | None:
        made = plant(task, architecture, source)
        if made is None:
            return None
        return Planted(made.healthy, {**made.faulty, "faults": faults(architecture)})

    return make


def _slight_slope(architecture: str) -> list[Any]:
    of = f"1.00004*({_SLOPES[architecture]})"
    return [{"name": "derivative", "layers": [0], "of": of}]


# Data


def _inputs(function: Callable[[int, float], float], least: int = 1) -> Make:
    """Every input through a function of its column and value; from so many columns on."""

    def change(task: Task, architecture: str, source: Source) -> bool | None:
        if len(task.inputs[0]) < least:
            return False
        rows = source["data"]["inputs"]
        source["data"]["inputs"] = [[function(c, x) for c, x in enumerate(row)] for row in rows]
        return None

    return _changed(change)


def _targets(factor: float, offset: float) -> Make:
    def change(task: Task, architecture: str, source: Source) -> bool | None:
        if task.classifies:
            return False
        rows = source["data"]["targets"]
        source["data"]["targets"] = [[factor * y + offset for y in row] for row in rows]
        source["goal"]["loss"] *= factor**2  # the same share of the targets' variance
        return None

    return _changed(change)


def _contradictions(task: Task, architecture: str, source: Source) -> None:
    """Half of the rows stand there twice, with the target of another row or its opposite."""
    data, half = source["data"], len(task.inputs) // 2
    data["inputs"] = [*data["inputs"], *data["inputs"][:half]]
    if len(task.targets[0]) > 1:
        opposite = [[*row[1:], row[0]] for row in task.targets[:half]]
    else:
        ends = sorted(row[0] for row in task.targets)
        opposite = [[ends[0] + ends[-1] - row[0]] for row in task.targets[:half]]
    data["targets"] = [*data["targets"], *opposite]


def contradictory(source: Source) -> bool:
    """Whether rows with the same inputs have different targets."""
    seen: dict[tuple[float, ...], list[float]] = {}
    rows = zip(source["data"]["inputs"], source["data"]["targets"], strict=True)
    return any(seen.setdefault(tuple(x), y) != y for x, y in rows)


def _lost_input(task: Task, architecture: str, source: Source) -> bool | None:
    for row in source["data"]["inputs"]:
        row[-1] = 0.0
    return contradictory(source) or False


PLANTS: dict[str, Plant] = {
    each.kind: each
    for each in (
        Plant("bias-decay", CODE, _everywhere_or_one("bias-decay")),
        Plant("update-before-backprop", CODE, _everywhere_or_one("update-before-backprop", 1)),
        Plant("derivative", CODE, _derivative),
        Plant("derivative-at-a", CODE, _derivative_at_a),
        Plant("gradient", CODE, _everywhere_or_one("gradient", of="dot(delta, a)")),
        Plant("wrong-sign", CODE, _everywhere_or_one("wrong-sign")),
        Plant("sum-for-mean", CODE, _everywhere_or_one("sum-for-mean")),
        Plant("wrong-factor", CODE, _everywhere_or_one("wrong-factor", factor=10.0)),
        Plant("no-weights-in-backprop", CODE, _everywhere_or_one("no-weights-in-backprop", 1)),
        Plant("frozen-bias", CODE, _everywhere_or_one("frozen-bias")),
        Plant("bias-after-activation", CODE, _everywhere_or_one("bias-after-activation")),
        Plant("penalty-sum", CODE, _penalised("penalty-sum")),
        Plant("penalty-before-update", CODE, _decayed),
        Plant("error-for-delta", CODE, _error_down),
        Plant("softmax-over-samples", CODE, _over_samples),
        Plant("rolled-gradient", CODE, _in_layer("rolled-gradient", hidden=True)),
        Plant("lost-column", CODE, _in_layer("lost-column")),
        Plant("sign-only", CODE, _in_layer("sign-only")),
        Plant("hidden-decay", CODE, _in_layer("hidden-decay")),
        Plant("slope-is-value", CODE, _in_layer("slope-is-value", hidden=True)),
        Plant("reversed-weights-back", CODE, _in_layer("reversed-weights-back", below=1)),
        Plant("absolute-penalty", CODE, _penalised("absolute-penalty")),
        Plant("rate-high", CONFIGURATION, _rate(30.0)),
        Plant("rate-low", CONFIGURATION, _rate(1e-3)),
        Plant("momentum-high", CONFIGURATION, _training(momentum=0.999)),
        Plant("clip-small", CONFIGURATION, _training(clip_norm=1e-4)),
        Plant(
            "schedule-fast",
            CONFIGURATION,
            _training(schedule="exponential", schedule_decay=0.5, schedule_every=1),
        ),
        Plant("zero-init", CONFIGURATION, _changed(_zero)),
        Plant("equal-init", CONFIGURATION, _changed(_equal)),
        Plant("large-init", CONFIGURATION, _init(30.0)),
        Plant("small-init", CONFIGURATION, _init(1e-3)),
        Plant("output-relu", CONFIGURATION, _changed(_output_relu)),
        Plant("output-bounded", CONFIGURATION, _changed(_output_bounded)),
        Plant("no-bias", CONFIGURATION, _changed(_no_bias)),
        Plant("drawn-without-bias", CONFIGURATION, _drawn_without_bias),
        Plant("linear-hidden", CONFIGURATION, _changed(_linear)),
        Plant("one-unit", CONFIGURATION, _changed(_one_unit)),
        Plant("penalty-strong", CONFIGURATION, _training(l2=1.0)),
        Plant("saturated-output", CONFIGURATION, _changed(_saturated_output)),
        Plant("saturated-hidden", CONFIGURATION, _changed(_saturated_hidden)),
        Plant("deep-sigmoid", CONFIGURATION, _changed(_deep_sigmoid)),
        Plant("dead-start", CONFIGURATION, _changed(_dead_start)),
        Plant("dead-output", CONFIGURATION, _changed(_dead_output)),
        Plant("late-output-bias", CODE, _late_output_bias),
        Plant("line-without-bias", CONFIGURATION, _line_without_bias),
        Plant("no-hidden-layer", CONFIGURATION, _changed(_no_hidden_layer)),
        Plant("silent-sample", CONFIGURATION, _changed(_silent_sample)),
        Plant("low-from-zeros", CONFIGURATION, _low_from_zeros),
        Plant("low-from-small", CONFIGURATION, _low_from_small),
        Plant("budget-small", CONFIGURATION, _changed(_budget_small)),
        Plant(
            "slight-slope-and-inputs",
            COMBINED,
            _with(_slight_slope, _inputs(lambda column, x: 1000.0 * x)),
        ),
        Plant(
            "slight-factor-and-rate",
            COMBINED,
            _with(lambda architecture: [{"name": "wrong-factor", "factor": 1.0001}], _rate(1e-3)),
        ),
        Plant("decay-and-rate", COMBINED, _with(lambda architecture: ["bias-decay"], _rate(1e-3))),
        Plant("inputs-large", DATA, _inputs(lambda column, x: 1000.0 * x)),
        Plant("inputs-offset", DATA, _inputs(lambda column, x: x + 100.0)),
        Plant("inputs-uneven", DATA, _inputs(lambda column, x: x * (1 if column else 1000), 2)),
        Plant("targets-large", DATA, _targets(1000.0, 0.0)),
        Plant("targets-offset", DATA, _targets(1.0, 100.0)),
        Plant("contradictions", DATA, _changed(_contradictions)),
        Plant("lost-input", DATA, _changed(_lost_input)),
    )
}
