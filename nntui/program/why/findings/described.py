"""A program as the subject of a diagnosis: its network from its description, its run as it was."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nntui.core.engine.network import Layout
from nntui.core.engine.state import Divergence, State
from nntui.core.errors import ConfigError
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.diagnose import diagnose_subject
from nntui.diagnosis.finding import Diagnosis, Finding
from nntui.diagnosis.observation import Observation
from nntui.diagnosis.subject import Program
from nntui.presets.preset import Preset
from nntui.presets.schema import override, read_preset
from nntui.program.recognise.description import DenseLayer, Description
from nntui.program.recognise.fitting.activation_names import name_activation
from nntui.program.recognise.fitting.unmatched import UnmatchedError
from nntui.program.why.findings.own_run import Look, OwnRun
from nntui.program.why.trials.goal import reference_of

LOSSES = {
    "squared-error": "half-squared-error",
    "binary-cross-entropy": "binary-cross-entropy",
    "categorical-cross-entropy": "categorical-cross-entropy",
}
"""By the kind of a usual loss, the preset's that is the same for an update summed over its rows."""
NEEDS = {"binary-cross-entropy": "sigmoid", "categorical-cross-entropy": "softmax"}
"""The output that a loss of presets is defined for."""


def described_preset(
    description: Description, kind: str | None, rate: float, adapts: bool, epochs: int
) -> Preset | None:
    """The network and data of ``description`` as a preset, near enough for measurements.

    ``kind`` is that of the usual loss that the program minimises, ``rate`` its learning rate for
    the sum of that loss over the rows of an update.  None where the network is no preset's.
    """
    if not description.layers or not len(description.inputs):
        return None
    try:
        return read_preset("program", _table(description, kind, rate, adapts, epochs))
    except (ConfigError, UnmatchedError, ValueError):
        return None


def _table(
    description: Description, kind: str | None, rate: float, adapts: bool, epochs: int
) -> dict[str, Any]:
    faults: list[dict[str, Any]] = []
    layers = [_layer(layer, at, faults) for at, layer in enumerate(description.layers)]
    loss = LOSSES.get(kind or "", "half-squared-error")
    if NEEDS.get(loss, layers[-1]["activation"]) != layers[-1]["activation"]:
        loss = "half-squared-error"
    batch = max((len(each) for each in description.batches), default=len(description.inputs))
    return {
        "data": {
            "inputs": description.inputs.tolist(),
            "targets": description.targets.tolist(),
        },
        "layers": layers,
        "training": {
            "loss": loss,
            "reduction": "sum",
            "learning_rate": rate,
            "batch": min(batch, len(description.inputs)),
            **({"optimiser": "adam"} if adapts else {}),
        },
        "report": {"loss": loss, "reduction": "mean"},
        "goal": {"loss": 0.0, "epochs": epochs},
    }


def _layer(layer: DenseLayer, at: int, faults: list[dict[str, Any]]) -> dict[str, Any]:
    first = {"W": layer.W[0].tolist()}
    bias = {"bias": "none"} if layer.b is None else {"b": layer.b[0].tolist()}
    return {"units": layer.W.shape[1], **name_activation(layer, at, faults), **first, **bias}


def diagnosed(
    preset: Preset, description: Description, run: OwnRun, deadline: Deadline
) -> Diagnosis | None:
    """The diagnosis of ``run`` by the rules for presets; None where its parameters do not fit.

    Faults of the code are not looked for: the check has done so.
    """
    configuration = preset.configuration
    states = [
        state
        for look in run.looks
        if (state := _state(configuration, description, look)) is not None
    ]
    reference = reference_of(preset)
    if len(states) < 2 or len(states) < len(run.looks) or reference is None:
        return None
    subject = Program(configuration)
    losses = np.array([subject.printed(each.theta) for each in states[1:]])
    last = states[-1]
    if run.diverged:
        divergence = Divergence(run.updates, "loss", None, (), None, "nan")
        last = State(**{**vars(last), "divergence": divergence})

    def diagnosis(goal: float) -> Diagnosis:
        observation = Observation(
            preset=override(preset, {"goal.loss": goal}),
            seed=preset.seed,
            state=last,
            kept=(*states[:-1], last),
            losses=losses,
            flips=(),
            solved=bool(losses[-1] <= goal),
        )
        return diagnose_subject(subject, observation, deadline, with_code=False)

    found = diagnosis(reference.goal())
    floor = reference.floor(each.floor for each in (*found.findings, *found.suspects))
    if floor == 0.0:
        return found
    found = diagnosis(reference.goal(floor))

    def is_matter(finding: Finding) -> bool:
        return finding.floor is None or finding.floor > floor

    return replace(
        found,
        findings=tuple(filter(is_matter, found.findings)),
        suspects=tuple(filter(is_matter, found.suspects)),
    )


def _state(configuration: Configuration, description: Description, look: Look) -> State | None:
    """The state of a run with the parameters at ``look``."""
    layout = Layout.of(configuration)
    theta = np.zeros(layout.size)
    for (W, b), layer in zip(layout.views(theta), description.layers, strict=True):
        if not _put(W, layer.weights, look, layer.transposed):
            return None
        if b is not None and not _put(b, layer.biases, look, False):
            return None
    theta.flags.writeable = False
    random = np.random.RandomState(0).get_state(legacy=True)
    assert isinstance(random, tuple)
    return State(
        configuration=configuration,
        update=look.update,
        epoch=look.epoch,
        position=0,
        loss_sum=0.0,
        theta=theta,
        slots=(),
        random=random,
        order=None,
    )


def _put(into: Array, names: Sequence[str], look: Look, transposed: bool) -> bool:
    """Copy the value of the one of ``names`` to ``into``; False where it does not fit."""
    value = look.values.get(names[0]) if len(names) == 1 else None
    if value is None or value.size != into.size:
        return False
    if transposed and value.ndim == 2:
        value = value.T
    into[...] = np.reshape(value, into.shape)
    return True
