"""Diagnoses a program through the preset that computes the same: quickly, and from many seeds."""

from collections.abc import Callable
from math import isfinite

from nntui.core.engine.data import load_data
from nntui.core.engine.reported_loss import is_unscaled
from nntui.core.errors import ConfigError
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.experiments.results import Experiments
from nntui.diagnosis.measures.floors import Cost
from nntui.diagnosis.observation import observe
from nntui.diagnosis.why import Answer, why
from nntui.presets.preset import Preset
from nntui.presets.schema import override
from nntui.program.why.goal import Reference
from nntui.timeline.run import Run

SEEDS = 100
LOOK = 0.15
"""The share of the time for what can be proven before any training."""
LEAST_TRIED = 3
"""Changes that must have been tried before what they reach says what can be learned."""
LEAST = 2.0
"""Seconds that a diagnosis takes at least."""


def reference_of(preset: Preset) -> Reference | None:
    """What the losses of ``preset`` are measured by; None where nothing can be missed."""
    configuration = preset.configuration
    data = load_data(configuration)
    units = data.units if is_unscaled(configuration) else None
    constant = Cost(configuration.report, configuration.reported_samples, units).constant(data.y)
    return Reference(constant, False) if isfinite(constant) and constant > 0.0 else None


def explain_preset(
    preset: Preset,
    deadline: Deadline,
    progress: Callable[[str, float], bool],
    workers: int,
) -> tuple[Answer, Reference, float] | None:
    """The diagnosis of ``preset``, what its losses are measured by, and the lowest that is known.

    The preset has no goal of its own: it is set as for programs.  None where the preset cannot be
    trained.
    """
    reference = reference_of(preset)
    if reference is None:
        return None
    lowest = floor = 0.0

    def aim(tried: Experiments) -> float:
        nonlocal lowest
        given = tried.given.goal
        assert given is not None
        if len(tried.tried) >= LEAST_TRIED and isfinite(tried.lowest):
            lowest = max(tried.lowest * given, floor)
        return max(reference.goal(lowest), given)

    try:
        lowest = floor = _floor(preset, reference, deadline)
        answer = why(
            _with_goal(preset, reference.goal(floor)),
            seeds=SEEDS,
            seconds=max(deadline.left, LEAST),
            progress=progress,
            workers=workers,
            aim=aim,
        )
    except ConfigError:
        return None
    return answer, reference, lowest


def _floor(preset: Preset, reference: Reference, deadline: Deadline) -> float:
    """The loss below which no network of this kind gets, if that leaves something to learn."""
    run = Run(_with_goal(preset, reference.goal()))
    found = diagnose(observe(run), deadline.share(LOOK))
    return reference.floor(each.floor for each in (*found.findings, *found.suspects))


def _with_goal(preset: Preset, loss: float) -> Preset:
    return override(preset, {"goal.loss": loss, "goal.stop": False})
