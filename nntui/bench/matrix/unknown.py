"""Wrong programs of a kind that no known fault matches: the diagnosis must still detect them.

They are faults like those of `core.faults`, but known to nobody unless `registered` says so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from nntui.core.parts.activations import Activation
from nntui.core.parts.faults import FAULTS, Fault, LayerGradient, Penalty, Place
from nntui.core.tape import Array, Tape


class RolledGradient(Fault):
    """Each unit's weights get the gradient of the unit before: an index is off by one."""

    name = "rolled-gradient"

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        tape.add(lambda: np.copyto(layer.gW, np.roll(layer.gW, 1, axis=0)))


class LostColumn(Fault):
    """The weights of the last input are never updated: a loop ends one too early."""

    name = "lost-column"

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        tape.add(layer.gW[:, -1].fill, 0.0)


class SignOnly(Fault):
    """Only the sign of the gradient of the weights is used."""

    name = "sign-only"

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        tape.add(np.sign, layer.gW, layer.gW)


class HiddenDecay(Fault):
    """The weights decay though no penalty is stated."""

    name = "hidden-decay"

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        term = np.empty_like(layer.gW)
        tape.add(np.multiply, layer.W, 0.3, term)
        tape.add(np.add, layer.gW, term, layer.gW)


@dataclass(frozen=True, eq=False)
class _ValueForSlope(Activation):
    """``inner`` with its value where its slope belongs."""

    inner: Activation

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        self.inner.forward(tape, z, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        tape.add(np.copyto, slope, a)


class SlopeIsValue(Fault):
    """``f(z)`` is used where ``f'(z)`` belongs."""

    name = "slope-is-value"

    def derivative(self, correct: Activation, a: Array) -> Activation:
        return _ValueForSlope(correct)

    def touches(self, place: Place) -> bool:
        return place.is_differentiated


class ReversedWeightsBack(Fault):
    """The gradient passes back through the weights of the units below in reverse order."""

    name = "reversed-weights-back"

    def weights_back(self, correct: Array) -> Array:
        return correct[:, ::-1]

    def touches(self, place: Place) -> bool:
        return place.has_layer_below


class AbsolutePenalty(Fault):
    """The printed penalty adds up ``|w|`` where ``w^2`` belongs."""

    name = "absolute-penalty"

    def penalty(self, correct: Penalty) -> Penalty:
        return lambda w: np.add.reduce(np.abs(w))

    def touches(self, place: Place) -> bool:
        return place.is_penalised


UNKNOWN: dict[str, type[Fault]] = {
    each.name: each
    for each in (
        RolledGradient,
        LostColumn,
        SignOnly,
        HiddenDecay,
        SlopeIsValue,
        ReversedWeightsBack,
        AbsolutePenalty,
    )
}


@contextmanager
def registered() -> Iterator[None]:
    """Let presets name the unknown faults as long as this is entered."""
    added = UNKNOWN.keys() - FAULTS.keys()
    FAULTS.update(UNKNOWN)
    try:
        yield
    finally:
        for name in added:
            del FAULTS[name]
