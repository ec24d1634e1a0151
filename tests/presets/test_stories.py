"""The stories tell the truth: every step is performed, and what it says one sees is asserted."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from string import Formatter

import numpy as np
import pytest
from piloted import bench, status
from textual.pilot import Pilot

from nntui import Preset, Run, load_preset
from nntui.presets.lookup import ORDER, preset_names
from nntui.presets.preset_table import plain_values, table_of
from nntui.presets.schema import override
from nntui.timeline import Snapshot
from nntui.tui.actions import WORKBENCH, fill_keys
from nntui.tui.app import NNTUI
from nntui.tui.workbench.screen import WorkbenchScreen

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("long_runs_are_compiled")]

KEYS = {action.name: action.keys.split(",")[0] for action in WORKBENCH}
"""The key to press for each action, in Textual's words."""
ASKING = ("jump", "choose_seed")
"""Actions that take a number."""
LOOKING = ("log_scale", "zoom", "next_panel", "faster", "slower", "help")
"""Actions that change what one looks at, not the run."""

LONGEST_LINE = 74
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)(?:e-?\d+)?|(?<![\w.])\d+e-?\d+")
"""A number with a decimal point or an exponent, or a unit's name such as 2.0."""


class Player:
    """Performs the actions of a story's steps on a run, as the app's keys would."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self.run = Run(preset)

    def perform(self, action: str) -> None:
        """Do one action, such as ``one_epoch`` or ``jump 300``."""
        name, _, number = action.partition(" ")
        run, per_epoch = self.run, self.preset.configuration.updates_per_epoch
        if name == "one_update":
            run.step(1)
        elif name == "one_epoch":
            run.seek((run.epoch + 1) * per_epoch)
        elif name == "many_epochs":
            run.seek((run.epoch + 100) * per_epoch)
        elif name == "run":
            self.run_on()
        elif name == "one_back":
            run.seek(max(run.update - 1, 0))
        elif name == "checkpoint":
            run.set_checkpoint()
        elif name == "last_checkpoint":
            run.seek(run.checkpoint_before())
        elif name == "jump":
            run.seek(int(number))
        elif name in ("next_seed", "choose_seed", "restart"):
            seeds = {"next_seed": run.seed + 1, "restart": run.seed}
            self.run = Run(self.preset, seed=seeds[name] if name in seeds else int(number))
        else:
            assert name in LOOKING

    def run_on(self) -> None:
        """Train until the budget, the stop rule or a divergence."""
        run, goal = self.run, self.preset.goal
        per_epoch = self.preset.configuration.updates_per_epoch
        if not goal.stop:
            run.seek(goal.epochs * per_epoch)
            return
        while run.epoch < goal.epochs and not goal.reached(run.loss) and run.divergence is None:
            run.seek((run.epoch + 1) * per_epoch)


def dead_units(run: Run) -> str:
    """The dead units by name, such as ``1.2 2.0``."""
    return " ".join(
        f"{index}.{unit}"
        for index, layer in enumerate(Snapshot.of(run).layers)
        for unit in np.flatnonzero(layer.dead)
    )


def activations(run: Run, layer: int) -> np.ndarray:
    """The activations of one layer, (units, samples)."""
    return Snapshot.of(run).layers[layer].a


def kinks_inside(run: Run) -> int:
    """How many units of layer 0 have their kink between x = 0 and x = 1."""
    W, b = run.parameters[0]
    place = -b / W[:, 0]
    return int(((place > 0) & (place < 1)).sum())


def ratio(run: Run) -> bool:
    """Whether the outputs on x = 1, 2, 3 stand as 1 : 2 : 3."""
    return np.allclose(run.outputs[0] / run.outputs[0][0], [1, 2, 3], rtol=1e-12)


@dataclass(frozen=True)
class Seen:
    """What one step claims.  Losses and outputs are given as the text of the story gives them."""

    update: int
    loss: str | None = None
    losses: dict[int, str] = field(default_factory=dict)
    """Reported losses of earlier epochs, by the number of finished epochs."""
    dead: str | None = None
    out: dict[int, str] = field(default_factory=dict)
    """Outputs by sample, as the heatmap shows them at 80x24."""
    also: tuple[Callable[[Run], bool], ...] = ()
    quoted: str = ""
    """Further numbers in the text: those that ``also`` covers, constants, unit names."""
    keys: str = ""
    """Keys that no action of the registry has, pressed after it: they move the cell cursor."""
    screen: tuple[str, ...] = ()
    """Texts that are on the screen then, at 80x24."""


def same(number: str, value: float) -> bool:
    """Whether ``value`` rounds to ``number`` at the digits that ``number`` shows."""
    digits = len(number.partition("e")[0].partition(".")[2])
    unit = 10.0 ** (int(number.partition("e")[2] or 0) - digits)
    return bool(abs(value - float(number)) <= 0.5 * unit + 1e-12)


def hidden(unit: int, *numbers: str, first: int = 0) -> Callable[[Run], bool]:
    """The claim that a unit of layer 0 shows these activations from sample ``first`` on."""
    return lambda run: all(
        same(number, value)
        for number, value in zip(numbers, activations(run, 0)[unit, first:], strict=False)
    )


def largest_in(unit: int, sample: int) -> Callable[[Run], bool]:
    """The claim that no activation of layer 0 is larger than this one."""
    return lambda run: activations(run, 0).max() == activations(run, 0)[unit, sample]


def reads(layer: int, unit: int, w: str = "", b: str = "") -> Callable[[Run], bool]:
    """The claim about the first weights and the bias of a unit, as the heatmap reads them."""

    def holds(run: Run) -> bool:
        W, bias = run.parameters[layer]
        weights = ", ".join(f"{value:.3g}" for value in W[unit])
        return weights.startswith(w) and (not b or f"{bias[unit]:.3g}" == b)

    return holds


def between(layer: int, low: float, high: float) -> Callable[[Run], bool]:
    """The claim that all activations of a layer lie between two numbers."""
    return lambda run: bool(
        (activations(run, layer) > low).all() and (activations(run, layer) < high).all()
    )


def begin_below(run: Run) -> list[int]:
    """By unit of layer 0: on how many samples it is below 0 before it is above 0 for good."""
    below = activations(run, 0) < 0
    counts = below.sum(axis=1)
    assert all(row[:count].all() for row, count in zip(below, counts, strict=True) if row[0])
    return [
        int(count) if row[0] and not row[-1] else 0
        for row, count in zip(below, counts, strict=True)
    ]


def at(run: Run, update: int) -> Run:
    """A second run of the same preset and seed, at ``update``."""
    other = Run(run.preset, seed=run.seed)
    other.seek(update)
    return other


def outs(run: Run, updates: int) -> np.ndarray:
    """The output on sample 0 at updates 0 to ``updates``."""
    return np.array([at(run, update).outputs[0, 0] for update in range(updates + 1)])


def targets(run: Run) -> np.ndarray:
    """The targets, (outputs, samples)."""
    return Snapshot.of(run).targets


def rises(row: np.ndarray) -> bool:
    """Whether each number of ``row`` is larger than the one before."""
    return bool((np.diff(row) > 0).all())


def proportional(rows: np.ndarray) -> bool:
    """Whether every row stands as 1 : 2 : 3."""
    return np.allclose(rows / rows[:, :1], [1, 2, 3], rtol=1e-12)


def calm(run: Run) -> bool:
    """Whether no number of the hidden layer is above 3, normalised or not."""
    layer = Snapshot.of(run).layers[0]
    return bool(layer.a.max() < 3 and np.abs(layer.h).max() < 3)


def normalised(number: str) -> Callable[[Run], bool]:
    """The claim about what the output layer sees of unit 0.0 on sample 0."""
    return lambda run: f"{Snapshot.of(run).layers[0].h[0, 0]:.3g}" == number


def floor(run: Run) -> float:
    """The sum of half squared errors of the best line through the origin."""
    x, y = Snapshot.of(run).inputs[0], targets(run)[0]
    lowest = 0.5 * float(((x @ y) / (x @ x) * x - y) @ ((x @ y) / (x @ x) * x - y))
    assert same("7.714", lowest)
    return lowest


@cache
def ended(name: str, seed: int, epochs: int) -> bool:
    """Whether a preset of the library is solved from ``seed`` after ``epochs``."""
    preset = load_preset(name)
    run = Run(preset, seed=seed)
    run.step(epochs * preset.configuration.updates_per_epoch)
    return preset.goal.reached(run.loss)


def stuck_without_bias(preset: Preset) -> bool:
    """Whether xor-relu-fixed without its output bias stays at 0.2525, with 0.5 on sample 0."""
    run = Run(override(preset, {"layers.1.bias": "none"}))
    run.step(12_000)
    return same("0.2525", run.loss or 0.0) and same("0.5000", run.outputs[0, 0])


CONSTANT_ZERO = "0.5967"
CLAIMS: dict[str, list[Seen]] = {
    "add-relu": [
        Seen(
            0,
            dead="1.2 1.3 2.0",
            also=(lambda r: not r.outputs.any(), reads(0, 0, b="-0.103")),
            quoted="0.0 0.103",
            screen=("0.0 w 1.76, 0.4  b -0.103",),
        ),
        Seen(
            6,
            CONSTANT_ZERO,
            also=(
                reads(0, 0, b="-0.0972"),
                lambda r: all(
                    np.array_equal(now[0], start[0]) and not np.array_equal(now[1], start[1])
                    for now, start in zip(
                        r.parameters, Run(r.preset, seed=0).parameters, strict=True
                    )
                ),
            ),
            quoted="0.0 0.0972",
            screen=("0.0 w 1.76, 0.4  b -0.0972",),
        ),
        Seen(
            30_000,
            CONSTANT_ZERO,
            dead="1.2 2.0",
            also=(
                lambda r: all(1e-133 < np.abs(b).max() < 1e-130 for _, b in r.parameters),
                lambda r: int((r.parameters[2][0] < 0).sum()) == 3,
                lambda r: same("0.156", r.parameters[2][0][0, 3]),
            ),
            quoted="1e-131 1.3 2.0 0.156",
            keys="down " * 8,
            screen=("2.0 w -0.888, -1.98, -0.348, 0.156  b 1.4e-131",),
        ),
        Seen(
            30_000,
            "0.0001029",
            also=(
                lambda r: dead_units(Run(r.preset, seed=2)) == "0.0 0.1 1.0 1.1 1.2",
                lambda r: r.seed == 2,
            ),
            quoted="0.0 0.1 1.0 1.1 1.2",
        ),
        Seen(
            606,
            "0.001064",
            losses={1: CONSTANT_ZERO},
            dead="0.2 0.3",
            also=(
                lambda r: "2.0" in dead_units(Run(r.preset, seed=23)),
                lambda r: "2.0" in dead_units(at(r, 124)) and "2.0" not in dead_units(at(r, 125)),
            ),
            quoted="2.0",
        ),
    ],
    "add-relu-momentum": [
        Seen(
            30_000,
            CONSTANT_ZERO,
            dead="1.2 2.0",
            also=(lambda r: "2.0" in dead_units(at(r, 0)),),
            quoted="2.0",
        ),
        Seen(
            0,
            dead="0.1 1.1 1.2",
            out={0: "3.80"},
            also=(lambda r: targets(r)[0, 0] == 0.3,),
            quoted="2.0 0.30",
        ),
        Seen(5, out={0: "0.34"}, also=(lambda r: bool((np.diff(outs(r, 5)) < -0.4).all()),)),
        Seen(6, "3.554", dead="0.1 1.1 1.2 2.0", quoted="2.0"),
        Seen(
            30_000,
            CONSTANT_ZERO,
            also=(
                lambda r: "2.0" not in dead_units(at(r, 5)),
                lambda r: "2.0" in dead_units(at(r, 6)) and "2.0" in dead_units(r),
            ),
        ),
    ],
    "add-tanh": [
        Seen(
            606,
            "0.005961",
            losses={1: "0.8276"},
            also=(
                reads(0, 0, b="-1.93e-29"),
                lambda r: all(np.abs(b).max() < 1e-27 for _, b in r.parameters),
            ),
            quoted="0.0 1.93e-29 1e-27",
            screen=("0.0 w 1.52, 0.104  b -1.93e-29",),
        ),
        Seen(6000, "0.001464", also=(lambda r: 0.2 < r.loss / r.losses[100] < 0.3,)),
        Seen(
            30_000,
            "0.000106",
            out={3: "0.99", 4: "0.98"},
            also=(
                lambda r: all(
                    f"{r.outputs[0, sample]:.2f}" == f"{targets(r)[0, sample]:.2f}"
                    for sample in (0, 1, 2, 5)
                ),
                lambda r: bool((targets(r)[0, [3, 4]] == 1).all()),
                lambda r: all(map(same, ("0.03", "0.04"), 1 - r.outputs[0, [3, 4]] ** 2)),
            ),
        ),
    ],
    "add-sigmoid": [
        Seen(
            606,
            "0.05621",
            losses={1: "0.3449"},
            also=(
                between(2, 0.72, 0.75),
                lambda r: same("0.7333", targets(r).mean()) and same("0.05889", targets(r).var()),
            ),
            quoted="0.72 0.75 0.7333 0.05889",
        ),
        Seen(6000, "0.048"),
        Seen(30_000, "0.003978", losses={2000: "0.02738"}, out={3: "0.92", 4: "0.90"}),
    ],
    "add-fixed": [
        Seen(
            0,
            dead="",
            also=(lambda r: dead_units(Run(load_preset("add-relu"))) == "1.2 1.3 2.0",),
            quoted="1.2 1.3 2.0",
        ),
        Seen(606, "0.00138", losses={1: "2.272"}, quoted=CONSTANT_ZERO),
        Seen(1206, "0.0008517", also=(lambda r: r.preset.goal.reached(r.loss),), quoted="0.01"),
        Seen(
            30_000,
            "0.0002748",
            also=(lambda r: r.seed == 1, lambda r: not ended("add-relu", 1, 5000)),
        ),
    ],
    "line-tanh": [
        Seen(
            3,
            "0.03182",
            out={0: "0.7077", 1: "0.8749", 2: "0.9103"},
            screen=("1.0        0.7077    0.8749    0.9103",),
        ),
        Seen(
            15_000,
            "0.0001625",
            out={0: "0.9222", 1: "0.7685", 2: "0.5721"},
            also=(lambda r: bool((activations(r, 0)[1:] > 0.96).all()),),
            quoted="0.1 0.2 0.96",
        ),
        Seen(
            3 * 22_641,
            "9.999e-06",
            also=(
                hidden(0, "0.4970", "0.7971", "0.9269"),
                reads(1, 0, w="-2.75,"),
                lambda r: bool((np.ptp(activations(r, 0)[1:], axis=1) < 0.03).all()),
            ),
            quoted="0.0 0.4970 0.7971 0.9269 2.75",
            keys="down " * 3,
            screen=("1.0 w -2.75, 1.16, 2.04  no bias",),
        ),
    ],
    "line-leaky-relu": [
        Seen(3, "10.07", also=(ratio, lambda r: proportional(activations(r, 0)))),
        Seen(303, "8.978"),
        Seen(
            15_000,
            "7.721",
            out={0: "1.5701", 1: "3.1401", 2: "4.7102"},
            also=(ratio,),
            quoted="1.0",
        ),
        Seen(15_000, "7.721", also=(lambda r: r.seed == 1 and r.loss > floor(r),), quoted="7.714"),
    ],
    "line-leaky-relu-edited": [
        Seen(303, "7.781", losses={1: "10.04"}),
        Seen(
            15_000, "7.78", out={0: "1.5563", 1: "3.1127", 2: "4.6690"}, also=(ratio,), quoted="1.0"
        ),
        Seen(
            15_003,
            out={0: "1.5563"},
            also=(
                lambda r: same("1.5672", at(r, 15_001).outputs[0, 0]),
                lambda r: bool(at(r, 15_002).outputs[0, 0] > at(r, 15_001).outputs[0, 0]),
                lambda r: same("1.5563", at(r, 15_000).outputs[0, 0]),
            ),
            quoted="1.5672",
        ),
    ],
    "line-leaky-relu-bias": [
        Seen(
            303,
            "3.669",
            losses={1: "4.091"},
            also=(lambda r: rises(r.outputs[0]),),
            quoted="1.0",
            screen=("1.0        2.7435    3.5748    4.4062",),
        ),
        Seen(
            3000,
            "0.7391",
            out={0: "4.0015", 1: "3.8294", 2: "3.6573"},
            also=(lambda r: rises(-r.outputs[0]),),
            screen=("1.0        4.0015    3.8294    3.6573",),
        ),
        Seen(
            3 * 2596,
            "9.986e-05",
            out={0: "4.9882", 1: "3.9976", 2: "3.0071"},
            screen=("1.0        4.9882    3.9976    3.0071", "stopped: 0.0001 is re"),
        ),
    ],
    "xor-relu": [
        Seen(
            4,
            "1.012",
            also=(
                hidden(5, "0.7459", first=3),
                between(0, 0, 0.75),
                between(1, 0.56, 0.64),
            ),
            quoted="1.0 0.5 0.56 0.64 0.75 0.7459",
        ),
        Seen(400, "1.023", also=(hidden(5, "0.9288", first=3),), quoted="0.5 0.9288"),
        Seen(
            2000,
            "1.701",
            out={0: "0.6669", 1: "0.4512", 2: "0.0092", 3: "0.0038"},
            also=(hidden(5, "5.9569", first=3), largest_in(5, 3)),
            quoted="0.5 5.9569",
        ),
        Seen(
            12_000,
            also=(
                lambda r: activations(r, 0).max() > 1e3,
                lambda r: bool(((r.losses[500:] > 0.9) & (r.losses[500:] < 2.1)).mean() > 0.95),
            ),
        ),
    ],
    "xor-sigmoid": [
        Seen(
            4,
            "1.021",
            also=(between(0, 0.5, 0.67),),
            quoted="0.5 0.67",
        ),
        Seen(
            4000,
            "1.048",
            also=(between(1, 0.49, 0.51),),
            quoted="1.0 0.5",
        ),
        Seen(8000, "0.6924", out={1: "0.9310"}, screen=("  0.9310  ",)),
        Seen(
            20_000,
            "0.01392",
            out={0: "0.0030", 1: "0.9925", 2: "0.9934", 3: "0.0106"},
            screen=("1.0      0.0030  0.9925  0.9934  0.0106",),
        ),
        Seen(20_000, "0.5416", out={2: "0.4656", 3: "0.4693"}),
    ],
    "xor-relu-layernorm": [
        Seen(
            404,
            "0.9671",
            losses={1: "1.079"},
            dead="0.2",
            also=(calm, hidden(3, "1.4412", first=3), largest_in(3, 3), normalised("0.328")),
            quoted="0.2 0.3 1.4412 0.328",
            screen=("0.0 sample 0  z 0.261  a 0.261  norm 0.328...",),
        ),
        Seen(12_000, "0.0009022", also=(calm, lambda r: activations(r, 0).max() < 1)),
        Seen(
            12_000,
            "0.2509",
            out={3: "0.5000"},
            also=(lambda r: r.seed == 3 and not activations(r, 0)[:, 3].any(),),
        ),
    ],
    "xor-relu-fixed": [
        Seen(
            404,
            "1.013",
            losses={1: "1.017"},
            also=(hidden(5, "0.5187", first=3), largest_in(5, 3)),
            quoted="0.5 0.5187",
        ),
        Seen(2000, "0.5616", out={1: "0.7636", 2: "0.7737", 3: "0.0949"}),
        Seen(
            12_000,
            "0.008272",
            out={0: "0.0114"},
            also=(
                lambda r: bool((activations(r, 0)[:, 0] < 5e-5).all()),
                reads(1, 0, b="-4.46"),
                lambda r: f"{Snapshot.of(r).layers[1].z[0, 0]:.3g}" == "-4.46",
                lambda r: stuck_without_bias(r.preset),
            ),
            quoted="1.0 4.46",
            keys="down " * 10,
            screen=("  b -4.46 ", "1.0 sample 0  z -4.46"),
        ),
        Seen(12_000, "0.00398", also=(lambda r: r.preset.goal.reached(r.loss),)),
    ],
    "square-leaky-relu": [
        Seen(
            0,
            out={200: "-0.0079"},
            keys="ctrl+end up end",
            screen=("1.0 sample 200  z -0.79  a -0.0079  x 1",),
            also=(
                lambda r: int((activations(r, 0)[:, 1:] > 0).all(axis=1).sum()) == 32,
                lambda r: int((activations(r, 0)[:, 1:] < 0).all(axis=1).sum()) == 32,
                lambda r: bool(np.allclose(np.diff(activations(r, 0), 2), 0, atol=1e-12)),
            ),
        ),
        Seen(101, "0.2055", losses={1: "0.2055"}),
        Seen(50_000, "0.2054", out={200: "-0.0077"}),
        Seen(
            10_000,
            "0.03333",
            losses={1: "0.06337"},
            out={100: "0.5", 200: "1.01"},
            also=(lambda r: r.seed == 1 and bool((Run(r.preset, seed=1).outputs >= 0).all()),),
        ),
    ],
    "square-linear-output": [
        Seen(
            1,
            "0.8067",
            out={200: "-0.79"},
            also=(lambda r: bool((r.outputs[0, 1:] < 0).all()),),
            quoted="1.0",
            keys="ctrl+end up end",
            screen=("1.0 sample 200  z -0.79  a -0.79  x 1",),
        ),
        Seen(10_000, "0.2846"),
        Seen(50_000, "0.02023", out={0: "0.0332", 100: "0.332", 200: "0.624"}, quoted="0.5"),
        Seen(10_000, "0.03333", also=(lambda r: r.seed == 1,)),
    ],
    "square-fixed": [
        Seen(
            2,
            "0.324",
            losses={1: "0.8067"},
            out={200: "0.14"},
            also=(
                lambda r: same("-0.79", at(r, 0).outputs[0, 200]),
                lambda r: same("1.66", at(r, 1).outputs[0, 200]),
            ),
            quoted="0.79 1.66",
            keys="ctrl+end up end",
            screen=("1.0 sample 200  z 0.14  a 0.14  x 1",),
        ),
        Seen(102, "0.00549", also=(lambda r: 0.0048 < at(r, 500).loss < 0.0055,), quoted="0.00567"),
        Seen(
            2000,
            "0.0009975",
            also=(
                lambda r: kinks_inside(r) == 40,
                lambda r: sum(count > 0 for count in begin_below(r)) == 32,
                lambda r: (begin_below(r)[6], begin_below(r)[10]) == (3, 86),
                lambda r: not any(begin_below(at(r, 0))),
            ),
            quoted="0.6 0.10",
            keys="ctrl+home home pagedown " + "shift+right " * 9,
            screen=("0.10 sample 90  z 0.00452  a 0.00452  x 0.45",),
        ),
        Seen(6012, "9.999e-05", also=(lambda r: r.losses[:-1].min() > 1e-4,), quoted="1e-4"),
        Seen(
            50_000,
            "1.853e-05",
            out={0: "-0.000343", 100: "0.251", 200: "0.989"},
            also=(lambda r: bool((np.diff(r.losses) < 0).all()),),
            quoted="0.5",
        ),
    ],
}


@pytest.mark.parametrize("name", ORDER)
def test_a_story_shows_what_it_says(name: str) -> None:
    preset = load_preset(name)
    player = Player(preset)
    assert len(CLAIMS[name]) == len(preset.story.steps)
    for number, (step, seen) in enumerate(zip(preset.story.steps, CLAIMS[name], strict=True)):
        for action in step.perform:
            player.perform(action)
        run, where = player.run, f"{name}, step {number}"
        assert run.update == seen.update, where
        assert run.divergence is None, where
        if seen.loss is not None:
            assert f"{run.loss:.4g}" == seen.loss, where
        for epoch, loss in seen.losses.items():
            assert f"{run.losses[epoch - 1]:.4g}" == loss, where
        if seen.dead is not None:
            assert dead_units(run) == seen.dead, where
        for sample, value in seen.out.items():
            assert same(value, run.outputs[0, sample]), (where, run.outputs[0, sample])
        for index, claim in enumerate(seen.also):
            assert claim(run), (where, index)


@pytest.mark.parametrize("name", ORDER)
def test_every_number_that_a_step_shows_is_claimed(name: str) -> None:
    for step, seen in zip(load_preset(name).story.steps, CLAIMS[name], strict=True):
        shown = set(NUMBER.findall(step.see))
        loss = {seen.loss} - {None}
        stated = {*loss, *seen.losses.values(), *(value.lstrip("-") for value in seen.out.values())}
        assert stated <= shown, (step.see, stated - shown)
        claimed = {*stated, *seen.quoted.split(), *(seen.dead or "").split()}
        assert shown <= claimed, (step.see, shown - claimed)


def test_the_library_is_told_in_full() -> None:
    assert tuple(preset_names()) == ORDER
    assert set(ORDER) == set(CLAIMS)
    for name, claims in CLAIMS.items():
        assert not any(seen.screen for seen in claims[DRIVEN.get(name, 0) :]), (
            "a claim not looked at"
        )


@pytest.mark.parametrize("name", ORDER)
def test_a_story_is_complete(name: str) -> None:
    preset = load_preset(name)
    story = preset.story
    assert preset.seed == 0
    for line in (story.question, story.happens):
        assert 0 < len(line) <= LONGEST_LINE
        assert "\n" not in line
    for text in (story.asked, story.answer, story.shown):
        assert len(text) > 20
        assert text == " ".join(text.split())
    assert 3 <= len(story.steps) <= 6
    for step in story.steps:
        assert step.do == " ".join(step.do.split()) != ""
        assert step.see == " ".join(step.see.split()) != ""


@pytest.mark.parametrize("name", ORDER)
def test_a_step_names_only_actions_that_exist(name: str) -> None:
    for step in load_preset(name).story.steps:
        named = {key for _, key, _, _ in Formatter().parse(step.do) if key is not None}
        assert named <= set(KEYS)
        assert not step.do.startswith("{"), "a step begins with a verb"
        done = set()
        for action in step.perform:
            first, *rest = action.split(" ")
            done.add(first)
            assert first in KEYS, action
            assert len(rest) == (1 if first in ASKING else 0), action
            assert all(part.isdecimal() for part in rest), action
        assert done <= named, step.do


@pytest.mark.parametrize("name", ORDER)
def test_every_name_in_a_story_becomes_a_key(name: str) -> None:
    story = load_preset(name).story
    texts = [story.question, story.happens, story.asked, story.answer, story.shown]
    texts += [text for step in story.steps for text in (step.do, step.see)]
    for text in texts:
        assert set(re.findall(r"{(.*?)}", text)) <= set(KEYS)
        assert not set("{}") & set(fill_keys(text))


DRIVEN = {
    "add-relu": 5,
    "add-tanh": 1,
    "line-tanh": 3,
    "line-leaky-relu-bias": 3,
    "xor-sigmoid": 5,
    "xor-relu-layernorm": 1,
    "xor-relu-fixed": 3,
    "square-leaky-relu": 1,
    "square-linear-output": 1,
    "square-fixed": 3,
}
"""The stories that are told to the app, key by key, and how many of their steps."""


async def quiet(pilot: Pilot[None]) -> None:
    """Wait until the workbench is there and trains no more."""
    for _ in range(20_000):
        await asyncio.sleep(0.005)
        if isinstance(pilot.app.screen, WorkbenchScreen) and not bench(pilot).running:
            return
    raise AssertionError("it trains for ever")


@pytest.mark.parametrize("name", list(DRIVEN)[::3])
async def test_the_app_tells_a_story_as_the_library_does(name: str) -> None:
    preset = load_preset(name)
    player = Player(preset)
    async with NNTUI(preset).run_test(size=(80, 24)) as pilot:
        steps = list(zip(preset.story.steps, CLAIMS[name], strict=True))[: DRIVEN[name]]
        for number, (step, seen) in enumerate(steps):
            for action in step.perform:
                player.perform(action)
                first, *rest = action.split(" ")
                await pilot.press(KEYS[first], *"".join(rest), *["enter"] * len(rest))
                await quiet(pilot)
            await pilot.press(*seen.keys.split())
            await pilot.pause()
            shown, expected = status(pilot).snapshot, Snapshot.of(player.run)
            assert shown is not None
            for what in ("update", "seed", "epoch", "loss", "state_hash"):
                assert getattr(shown, what) == getattr(expected, what), (number, what)
            strips = pilot.app.screen._compositor.render_strips()
            text = "\n".join("".join(segment.text for segment in strip) for strip in strips)
            for part in (f"update {expected.update:,}", f"seed {expected.seed}", *seen.screen):
                assert part in text, (number, part, text)


CHANGED = {
    "add-relu-momentum": ("add-relu", {"training.momentum"}),
    "add-fixed": ("add-relu", {"faults", *(f"layers.{n}.activation" for n in (0, 1, 2))}),
    "xor-relu-layernorm": ("xor-relu", {"layers.0.normalise"}),
    "xor-relu-fixed": ("xor-relu", {"faults", "layers.1.bias"}),
    "square-fixed": (
        "square-leaky-relu",
        {"faults", "layers.1.activation", "training.learning_rate"},
    ),
}


def flat(table: object, prefix: str = "") -> dict[str, object]:
    """A preset's table by dotted keys; rows of numbers and the faults are one entry."""
    if isinstance(table, dict):
        pairs = [(str(key), value) for key, value in table.items()]
    elif isinstance(table, list) and table and isinstance(table[0], dict):
        pairs = [(str(index), value) for index, value in enumerate(table)]
    else:
        return {prefix: table}
    return {
        key: value
        for name, part in pairs
        for key, value in flat(part, f"{prefix}.{name}" if prefix else name).items()
    }


@pytest.mark.parametrize("name", CHANGED)
def test_a_preset_changes_only_the_keys_that_it_says(name: str) -> None:
    origin, keys = CHANGED[name]
    mine, theirs = (
        {
            key: value
            for key, value in flat(plain_values(told)).items()
            if not key.startswith("story")
        }
        for told in map(table_of, (load_preset(name), load_preset(origin)))
    )
    assert {key for key in {*mine, *theirs} if mine.get(key) != theirs.get(key)} == keys
    assert not name.endswith("-fixed") or not load_preset(name).configuration.faults
