"""A preset comes back from the updates of its own run: training, faults, draws and report."""

from dataclasses import replace
from typing import Any

import pytest
from described_runs import changed, described

from nntui.presets import Preset
from nntui.program.recognise.preset_of import read_text
from nntui.program.recognise.showing import recognise


def come_back(preset: Preset, constants: tuple[float, ...] = (2.0,)) -> Preset:
    """The preset that is recognised in a run of ``preset``."""
    found = recognise(described(preset, constants=constants), "net.py", 10.0)
    assert found.reason is None
    assert found.preset_text is not None
    return read_text(found.preset_text)


LIBRARY = (
    "add-relu",
    "line-tanh",
    "line-leaky-relu",
    "line-leaky-relu-bias",
    "xor-relu",
    "add-relu-momentum",
    "square-leaky-relu",
)


@pytest.mark.parametrize("name", LIBRARY)
def test_a_library_preset_comes_back_with_its_faults(name: str) -> None:
    preset = changed(name)
    constants = (2.0, 1e-8) if name.startswith("square") else (2.0,)
    found = come_back(preset, constants)
    assert {each.name for each in found.configuration.faults} == {
        each.name for each in preset.configuration.faults
    }
    assert found.configuration.training == preset.configuration.training
    assert found.configuration.report.loss == preset.configuration.report.loss
    for own, other in zip(found.configuration.layers, preset.configuration.layers, strict=True):
        # The slope at a kink cannot be told where no pre-activation is exactly 0, nor whether the
        # bias of a single unit is shared.
        assert replace(own, kink=other.kink, bias=other.bias) == other


TRAININGS: tuple[dict[str, Any], ...] = (
    {"training__optimiser": "adam", "training__learning_rate": 0.02},
    {"training__optimiser": "rmsprop", "training__rho": 0.95},
    {"training__optimiser": "nesterov", "training__momentum": 0.8},
    {"training__momentum": 0.9, "training__dampening": 0.9, "training__learning_rate": 0.05},
    {"training__l2": 0.03},
    {"training__l1": 0.02},
    {"training__clip_norm": 0.5, "training__l2": 0.01},
    {"training__schedule": "exponential", "training__schedule_decay": 0.9,
     "training__schedule_every": 1},
    {"training__schedule": "inverse", "training__schedule_decay": 0.1,
     "training__schedule_every": 1},
    {"training__schedule": "step", "training__schedule_decay": 0.5, "training__schedule_every": 3},
    {"training__batch": 2, "training__order": "shuffled"},
    {"training__batch": 1, "training__order": "random"},
)  # fmt: skip


@pytest.mark.parametrize("changes", TRAININGS, ids=lambda each: "-".join(map(str, each.values())))
def test_the_optimiser_comes_back(changes: dict[str, Any]) -> None:
    preset = changed("add-tanh", **{"faults": [], "training__batch": 3, **changes})
    training = preset.configuration.training
    constants = (2.0, 0.95, 0.1, 0.9, 0.999, 1e-8, 0.5, training.l2, training.schedule_decay)
    assert come_back(preset, constants).configuration.training == training


FAULTS: tuple[dict[str, Any], ...] = (
    {"name": "wrong-sign", "layers": [0]},
    {"name": "wrong-factor", "layers": [1], "factor": 3.0},
    {"name": "no-weights-in-backprop", "layers": [1]},
    {"name": "error-for-delta", "layers": [2]},
    {"name": "derivative", "layers": [1], "of": "sigmoid"},
    {"name": "derivative-at-a", "layers": [0]},
    {"name": "gradient", "layers": [1], "of": "outer(delta, a)"},
    {"name": "frozen-bias", "layers": [0]},
    {"name": "bias-after-activation", "layers": [1]},
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: str(each["name"]))
def test_a_fault_comes_back_by_name_and_layer(fault: dict[str, Any]) -> None:
    found = come_back(changed("add-tanh", faults=[fault]))
    (entry,) = found.configuration.faults
    assert entry.non_defaults == {**fault, "layers": tuple(fault["layers"])}
