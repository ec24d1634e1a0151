"""Counts the updates and epochs of a training by the turns of its loops."""

import os
from typing import TYPE_CHECKING

from nntui.program.follow.request import LineOfLoop

if TYPE_CHECKING:
    from nntui.program.record.places import Places

EPOCH, UPDATE, OTHER = "epoch", "update", "other"


class Loops:
    """The loop of the updates and the one around it, by the lines they stand on."""

    def __init__(self, places: "Places", loop: LineOfLoop, around: LineOfLoop | None) -> None:
        self._places = places
        self._lines = {UPDATE: _real(loop), EPOCH: None if around is None else _real(around)}
        self._kinds: dict[int, str] = {}
        self.has_epochs = around is not None

    def kind(self, number: int) -> str:
        """`EPOCH` or `UPDATE` for the loops of the training, `OTHER` for all others."""
        known = self._kinds.get(number)
        if known is None:
            loop = self._places.loops[number]
            line = _real((loop.file, loop.line))
            known = next((kind for kind, each in self._lines.items() if each == line), OTHER)
            self._kinds[number] = known
        return known

    def ends_training(self, number: int) -> bool:
        """Whether the training is over when this loop is."""
        return self.kind(number) == (EPOCH if self.has_epochs else UPDATE)


def _real(line: LineOfLoop) -> LineOfLoop:
    return os.path.realpath(line[0]), line[1]
