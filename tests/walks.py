"""Runs that the tests walk through: presets, changes to make on the way, and what must come out."""

from dataclasses import dataclass, field
from typing import Any

from support import preset

import nntui
from nntui.core.engine.changes import changed
from nntui.core.engine.state import State
from nntui.core.engine.trainer import Trainer, initial_state
from nntui.presets import Preset
from nntui.presets.schema import override

Changes = dict[str, Any]
Script = tuple[tuple[int, Changes], ...]
"""What was changed at which update, in order."""

SEED = 7
WALKED = {
    "add-relu": preset("add-relu"),
    "xor-relu": preset("xor-relu"),
    "square-leaky-relu": preset("square-leaky-relu"),
    "odd-batches": preset("add-relu-momentum", training__batch=4),
    "shuffled adam": preset(
        "add-relu",
        training__order="shuffled",
        training__batch=4,
        training__optimiser="adam",
        training__schedule="step",
        training__schedule_every=7,
    ),
    "random nesterov": preset(
        "add-relu",
        training__order="random",
        training__draws=13,
        training__batch=3,
        training__optimiser="nesterov",
        training__momentum=0.9,
        training__schedule="cosine",
        training__schedule_every=40,
        training__clip_norm=0.5,
    ),
    "shuffled rmsprop": preset(
        "square-leaky-relu",
        layers__0__units=6,
        data__samples=11,
        data__noise=0.1,
        data__test_share=0.3,
        training__order="shuffled",
        training__batch=5,
        training__optimiser="rmsprop",
        training__learning_rate=1e-3,
        training__schedule="exponential",
        training__l1=1e-3,
    ),
}
"""Presets to walk through, by name."""

LIVE: tuple[Changes, ...] = (
    {},
    {"training.learning_rate": 0.05},
    {"training.learning_rate": 1e-4, "training.schedule": "inverse"},
    {"training.learning_rate": 1e200},
    {"training.momentum": 0.9},
    {"training.momentum": 0.0},
    {"training.optimiser": "adam", "training.learning_rate": 1e-3},
    {"training.optimiser": "sgd"},
    {"training.optimiser": "nesterov", "training.momentum": 0.5},
    {"faults": ["bias-decay"]},
    {"faults": []},
    {"faults": [{"name": "wrong-factor", "factor": 0.5}]},
    {"training.schedule": "cosine", "training.schedule_every": 5},
    {"training.clip_norm": 0.1},
    {"training.l2": 0.01, "report.penalty": True},
    {"report.reduction": "sum"},
    {"report.rows": "all", "report.when": "after"},
    {"report.loss": "half-absolute-error"},
    {"goal.loss": 0.2},
    {"training.batch": 2},
    {"training.batch": "full"},
    {"training.order": "shuffled"},
    {"training.order": "random"},
    {"training.order": "in-order"},
)
STRUCTURAL: tuple[Changes, ...] = (
    {"seed": 5},
    {"layers.0.activation": "tanh"},
    {"layers.0.units": 3},
    {"data.target_divisor": 2.0, "training.momentum": 0.3},
)
WRONG: tuple[Changes, ...] = (
    {"training.learning_rat": 1.0},
    {"training.learning_rate": float("nan")},
    {"training.learning_rate": -1.0},
    {"training.momentum": 1.0},
    {"training.momentum": "0.9"},
    {"training.batch": 0},
    {"training.optimiser": "addam"},
    {"training.optimiser": object()},
    {"training.clip_norm": {1.0}},
    {"training.momentum.x": 1},
    {"faults": [3]},
    {"faults": ["no-such-fault"]},
    {"goal.loss": None},
    {"layer.0.units": 3},
    {"": 1},
    {"training": 1},
    {"training.learning_rate": 0.2, "training.rate": 0.1},
)


@dataclass
class Trajectory:
    """Training by a bare trainer that never goes back: its state at each update, its losses."""

    states: list[State]
    losses: list[float] = field(default_factory=list)

    def at(self, update: int) -> State:
        return self.states[min(update, len(self.states) - 1)]


def trajectory(source: Preset, script: Script, updates: int, seed: int = SEED) -> Trajectory:
    """What training ``source`` with the changes of ``script`` gives, up to ``updates``."""
    pending = list(script)
    while pending and pending[0][0] == 0:
        values = pending.pop(0)[1]
        source, seed = override(source, values), values.get("seed", seed)
    line = Trajectory([])
    trainer = Trainer(initial_state(source.configuration, seed), lambda _, x: line.losses.append(x))
    while True:
        while pending and pending[0][0] == trainer.update:
            source = override(source, pending.pop(0)[1])
            state = changed(trainer.state, source.configuration)
            trainer = Trainer(state, lambda _, x: line.losses.append(x))
        line.states.append(trainer.state)
        if trainer.update == updates or trainer.divergence is not None:
            return line
        trainer.advance(1)


def stepped(source: Preset, script: Script, updates: int, seed: int = SEED) -> nntui.Run:
    """The same, by a run that is changed at its head."""
    run = nntui.Run(source, seed)
    for update, values in script:
        run.step(update - run.update)
        run.change(**values)
    run.step(updates - run.update)
    return run
