"""Faults planted in the program: it does not compute what it states."""

import copy
from typing import Any

from nntui.bench.matrix.planting import (
    CODE,
    Make,
    Plant,
    Planted,
    layers_of,
    lowest,
)
from nntui.bench.matrix.tasks import Source, Task


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
    if layers_of(architecture) < 3:  # a linear output, or a cross-entropy, passes the same down
        return None
    return Planted(source, {**source, "faults": [{"name": "error-for-delta", "layers": [1]}]})


def _over_samples(task: Task, architecture: str, source: Source) -> Planted | None:
    if task.output != "softmax":
        return None
    return Planted(source, {**source, "faults": ["softmax-over-samples"]})


def _in_layer(name: str, hidden: bool = False, below: int = 0) -> Make:
    """An unknown fault in one layer; ``below`` is how far below that one it shows."""

    def make(task: Task, architecture: str, source: Source) -> Planted | None:
        last = layers_of(architecture) - 1
        layer = {"relu": 0, "tanh": 0 if hidden else last, "leaky": 1}[architecture]
        if below:
            layer = last
        faulty = {**source, "faults": [{"name": name, "layers": [layer]}]}
        return Planted(source, faulty, tuple({layer, layer - below}))

    return make


def _late_output_bias(task: Task, architecture: str, source: Source) -> Planted | None:
    """An output that its bias takes below the range of its activation."""
    if task.classifies or lowest(task) >= 0.0:
        return None
    faulty = copy.deepcopy(source)
    faulty["layers"][-1]["activation"] = "softplus"  # which no seed begins dead
    entry = {"name": "bias-after-activation", "layers": [layers_of(architecture) - 1]}
    return Planted(source, {**faulty, "faults": [entry]})


PLANTS = (
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
    Plant("late-output-bias", CODE, _late_output_bias),
)
