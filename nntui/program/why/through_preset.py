"""Diagnoses a program through the preset that computes the same: quickly, and from many seeds."""

import math
from collections.abc import Callable
from math import isfinite

from nntui.core.engine.data import load_data
from nntui.core.engine.reported_loss import is_unscaled
from nntui.core.errors import ConfigError
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.measures.floors import Cost
from nntui.diagnosis.observation import observe
from nntui.diagnosis.why import Answer, why
from nntui.presets.preset import Preset
from nntui.presets.schema import override
from nntui.program.why.goal import Reference
from nntui.timeline.run import Run

SEEDS = 100
PROBE = 0.65
"""The share of the time after which it is asked how low the loss can get, if nothing learns."""
LOOK = 0.15
"""The same for what can be proven before any training."""
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

    The preset has no goal of its own: it is set as for programs.  Where nothing reaches it, the
    goal is what the best change reaches, and the experiments are made again.  None where the
    preset cannot be trained.
    """
    reference = reference_of(preset)
    if reference is None:
        return None
    try:
        floor = _floor(preset, reference, deadline)
        first = _with_goal(preset, reference.goal(floor))
        answer = _answer(first, PROBE * deadline.left, progress, workers)
        lowest = _lowest(answer, first.goal.loss)
        goal = reference.goal(lowest)
        if not _anything_learns(answer) and goal > first.goal.loss:
            answer = _answer(_with_goal(preset, goal), deadline.left, progress, workers)
    except ConfigError:
        return None
    return answer, reference, max(lowest, floor) if isfinite(lowest) else floor


def _floor(preset: Preset, reference: Reference, deadline: Deadline) -> float:
    """The loss below which no network of this kind gets, if that leaves something to learn."""
    run = Run(_with_goal(preset, reference.goal()))
    found = diagnose(observe(run), deadline.share(LOOK))
    return reference.floor(each.floor for each in (*found.findings, *found.suspects))


def _with_goal(preset: Preset, loss: float) -> Preset:
    return override(preset, {"goal.loss": loss, "goal.stop": False})


def _answer(
    preset: Preset, seconds: float, progress: Callable[[str, float], bool], workers: int
) -> Answer:
    return why(preset, seeds=SEEDS, seconds=max(seconds, LEAST), progress=progress, workers=workers)


def _lowest(answer: Answer, goal: float) -> float:
    """The lowest median loss of all that was tried; infinite where that was too little to tell."""
    tried = answer.experiments
    if tried is None or len(tried.tried) < LEAST_TRIED:
        return math.inf
    return min((each.loss * goal for each in tried.tried), default=math.inf)


def _anything_learns(answer: Answer) -> bool:
    """Whether the run reaches its goal, or anything that was tried does."""
    tried = answer.experiments
    return answer.solved or (tried is not None and any(each.solved for each in tried.tried))
