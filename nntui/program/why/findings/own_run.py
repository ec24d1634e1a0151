"""The program's own run, as it was followed: its losses, and its parameters at some updates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.core.tape import Array
from nntui.program.follow.following import LEFT


@dataclass(frozen=True, eq=False)
class Look:
    """The program before one of its updates."""

    update: int
    epoch: int
    values: Mapping[str, Array]
    """The parameters, by name."""
    gradients: Mapping[str, Array]
    """The derivative of the loss by them; empty where it was not taken."""

    def flat(self, names: Sequence[str]) -> Array:
        """The parameters ``names`` as one vector."""
        return np.concatenate([np.ravel(self.values[name]) for name in names])

    def slope(self, names: Sequence[str]) -> Array:
        """The gradient by ``names`` as one vector."""
        return np.concatenate([np.ravel(self.gradients[name]) for name in names])


@dataclass(frozen=True, eq=False)
class OwnRun:
    """What was seen of the run that was asked for."""

    epochs: int
    updates: int
    per_epoch: int
    whole: bool
    """Whether it was followed to the end of its training."""
    crashed: str | None
    """How the program crashed during its training; None if it did not."""
    losses: Array
    """At evenly spaced epochs, the first included."""
    looks: tuple[Look, ...]
    """With the parameters, in order; the last may have no gradients."""

    @classmethod
    def of(cls, course: Mapping[str, Any]) -> "OwnRun":
        """What `nntui.program.follow` replied."""
        looks = [
            Look(each["update"], each["epoch"], _arrays(each["values"]), _arrays(each["gradients"]))
            for each in course["looks"]
            if each.get("values")
        ]
        if course.get("last"):
            last = Look(course["updates"], course["epochs"], _arrays(course["last"]), {})
            looks.append(last)
        ending = course.get("ending") or {}
        return cls(
            epochs=course["epochs"],
            updates=course["updates"],
            per_epoch=course["per_epoch"],
            whole=course["ended"] == LEFT,
            crashed=ending.get("message") if ending.get("kind") == "crash" else None,
            losses=np.array([each["loss"] for each in course["looks"]], float),
            looks=tuple(looks),
        )

    @property
    def diverged(self) -> bool:
        """Whether its loss or a parameter is no longer finite at the end."""
        last = self.looks[-1].values.values() if self.looks else ()
        finite = bool(np.isfinite(self.losses[-1:]).all())
        return not finite or not all(np.isfinite(each).all() for each in last)

    @property
    def names(self) -> list[str]:
        """The parameters that keep their shape from the first look to the last."""
        if not self.looks:
            return []
        first, last = self.looks[0].values, self.looks[-1].values
        return [name for name in first if name in last and first[name].shape == last[name].shape]


def _arrays(plain: Mapping[str, Any]) -> dict[str, Array]:
    return {name: np.asarray(value, float) for name, value in plain.items()}
