"""How many rows each panel gets: by what it has to say, and by how many there are in all."""

from collections.abc import Sequence
from dataclasses import dataclass

ALL = 1_000_000
"""More rows than any screen has: a panel that uses whatever it gets."""


@dataclass(frozen=True)
class Need:
    """The rows of one panel, its border included."""

    least: int
    """With fewer it is of no use."""
    most: int = ALL
    """With more it would show nothing more."""
    fair: int = ALL
    """What it gets before panels further down get more than their least."""


def shared(rows: int, needs: Sequence[Need]) -> list[int]:
    """The rows of each of ``needs``, which are in order of importance; together ``rows``.

    All get their least, as far as there is room, then up to their fair part, then up to their
    most.  What nobody needs, the last one takes that uses whatever it gets, or else the first.
    """
    given: list[int] = []
    for need in needs:
        given.append(min(need.least, need.most, rows - sum(given)))
    for limit in ([need.fair for need in needs], [need.most for need in needs]):
        for at, need in enumerate(needs):
            more = min(limit[at], need.most) - given[at]
            given[at] += max(min(more, rows - sum(given)), 0)
    if given:
        greedy = [at for at, need in enumerate(needs) if need.most >= ALL]
        given[(greedy or [0])[-1]] += rows - sum(given)
    return given
