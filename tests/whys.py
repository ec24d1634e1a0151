"""Diagnoses and experiments that take as long as a test wants, for the Why panel."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nntui.diagnosis.finding import MEASURED, PROOF, Diagnosis, Finding, Fix, Rule
from nntui.diagnosis.observation import Observation
from nntui.presets.preset import Preset
from nntui.sweeps import sweep
from nntui.tui.workbench.background import Work
from nntui.tui.workbench.background_experiments import Trial, Tried

DEAD = Rule(
    code="dead-layer",
    title="no unit of the layer is active on any sample",
    klass=PROOF,
    formula="the number of units with a = 0 on every sample is the number of units",
    source="counted",
    disproof="some unit of the layer is above zero on some sample",
)
SLOW = Rule("rate-too-low", "the rate is too low", MEASURED, "rate * curvature", "B", "it learns")
BEGAN = 300
"""Before this update the diagnosis of `found` finds nothing."""
LEAKY = Fix("leaky ReLU in layer 1", {"layers.1.activation": "leaky-relu"})
MOMENTUM = Fix("momentum 0.9", {"training.momentum": 0.9})


def found(case: Observation) -> Diagnosis:
    """Nothing before update `BEGAN`, then a layer and a rate."""
    update = case.state.update
    if update < BEGAN:
        return Diagnosis(update, learns=True, findings=(), checked=("dead units", "the code"))
    layer = Finding(DEAD, f"at update {update} 4 of 4 units", 1, BEGAN, (LEAKY, MOMENTUM))
    rate = Finding(SLOW, "1e-9 of the weights", None, None, (MOMENTUM,), ((0, 0), (0, 2)))
    return Diagnosis(update, learns=False, findings=(layer, rate))


def sweeping(folder: Path, preset: Preset, seed: int) -> Work[Tried]:
    """Experiments that begin a sweep in processes, and say in ``folder`` when they end."""
    return partial(_sweep, folder, preset)


def _sweep(folder: Path, preset: Preset, tell: Callable[[Tried], bool]) -> Tried:
    (folder / "begun").touch()
    try:
        sweep(
            preset,
            range(100_000),
            epochs=50,
            progress=lambda done, of: tell(Tried(f"{len(done)} of {of}", going=True)),
        )
    finally:
        (folder / "ended").touch()
    return Tried()


def quick(preset: Preset, seed: int) -> Work[Tried]:
    """Experiments with a result at once."""
    return _quick


def _quick(tell: Callable[[Tried], bool]) -> Tried:
    tell(Tried("1 of 2", going=True))
    trials = (
        Trial("momentum 0.9", {"training.momentum": 0.9}, 100, 98, 57, "helps"),
        Trial("leaky ReLU", {"layers.1.activation": "leaky-relu"}, 100, 57, 57, "no effect"),
    )
    return Tried(trials=trials)


def failing(preset: Preset, seed: int) -> Work[Tried]:
    """Experiments that fail."""
    return _fail


def _fail(tell: Callable[[Tried], bool]) -> Tried:
    raise ValueError("nothing can be tried")


def noting(
    calls: list[int], free: threading.Event | None = None
) -> Callable[[Observation], Diagnosis]:
    """`found`, once it is ``free``; ``calls`` notes the updates that it was called for."""

    def diagnose(case: Observation) -> Diagnosis:
        calls.append(case.state.update)
        if free is not None:
            free.wait()
        return found(case)

    return diagnose
