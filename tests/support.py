"""What several test modules share: golden files, changed presets and parameters in one vector."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nntui.core.engine.network import Parameters
from nntui.presets import Preset, load_preset, read_preset
from nntui.presets.schema import override

Array = npt.NDArray[np.float64]

NEAR = {"rtol": 1e-9, "atol": 1e-12}
"""How near the askers' numbers are to be."""
GOLDEN = Path(__file__).parent / "golden"
SCENARIOS = sorted(path.stem for path in GOLDEN.glob("*.json"))
CHAOS = 500
"""The last epoch of xor-relu at which rounding has not yet decided what is printed."""


def golden(scenario: str) -> dict[int, dict[str, Any]]:
    """What the asker's program printed, by seed."""
    runs = json.loads((GOLDEN / f"{scenario}.json").read_text())["runs"]
    return {run["seed"]: run for run in runs}


def golden_parameters(listed: Sequence[Any], biased: Sequence[bool]) -> list[Array]:
    """The parameters of a golden file as W0, b0, W1, ...; b is left out where there is none."""
    tensors = []
    for layer, has_bias in zip(listed, biased, strict=True):
        pair = len(layer) == 2 and np.ndim(layer[0]) == 2
        W = np.array(layer[0] if pair else layer)
        tensors.append(W)
        if has_bias:
            tensors.append(np.broadcast_to(np.ravel(layer[1]), (W.shape[0],)))
    return tensors


def tensors(parameters: Parameters) -> list[Array]:
    """W0, b0, W1, ... of a run, without what is None."""
    return [each for pair in parameters for each in pair if each is not None]


def flat(parameters: Parameters) -> Array:
    """All parameters as one vector, in the order of `tensors`."""
    return np.concatenate([each.ravel() for each in tensors(parameters)])


def unflat(vector: Array, like: Parameters) -> Parameters:
    """The inverse of `flat`, with the shapes of ``like``."""
    made: Parameters = []
    for W, b in like:
        cut = W.size + (0 if b is None else b.size)
        part, vector = vector[:cut], vector[cut:]
        made.append((part[: W.size].reshape(W.shape), None if b is None else part[W.size :]))
    return made


def preset(name: str, **changes: Any) -> Preset:
    """A preset of the library; ``training__momentum=0.9`` changes ``training.momentum``."""
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    return override(load_preset(name), dotted)


def made(source: dict[str, Any]) -> Preset:
    """A preset from a table in which only data, layers and training need to be said."""
    report = {"loss": source["training"]["loss"]}
    return read_preset("made", {"report": report, "goal": {"loss": 0, "epochs": 1}, **source})
