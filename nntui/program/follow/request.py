"""What is asked about one training: which loops it consists of, where to look, what to change."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LineOfLoop = tuple[str, int]
"""The file and the line of a loop."""


@dataclass(frozen=True)
class Sought:
    """A loss, described so that it is found again in a program whose lines were edited."""

    kind: str
    """``own``, or the name of a usual loss."""
    text: str
    """The source of the expression that it is read off."""
    value: float | None = None
    """What it was in one of the first updates of the program as it stands; None: not known."""
    ordinal: int | None = None
    """Which of several that read the same; None: that of `value`."""


@dataclass(frozen=True)
class Request:
    """One training to follow.

    An epoch is a turn of the loop ``around``, or without one ``window`` turns of the loop of the
    updates.
    """

    loop: LineOfLoop
    """Each of its turns is one update."""
    around: LineOfLoop | None
    """Each of its turns is an epoch; None: there is no such loop."""
    loss: Sought
    parameters: tuple[str, ...]
    looks: tuple[int, ...] | None = None
    """The epochs to look at, ascending; the training ends behind the last.  None: all of them,
    thinned out evenly to a few dozen, up to the program's own end."""
    window: int = 1
    """Updates that make one epoch where there is no loop around."""
    values: bool = False
    """Whether the parameters and gradients at every look are wanted."""
    scales: Mapping[str, float] = field(default_factory=dict)
    """By name, what the parameters are multiplied with before the first update."""
    redrawn: tuple[str, ...] = ()
    """The parameters that are drawn anew before that, as Glorot and Bengio (2010) do it."""
    jitter: int = 0
    """Not 0: every parameter starts a little off, by noise that this number decides."""

    def as_plain(self) -> dict[str, Any]:
        """As values that `nntui.program.control.wire` sends."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Request":
        """The request that `as_plain` wrote."""
        read = dict(plain)
        for name in ("loop", "around", "parameters", "looks", "redrawn"):
            read[name] = None if read[name] is None else tuple(read[name])
        read["loss"] = Sought(**read["loss"])
        return cls(**read)
