"""Runs the benchmark and reports it as a table or as JSON."""

import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from nntui.bench.cases import CASES
from nntui.bench.measurement import Measurement
from nntui.bench.program_screen_cases import PROGRAM_SCREEN_CASES
from nntui.bench.screen_cases import SCREEN_CASES, memory
from nntui.bench.soak_cases import redrawn, side_by_side
from nntui.bench.timeline_cases import long_run


def bench(
    show: Callable[[str], None] | None = None, *, long: bool = False, of_screen: bool = False
) -> dict[str, Any]:
    """Run every case; ``show`` gets each line of the table as soon as it is measured.

    ``of_screen`` measures the app in a terminal instead.  ``long`` begins with what takes minutes:
    a run of ten million updates, the memory of the app over as many, and ten apps side by side.
    Returns the measurements, ready for JSON.
    """
    say = show if show is not None else lambda line: None
    machine = f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores"
    say(f"{machine}; medians of alternating runs, float64")
    say(f"{'ratio':>9} {'target':>8}  {'time':>9}  {'reference':>9}  case")
    rows = []
    cases = (*SCREEN_CASES, redrawn, *PROGRAM_SCREEN_CASES) if of_screen else CASES
    soak = (memory, side_by_side) if of_screen else (long_run, memory, side_by_side, redrawn)
    for case in (*soak, *cases) if long else cases:
        for row in case():
            rows.append(asdict(row))
            say(table_line(row))
    return {"machine": machine, "rows": rows}


def table_line(row: Measurement) -> str:
    """One measurement as a line of the table."""
    if row.value is None:
        found, target = _number(row.ratio), _number(row.target)
    else:
        found, target = _amount(row.value, row.unit), _amount(row.target, row.unit)
    against = f" against {row.reference}" if row.reference_seconds is not None else ""
    return (
        f"{found:>9} {target:>8}  {_time(row.seconds):>9}"
        f"  {_time(row.reference_seconds):>9}  {row.case}{against}"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}" if value >= 0.1 else f"1/{1 / value:.0f}"


def _amount(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{round(value, 3) + 0.0:.3g} {unit}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
