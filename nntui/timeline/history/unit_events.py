"""When units died and revived, found by checks at intervals that hardly slow training."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nntui.core.engine.network import Forward
from nntui.core.settings.configuration import Configuration

PASSES = 7
"""Epochs' worth of samples between two checks, at least: a check is one forward pass over all rows,
and seven epochs forward and backward take some twenty times that."""
MOST_FLIPS = 32
"""The first flips of each unit that are kept, and as many of the last."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Flip:
    """A unit that was alive at one check and dead at the next, or the reverse."""

    layer: int
    unit: int
    died: bool
    """Whether it died; otherwise it revived."""
    after: int
    """The update of the check before: -1 where there was none, which makes ``by`` exact."""
    by: int
    """The update of the check that found it."""


def dead_mask(whole: Forward) -> Mask:
    """For each unit, layer by layer, whether it is active on no row, with the live parameters."""
    if any(layer.activation.dies for layer in whole.layers):
        whole.play()  # the units of others are never dead, whatever they compute
    return np.concatenate([layer.activation.dead(layer.a) for layer in whole.layers])


def unit_number(configuration: Configuration, layer: int, unit: int) -> int:
    """The index of a unit when all are counted layer by layer."""
    return sum(entry.units for entry in configuration.layers[:layer]) + unit


class UnitWatch:
    """Checks the units of one branch at intervals, and keeps the flips found."""

    def __init__(self, configuration: Configuration) -> None:
        self._places = [
            (layer, unit)
            for layer, entry in enumerate(configuration.layers)
            for unit in range(entry.units)
        ]
        self._index = {names: at for at, names in enumerate(self._places)}
        self._dead: Mask | None = None
        self._checked_at = -1
        self._flips: dict[int, list[Flip]] = {}

    @property
    def flips(self) -> list[Flip]:
        """All that are known, in the order of the checks."""
        return sorted(
            (flip for flips in self._flips.values() for flip in flips), key=lambda flip: flip.by
        )

    def follow(self, past: "UnitWatch", flips: list[Flip], update: int) -> None:
        """Continue at ``update`` from the last check of a past with these ``flips``.

        Then a unit that flips between that check and the fork is found by the next one.
        """
        if past._dead is not None and past._checked_at <= update:
            self._dead, self._checked_at = past._dead, past._checked_at
            return
        self._dead, self._checked_at = np.zeros(len(self._places), dtype=np.bool_), 0
        for flip in flips:
            if flip.by <= update:
                self._dead[self._index[flip.layer, flip.unit]] = flip.died
            checks = (check for check in (flip.after, flip.by) if check <= update)
            self._checked_at = max((self._checked_at, *checks))

    def due(self, update: int, configuration: Configuration) -> bool:
        """Whether enough was trained since the last check for another one at ``update``."""
        if self._dead is None:
            return True
        samples = (update - self._checked_at) * configuration.batch_size
        return samples >= PASSES * configuration.data.training_rows

    def check(self, update: int, whole: Forward, *, first: bool) -> None:
        """Check which units are dead at ``update``; ``first`` if it is the start of the run."""
        dead = dead_mask(whole)
        before = self._dead
        if before is None:
            before = np.zeros_like(dead) if first else dead
        for place in np.flatnonzero(dead != before):
            layer, unit = self._places[place]
            flips = self._flips.setdefault(int(place), [])
            flips.append(Flip(layer, unit, bool(dead[place]), self._checked_at, update))
            if len(flips) > 2 * MOST_FLIPS:
                del flips[MOST_FLIPS]
        self._dead, self._checked_at = dead, update

    @property
    def checked_at(self) -> int:
        """The update of the last check, -1 before there is one."""
        return self._checked_at

    @property
    def dead(self) -> Mask | None:
        """Which units the last check found dead, None before there is one."""
        return None if self._dead is None else self._dead.copy()

    def restore(self, checked_at: int, dead: Mask, flips: list[Flip]) -> None:
        """Continue from a saved check."""
        self._flips = {}
        for flip in flips:
            self._flips.setdefault(self._index[flip.layer, flip.unit], []).append(flip)
        self._checked_at, self._dead = checked_at, dead
