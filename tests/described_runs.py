"""Descriptions of nntui's own runs, as if a program had made their updates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nntui.presets import Preset, load_preset
from nntui.presets.schema import override, read_preset
from nntui.program.recognise.description import (
    Constant,
    DenseLayer,
    Description,
    Series,
    Spot,
    Trajectory,
)
from nntui.timeline import Run

OTHER_STARTS = (3, 4)
"""Seeds of the other first parameters."""


def described(preset: Preset, updates: int = 24, constants: Sequence[float] = ()) -> Description:
    """What the reader would see of a program that computes what ``preset`` does."""
    run = Run(preset)
    theta, batches, epochs = _followed(run, updates)
    x, y = run.data.x, run.data.y
    training = run.preset.configuration.training
    others = [_from_other_start(preset, seed) for seed in OTHER_STARTS]
    layers = []
    for number, layer in enumerate(run.preset.configuration.layers):
        W, b = _stacked(theta, number)
        values = _values(preset, number, [theta, *(each for each, _ in others)])
        spot = Spot("net.py", 10 + number)
        layers.append(
            DenseLayer(
                (f"W{number}",),
                (f"b{number}",) if b is not None else (),
                W,
                b,
                False,
                values,
                layer.activation if layer.activation in ("z", "z * sigmoid(z)") else None,
                (),
                any(
                    fault.name == "bias-after-activation" and fault.concerns(number)
                    for fault in preset.configuration.faults
                ),
                spot,
                spot,
                spot,
                layer.bias == "shared-start" and layer.units > 1,
            )
        )
    losses = np.array(run.losses)
    last = np.array([int(np.flatnonzero(epochs == at)[-1]) for at in run.reported_epochs])
    numbers = (training.learning_rate, training.momentum, *constants)
    return Description(
        layers=tuple(layers),
        inputs=x.T.copy(),
        targets=y.T.copy(),
        batches=tuple(batches),
        epochs=epochs,
        trajectories=tuple(trajectory for _, trajectory in others),
        loss="own",
        series=(Series("loss", Spot("net.py", 30), True, last, losses),),
        constants=tuple(Constant(each, "", None) for each in numbers if each),
        memories=("v",) if training.momentum or training.optimiser != "sgd" else (),
        adapts=training.optimiser in ("adam", "rmsprop"),
        clips=training.clip_norm is not None or training.clip_value is not None,
        seeds=(preset.seed,),
    )


def _followed(run: Run, updates: int) -> tuple[list[Any], list[np.ndarray], np.ndarray]:
    theta, batches, epochs = [run.parameters], [], []
    for _ in range(updates):
        batches.append(np.array(run.trainer.next_batch()))
        epochs.append(run.epoch)
        run.step()
        theta.append(run.parameters)
    return theta, batches, np.array(epochs)


def _stacked(theta: Sequence[Any], number: int) -> tuple[np.ndarray, np.ndarray | None]:
    W = np.stack([each[number][0] for each in theta])
    biases = [each[number][1] for each in theta]
    return W, None if biases[0] is None else np.stack(biases)


def _from_other_start(preset: Preset, seed: int) -> tuple[list[Any], Trajectory]:
    draws = np.random.RandomState(seed)
    first = Run(preset).parameters
    layers = []
    for layer, (W, b) in zip(preset.configuration.layers, first, strict=True):
        keys: dict[str, Any] = {"W": draws.randn(*W.shape).tolist()}
        if b is not None:
            keys["b"] = draws.randn(*b.shape).tolist()
        layers.append({**layer.non_defaults, **keys, "scale": 1.0, "bias_scale": 1.0})
    configuration = preset.configuration
    source: Mapping[str, Any] = {
        "data": configuration.data,
        "layers": layers,
        "training": configuration.training,
        "report": configuration.report,
        "faults": configuration.faults,
        "goal": preset.goal,
    }
    run = Run(read_preset("other", {**source, "data": configuration.data.non_defaults}))
    theta, batches, _ = _followed(run, 8)
    x, y = run.data.x, run.data.y
    stacked = [_stacked(theta, number) for number in range(len(layers))]
    trajectory = Trajectory(
        tuple(W for W, _ in stacked),
        tuple(b for _, b in stacked),
        tuple(x[:, rows] for rows in batches),
        tuple(y[:, rows] for rows in batches),
    )
    return theta, trajectory


def _values(preset: Preset, number: int, courses: Sequence[Any]) -> np.ndarray:
    """z and f(z) of the layer on all rows, at the first parameters of each course."""
    from nntui.core.engine.network import Forward

    configuration = preset.configuration
    if any(each.name == "softmax-over-samples" for each in configuration.faults):
        courses = courses[:1]
    found = []
    for theta in courses:
        parameters = [(W, None if b is None else b.reshape(-1, 1)) for W, b in theta[0]]
        forward = Forward(configuration, parameters, Run(preset).data.x)
        forward.play()
        layer = forward.layers[number]
        found.append(np.stack([layer.z, layer.value]))
    return np.concatenate(found, axis=2)


def changed(name: str, **changes: Any) -> Preset:
    """A library preset with dotted keys changed, ``__`` for a dot."""

    preset = load_preset(name)
    return override(preset, {key.replace("__", "."): value for key, value in changes.items()})


__all__ = ["changed", "described", "replace"]
