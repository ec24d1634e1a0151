"""Outcomes of matrix runs: the values that workers return and the score counts."""

from dataclasses import dataclass

from nntui.bench.matrix.accepted import ACCEPTED

Said = tuple[tuple[str, int | None], ...]
"""The findings of a diagnosis, the headline first, as (code, layer)."""

HURTS, SILENT, NOT_HEALTHY = "hurts", "silent", "not healthy"
"""A planted fault by its consequence: the run fails where its healthy twin succeeds; the run
succeeds all the same; the twin fails as well, which tells nothing."""


@dataclass(frozen=True)
class Cures:
    """Whether a failed run was solved by something: None where it was not tried."""

    first_fix: bool | None = None
    """The headline's first fix, from the same seed."""
    another_seed: bool | None = None
    tenth_rate: bool | None = None


@dataclass(frozen=True)
class Faulty:
    """One run with a planted fault."""

    kind: str
    task: str
    architecture: str
    seed: int
    label: str
    at_start: Said = ()
    """After one update; only code faults that do not hurt have nothing else."""
    at_end: Said = ()
    heard: int | None = None
    """The first update looked at where a right answer was among the findings."""
    updates: int = 0
    """At which the run ended."""
    cures: Cures = Cures()
    layers: tuple[int, ...] = ()
    """Where `Planted.layers` says that it shows."""


@dataclass(frozen=True)
class Healthy:
    """One run without a fault; ``converged`` is its first epoch at the goal."""

    task: str
    architecture: str
    seed: int
    solved: bool
    converged: int | None = None
    continued: bool = False
    """Whether it went on to five times its convergence."""
    watched: bool = False
    """Whether it was looked at on its way."""
    epochs: int = 0
    """At which it ended."""
    alarms: Said = ()
    """At its end."""
    on_the_way: Said = ()
    """The findings of all earlier updates that were looked at."""


def accepts(kind: str, said: Said, layers: tuple[int, ...], beside: bool = False) -> list[bool]:
    """Per finding, whether it is a right answer; with ``beside`` also if it follows from one.

    An unknown code fault is only right with its layer.
    """
    causes, consequences = ACCEPTED[kind]
    right = causes | consequences if beside else causes
    return [
        code in right and (code != "update-wrong" or layer in layers or beside)
        for code, layer in said
    ]
