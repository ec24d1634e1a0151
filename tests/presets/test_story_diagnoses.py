"""What a story says that ``nntui why`` says: diagnosed again, and the fixes tried again."""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from nntui import Preset, Run, load_preset
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.experiments.laboratory import Laboratory, Trial
from nntui.diagnosis.experiments.results import Experiment
from nntui.diagnosis.experiments.rounds import NOTHING
from nntui.diagnosis.finding import Fix
from nntui.diagnosis.observation import observe
from nntui.presets.lookup import ORDER
from nntui.timeline.history.termination import Termination

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("long_runs_are_compiled")]

CORRECTED: dict[str, Any] = {"faults": []}
MOMENTUM = {"training.momentum": 0.9}
ADAM = {"training.optimiser": "adam", "training.learning_rate": 0.001}
TANH = {"layers.0.activation": "tanh", "layers.1.activation": "tanh"}
OUTPUT_BIAS = {"layers.1.bias": "per-unit"}
BIASES = {"layers.0.bias": "per-unit", **OUTPUT_BIAS}
LAST = {"layers.2.activation": "identity"}
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Said:
    """What one story says of the diagnosis."""

    codes: tuple[str, ...] = ()
    """All findings, the headline's first."""
    epochs: int | None = None
    """After how many epochs that is diagnosed again; None for the whole run."""
    seeds: int = 0
    within: int | None = None
    """The epochs of the experiments; None for the preset's budget."""
    solved: tuple[tuple[dict[str, Any], int | range], ...] = ()
    """By the changes that are made: how many seeds are solved; a range where last bits decide."""
    also: tuple[str, ...] = ()
    """Further numbers: those of the preset, and of a finding's evidence."""
    learns: bool | None = None
    """Whether the run is solved where it is diagnosed; None where the story does not say."""


SLIPS = ("bias-decay", "update-before-backprop")
LATE = ("update-before-backprop",)
HEALTHY = Said(learns=True)
SAID = {
    "add-relu": Said(
        ("dead-output", *SLIPS),
        epochs=200,
        seeds=100,
        solved=(({}, 52), (MOMENTUM, 46), (CORRECTED, 32), (CORRECTED | LAST | TANH, 98)),
    ),
    "add-tanh": Said(
        SLIPS,
        epochs=5000,
        seeds=100,
        within=5000,
        solved=(({}, 73), (CORRECTED, 99), (LAST, 100)),
        learns=True,
    ),
    "add-sigmoid": Said(
        SLIPS, epochs=200, seeds=100, within=1700, solved=(({}, 0), (CORRECTED | LAST, 100))
    ),
    "add-relu-momentum": Said(
        ("dead-output", *SLIPS),
        epochs=200,
        seeds=100,
        within=2400,
        solved=(({}, 46), (CORRECTED, 18), (CORRECTED | LAST | TANH, 100)),
    ),
    "add-fixed": HEALTHY,
    "line-tanh": Said(LATE, seeds=24, solved=(({}, 24), (CORRECTED, 24)), learns=True),
    "line-leaky-relu": Said(
        ("no-bias", "derivative", "update-before-backprop"),
        epochs=1000,
        seeds=100,
        solved=(({}, 0), (BIASES, 0), (CORRECTED | BIASES | MOMENTUM, 100)),
        also=("7.714", "0.9"),
    ),
    "line-leaky-relu-edited": Said(
        ("no-bias",), epochs=1000, seeds=100, solved=(({}, 0), (BIASES, 100)), also=("7.714",)
    ),
    "line-leaky-relu-bias": HEALTHY,
    "xor-relu": Said(
        LATE,
        epochs=100,
        seeds=100,
        solved=(({}, range(11, 32)), (CORRECTED, 76), (CORRECTED | OUTPUT_BIAS, 100)),
    ),
    "xor-sigmoid": Said(
        LATE,
        seeds=100,
        solved=(({}, 95), (CORRECTED, 59), (CORRECTED | OUTPUT_BIAS, 100)),
        learns=True,
    ),
    "xor-relu-layernorm": Said(
        LATE,
        seeds=12,
        within=1500,
        solved=(
            ({}, range(4, 10)),
            (CORRECTED, range(4, 10)),
            ({"layers.0.units": 20}, range(10, 13)),
        ),
        learns=True,
    ),
    "xor-relu-fixed": HEALTHY,
    "square-leaky-relu": Said(
        ("rate-too-low", "penalty-sum"),
        epochs=5000,
        seeds=12,
        within=2500,
        solved=(({}, 0), (ADAM | {"layers.1.activation": "identity"}, 12)),
        also=("0.001",),
    ),
    "square-linear-output": Said(
        ("rate-too-low",),
        epochs=5000,
        seeds=12,
        within=3000,
        solved=(({}, 0), (ADAM, 12)),
        also=("0.001",),
    ),
    "square-fixed": HEALTHY,
}


def told(preset: Preset) -> str:
    """What the story says of the diagnosis: its last sentences."""
    before, asked, said = preset.story.shown.partition("nntui why ")
    assert before
    assert asked
    return said


def ended(preset: Preset, epochs: int | None) -> Run:
    """The run of the preset's seed after ``epochs``, or where it ends."""
    run, ending = Run(preset), Termination(epochs)
    while ending.reason(run) is None:
        run.seek(ending.next_check(run))
    return run


@pytest.mark.parametrize("name", ORDER)
def test_the_diagnosis_is_what_the_story_says(name: str) -> None:
    preset, said = load_preset(name), SAID[name]
    run = ended(preset, said.epochs)
    found = diagnose(observe(run)).findings
    assert tuple(each.code for each in found) == said.codes
    if said.learns is not None:
        assert run.solved == said.learns
    if not said.codes:
        assert told(preset) == "finds nothing."
        return
    for words, klass in (("proves", "proof"), ("measures", "measured")):
        assert (words in told(preset)) == (klass in {each.rule.klass for each in found})
    assert ("though" in told(preset)) == bool(said.learns)
    if "7.714" in said.also:
        assert "7.714" in found[0].evidence


@pytest.mark.parametrize("name", [name for name, said in SAID.items() if said.seeds][::2])
def test_the_fixes_do_what_the_story_says(name: str) -> None:
    preset, said = load_preset(name), SAID[name]
    epochs, seeds = said.within or preset.goal.epochs, range(said.seeds)
    baseline = Trial(preset, NOTHING)
    trials = [Trial(preset, Fix("as told", changes)) for changes, _ in said.solved]
    trials = [each if each.fix.changes else baseline for each in trials]
    changed = [each for each in trials if each is not baseline]
    laboratory = Laboratory(preset, None, 1, Deadline.after(3600))
    laboratory.run("again", [(each, seeds, epochs) for each in (baseline, *changed)])
    for trial, (changes, solved) in zip(trials, said.solved, strict=True):
        tried = Experiment.of(trial, baseline)
        assert tried is not None
        assert (tried.seeds, tried.epochs) == (said.seeds, epochs)
        if isinstance(solved, range):
            assert tried.solved in solved, changes
            continue
        assert tried.solved == solved, changes
        if changes and trial is trials[-1]:
            alike = tried.baseline_solved == tried.seeds
            assert tried.verdict == ("no effect" if alike or name == "xor-sigmoid" else "helps")


@pytest.mark.parametrize("name", [name for name, said in SAID.items() if said.seeds])
def test_every_number_that_the_story_says_is_tried_again(name: str) -> None:
    said = SAID[name]
    text = told(load_preset(name)).replace("0..", "").replace("none", "0")
    numbers = set(NUMBER.findall(text))
    exact = [str(solved) for _, solved in said.solved if isinstance(solved, int)]
    claimed = {str(said.seeds - 1), *exact, *said.also}
    if said.within is not None:
        claimed.add(str(said.within))
    assert numbers <= claimed
    assert {str(s) for changes, s in said.solved if changes and isinstance(s, int)} <= numbers
