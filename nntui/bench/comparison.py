"""Times two functions in alternation, so that a busy machine slows both equally."""

from dataclasses import dataclass
from statistics import median
from time import perf_counter

from nntui.bench.baselines import Steps

ROUNDS = 9


@dataclass(frozen=True)
class Comparison:
    """Medians over all rounds: seconds per update of each side, and their ratio."""

    ours: float
    theirs: float
    ratio: float


def seconds(steps: Steps, count: int) -> float:
    """Seconds per update over one call of ``count``."""
    started = perf_counter()
    steps(count)
    return (perf_counter() - started) / count


def compare(
    ours: Steps, our_count: int, theirs: Steps, their_count: int, rounds: int = ROUNDS
) -> Comparison:
    """Time ``ours`` and ``theirs`` in alternation, after one warm-up round."""
    seconds(ours, our_count)
    seconds(theirs, their_count)
    pairs = [(seconds(ours, our_count), seconds(theirs, their_count)) for _ in range(rounds)]
    return Comparison(
        median(mine for mine, _ in pairs),
        median(other for _, other in pairs),
        median(mine / other for mine, other in pairs),
    )
