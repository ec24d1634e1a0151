"""Renders a sweep as text: the share of solved seeds, its interval, a histogram of final losses."""

import math
from collections import Counter

from nntui.core.engine.player_names import NUMPY
from nntui.sweeps.result import SweepResult

BAR = 40
FINEST, COARSEST = -12, 12
"""Decades of the histogram; losses beyond are counted in the first or last."""


def sweep_text(result: SweepResult) -> str:
    """``result`` for a terminal or a pipe."""
    preset, count = result.preset, len(result.outcomes)
    if not count:
        return f"{preset.name}: no seed has finished"
    low, high = result.interval
    lines = [
        f"{preset.name}, {count} seeds from {result.seeds[0]}, {result.epochs:,} epochs",
        f"goal     {preset.goal.loss:g}",
        f"solved   {sum(result.solved)} of {count}: {result.success_rate:.1%}"
        f" (95 % interval {low:.1%} to {high:.1%})",
        f"diverged {result.diverged}",
        f"speed    {result.updates_per_second:,.0f} updates per second,"
        f" {result.elapsed_seconds:.2f} s",
        *_players(result),
        "",
        *_histogram(result),
    ]
    return "\n".join(lines)


def _players(result: SweepResult) -> list[str]:
    """What made the updates, unless NumPy made all of them."""
    counts = result.players
    if set(counts) <= {NUMPY}:
        return []
    told = (f"{count} by {player} updates" for player, count in counts.items())
    return [f"player   {', '.join(told)}"]


def _histogram(result: SweepResult) -> list[str]:
    finite = [loss for loss in result.final_losses if loss is not None]
    decades = Counter(_decade(loss) for loss in finite)
    missing = len(result.final_losses) - len(finite)
    most = max([*decades.values(), missing, 1])
    lines = ["final loss          seeds"]
    if decades:
        fallen = range(max(decades), min(decades) - 1, -1)
        lines += [_bar(_label(decade), decades[decade], most) for decade in fallen]
    if missing:
        lines.append(_bar("not finite, or none", missing, most))
    return lines


def _decade(loss: float) -> int:
    if loss <= 0.0:
        return FINEST
    return min(max(math.floor(math.log10(loss)), FINEST), COARSEST)


def _label(decade: int) -> str:
    if decade == FINEST:
        return f"below {10.0 ** (decade + 1):g}"
    if decade == COARSEST:
        return f"{10.0**decade:g} and above"
    return f"{10.0**decade:g} to {10.0 ** (decade + 1):g}"


def _bar(label: str, count: int, most: int) -> str:
    return f"{label:<19} {count:>5}  {'#' * round(BAR * count / most)}".rstrip()
