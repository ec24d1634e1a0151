"""Measurement, one row of the benchmark's table, and the steps that most cases measure."""

from dataclasses import dataclass

from nntui.bench.baselines import Steps
from nntui.core.engine.player_names import AUTO
from nntui.presets.preset import Preset
from nntui.timeline.run import Run


@dataclass(frozen=True)
class Measurement:
    """One measurement; times are seconds per update (of one replica), or as ``case`` says."""

    case: str
    ratio: float | None
    """``seconds / reference_seconds``; None without a reference."""
    target: float | None
    """The target: an upper limit of the ratio or value; for a speed-up, a lower limit."""
    seconds: float | None
    reference: str
    reference_seconds: float | None
    value: float | None = None
    """The measured value in ``unit``, if it is not a ratio."""
    unit: str = ""


def stepping(preset: Preset, player: str = AUTO) -> Steps:
    """A function that makes updates of one run, recording included."""
    run = Run(preset, seed=2, player=player)
    return lambda count: void(run.step(count))


def void(value: object) -> None:
    """Discard a value, so that a lambda has the type `Steps`."""
