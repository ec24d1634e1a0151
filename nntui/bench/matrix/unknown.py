"""Wrong programs of a kind that no known fault matches: the diagnosis must still detect them.

They are faults like those of `core.parts.faults`, but known to nobody unless `registered` says so.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from nntui.core.formulas.expression import Expression, Name
from nntui.core.parts.activations import CHAIN_RULE, Backward
from nntui.core.parts.faults import FAULTS, Fault, LayerGradient
from nntui.core.tape import Array, Tape


class RolledGradient(Fault):
    """Each unit's weights get the gradient of the unit before: an index is off by one."""

    def record_gradient(self, tape: Tape, layer: LayerGradient) -> None:
        tape.add(lambda: np.copyto(layer.gW, np.roll(layer.gW, 1, axis=0)))


class LostColumn(Fault):
    """The weights of the last input are never updated: a loop ends one too early."""

    def record_gradient(self, tape: Tape, layer: LayerGradient) -> None:
        tape.add(layer.gW[:, -1].fill, 0.0)


class SignOnly(Fault):
    """Only the sign of the gradient of the weights is used."""

    def record_gradient(self, tape: Tape, layer: LayerGradient) -> None:
        tape.add(np.sign, layer.gW, layer.gW)


class HiddenDecay(Fault):
    """The weights decay though no penalty is stated."""

    def record_gradient(self, tape: Tape, layer: LayerGradient) -> None:
        term = np.empty_like(layer.gW)
        tape.add(np.multiply, layer.W, 0.3, term)
        tape.add(np.add, layer.gW, term, layer.gW)


class SlopeIsValue(Fault):
    """``f(z)`` is used where ``f'(z)`` belongs."""

    def backward(self, correct: Backward, value: Expression) -> Backward:
        return Backward(Name("f"), CHAIN_RULE, "f(z)")


class ReversedWeightsBack(Fault):
    """The gradient passes back through the weights of the units below in reverse order."""

    def weights_back(self, tape: Tape, W: Array, rate: Array, values: Mapping[str, float]) -> Array:
        return W[:, ::-1]


UNKNOWN: dict[str, Fault] = {
    each.name: each
    for each in (
        RolledGradient("rolled-gradient"),
        LostColumn("lost-column"),
        SignOnly("sign-only"),
        HiddenDecay("hidden-decay"),
        SlopeIsValue("slope-is-value", slope=True),
        ReversedWeightsBack("reversed-weights-back", back="W"),
        Fault("absolute-penalty", penalty="abs(w)"),
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
