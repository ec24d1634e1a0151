"""Measurements of a program's run that need no description of its network.

The formulas and thresholds are those of the rules for presets; what they are applied to is what
every program has: its losses, its parameters, and their gradients.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from nntui.core.tape import Array
from nntui.diagnosis.experiments.fixes import LARGEST_BUDGET
from nntui.diagnosis.finding import MEASURED, Finding, Fix
from nntui.diagnosis.measures.progress import reports_needed
from nntui.diagnosis.rules.depth import VANISHES, VANISHING
from nntui.diagnosis.rules.finding_kinds import LONGER
from nntui.diagnosis.rules.rates import (
    CREEPS,
    DIVERGED,
    MANY,
    OSCILLATION,
    STAYED,
    STEPS_OF_WEIGHTS,
    TOO_HIGH,
    TOO_LOW,
    TURNS,
    rounded,
    turns,
)
from nntui.diagnosis.rules.scales import INIT, MARGIN, size_and_range
from nntui.diagnosis.rules.units import SYMMETRIC
from nntui.program.why.changes.variants import DRAWN, Source
from nntui.program.why.findings.located import Located, located
from nntui.program.why.findings.own_run import OwnRun

ROSE = 1.05
"""Ratio of the last loss to the first from which on it has risen."""


def measured(run: OwnRun, source: Source, goal: float, factor: float | None) -> Iterator[Located]:
    """What keeps ``run`` from the loss ``goal``, likely causes first.

    ``factor`` is that of the gradient in the program's steps; None where it adapts.
    """
    yield from once(run, source)
    if run.diverged:
        yield from _diverged(source)
        return
    yield from _too_low(run, source, factor)
    yield from _too_high(run, source, factor)
    yield from _symmetric(run, source)
    yield from _vanishing(run, source)
    yield from _first_weights(run, source)
    yield from _oscillation(run, source)
    yield from _too_short(run, source, goal)


def once(run: OwnRun, source: Source) -> Iterator[Located]:
    """A training that sees its data a single time."""
    if not source.once:
        return
    file, line = source.request.loop
    yield Located(
        replace(LONGER, klass=MEASURED),
        f"the loop in line {line} goes over the data once: {run.updates:,} updates in all",
        first_update=0,
        fixes=tuple(map(source.longer_fix, source.longer)),
        weight=0.85,
        file=file,
        line=line,
        cause="the training is far too short: it sees its data once",
    )  # fmt: skip


def _at_rate(finding: Finding, source: Source) -> Located:
    rate = source.rate
    if rate is None:
        return located(finding)
    return located(finding, file=rate.file, line=rate.line)


def _diverged(source: Source) -> Iterator[Located]:
    fixes = source.rate_fixes(0.1, 0.01)
    found = Finding(DIVERGED, "the loss or a parameter is not finite", fixes=fixes, weight=0.6)
    yield _at_rate(found, source)


def _too_low(run: OwnRun, source: Source, factor: float | None) -> Iterator[Located]:
    """Steps so small that the parameters hardly move, or that the steepest direction takes long."""
    names, updates = run.names, run.updates
    if not names or updates < MANY:
        return
    start, now = run.looks[0].flat(names), run.looks[-1].flat(names)
    size = float(np.linalg.norm(start))
    moved = float(np.linalg.norm(now - start)) / size if size > 0.0 else np.inf
    product = None if factor is None else abs(factor) * _curvature(run, names)
    said = []
    better = 10.0
    if product is not None and 0.0 < product < CREEPS:
        said.append(f"rate * curvature is {product:.2g} along its way, where about 1 is fast")
        better = max(better, 0.5 / product)
    if 0.0 < moved < STAYED and moved / updates < STEPS_OF_WEIGHTS:
        said.append(
            f"all {updates:,} updates together moved the parameters by {moved:.2g} of their size"
        )
        better = max(better, 1.0 / moved)
    if not said:
        return
    better = min(better, 1e5)
    found = Finding(
        TOO_LOW,
        "; ".join(said),
        first_update=0,
        fixes=source.rate_fixes(rounded(better), rounded(better * 10.0)),
        weight=0.8,
    )
    yield _at_rate(found, source)


def _curvature(run: OwnRun, names: list[str]) -> float:
    """The largest curvature of the loss along the way from one look to the next."""
    seen = [each for each in run.looks if all(name in each.gradients for name in names)]
    largest = 0.0
    for before, now in pairwise(seen):
        step = now.flat(names) - before.flat(names)
        change = now.slope(names) - before.slope(names)
        length = float(step @ step)
        if length > 0.0:
            largest = max(largest, float(change @ step) / length)
    return largest if np.isfinite(largest) else 0.0


def _too_high(run: OwnRun, source: Source, factor: float | None) -> Iterator[Located]:
    if not len(run.losses) or run.losses[-1] <= ROSE * run.losses[0]:
        return
    said = f"the loss has risen from {run.losses[0]:.4g} to {run.losses[-1]:.4g}"
    product = None if factor is None else abs(factor) * _curvature(run, run.names)
    if product:
        said += f"; rate * curvature is {product:.2g} along its way, where 2 is the edge"
    found = Finding(TOO_HIGH, said, first_update=0, fixes=source.rate_fixes(0.1, 0.01), weight=0.75)
    yield _at_rate(found, source)


def _symmetric(run: OwnRun, source: Source) -> Iterator[Located]:
    """Matrices whose rows, or columns, start equal and are equal at the end."""
    if len(run.looks) < 2 or run.updates < MANY:
        return
    for name in source.weights:
        start, now = (each.values.get(name) for each in (run.looks[0], run.looks[-1]))
        if start is None or now is None or start.ndim != 2 or min(start.shape) < 2:
            continue
        alike = [all(map(_rows_alike, (start, now))), all(map(_rows_alike, (start.T, now.T)))]
        if not any(alike):
            continue
        which = "rows" if alike[0] else "columns"
        yield Located(
            replace(SYMMETRIC, klass=MEASURED),
            f"the {which} of {name} are equal before the first update and after the last: its "
            "units learn as one",
            first_update=0,
            fixes=(Fix("draw the weights at random", {DRAWN: "xavier"}),),
            weight=0.9,
        )
        return


def _rows_alike(matrix: Array) -> bool:
    return bool(np.allclose(matrix, matrix[:1], rtol=1e-12, atol=0.0))


def _vanishing(run: OwnRun, source: Source) -> Iterator[Located]:
    """Weights whose gradient is far smaller than that of others, at the start or now."""
    for look in (look for look in (*run.looks[:1], *run.looks[-2:]) if look.gradients):
        norms = {
            name: float(np.linalg.norm(look.gradients[name]))
            for name in source.weights
            if name in look.gradients
        }
        least, most = (pick(norms, key=norms.__getitem__, default="") for pick in (min, max))
        if not least or not 0.0 < norms[most] < np.inf or norms[least] >= VANISHES * norms[most]:
            continue
        yield Located(
            VANISHING,
            f"before update {look.update:,} the gradient's norm is {norms[least]:.2g} for {least} "
            f"and {norms[most]:.2g} for {most}",
            first_update=0 if look.update == 0 else None,
            fixes=(Fix("weights drawn as Glorot and Bengio propose", {DRAWN: "xavier"}),),
            weight=0.35,
        )
        return


def _first_weights(run: OwnRun, source: Source) -> Iterator[Located]:
    """The matrix whose first weights are the furthest from He's and Xavier's rules."""
    worst: tuple[float, str, float, float, float] | None = None
    for name in source.weights:
        start = run.looks[0].values.get(name) if run.looks else None
        if start is None or start.ndim != 2 or not start.size or not start.any():
            continue
        # Which axis has the inputs is not known: it must be wrong either way.
        factor, size, low, high = min(_off(start), _off(start.T))
        if factor > MARGIN and (worst is None or factor > worst[0]):
            worst = factor, name, size, low, high
    if worst is None or len(source.weights) < 2:
        return
    factor, name, size, low, high = worst
    yield Located(
        INIT,
        f"the weights {name} started at {size:.3g} on average; {low:.2g} to {high:.2g} would be "
        "usual",
        first_update=0,
        fixes=(Fix("weights drawn as Glorot and Bengio propose", {DRAWN: "xavier"}),),
        weight=0.5 + 0.3 * (1.0 - 1.0 / min(factor, 1e6)),
    )


def _off(W: Array) -> tuple[float, float, float, float]:
    size, low, high = size_and_range(W)
    return max(size / high, low / size), size, low, high


def _oscillation(run: OwnRun, source: Source) -> Iterator[Located]:
    share = turns(run.losses)
    if share < TURNS:
        return
    said = f"{share:.0%} of the looks at the loss turned it around by 3 % or more"
    found = Finding(OSCILLATION, said, fixes=source.rate_fixes(1 / 3), weight=0.3)
    yield _at_rate(found, source)


HOPELESS = 1000
"""Times the training from which on a loss that falls so slowly is one that stands still."""


def _too_short(run: OwnRun, source: Source, goal: float) -> Iterator[Located]:
    """A loss that still falls at the end of the training."""
    count = len(run.losses)
    if source.once or count < 8 or not run.whole:
        return
    needed = reports_needed(run.losses, goal) * run.epochs / count
    if not np.isfinite(needed) or needed < 1.0:
        return
    file, line = source.request.around or source.request.loop
    times = int(np.ceil(1.0 + 1.5 * needed / max(run.epochs, 1)))
    if times > HOPELESS:
        return
    fixes = (source.longer_fix(times),) if times <= LARGEST_BUDGET else ()
    yield Located(
        replace(LONGER, klass=MEASURED),
        f"the loss still falls at the end, from {run.losses[count // 2]:.4g} halfway to "
        f"{run.losses[-1]:.4g}; at this pace it takes {rounded(needed):,.0f} turns more",
        first_update=0,
        fixes=fixes,
        weight=0.45,
        file=file,
        line=line,
        cause="the training ends while the loss still falls",
    )
