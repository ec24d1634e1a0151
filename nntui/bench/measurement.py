"""One row of the benchmark, and the steps that are measured in most of them."""

from dataclasses import dataclass

from nntui.bench.baselines import Steps
from nntui.presets.preset import Preset
from nntui.timeline.run import Run


@dataclass(frozen=True)
class Measurement:
    """One measurement; times are seconds per update (of one replica), or of what is named."""

    case: str
    ratio: float | None
    """Of the reference's time; None where there is none."""
    target: float | None
    """The ratio or the value aimed at, at most; for a speed-up, at least."""
    seconds: float | None
    reference: str
    reference_seconds: float | None
    value: float | None = None
    """What was measured, in ``unit``, where that is no ratio."""
    unit: str = ""


def stepping(preset: Preset) -> Steps:
    """Updates of one run, recording included."""
    run = Run(preset, seed=2)
    return lambda count: void(run.step(count))


def void(value: object) -> None:
    """Drop a value, so that a lambda is a `Steps`."""
