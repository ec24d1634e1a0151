"""Sweeps: one run per seed, many at a time, on one core, several, or a cluster."""

from nntui.sweeps.result import SweepResult
from nntui.sweeps.runner import sweep

__all__ = ["SweepResult", "sweep"]
