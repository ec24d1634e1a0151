"""Compare the forward pass and the printed loss with those of the stated configuration."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np

from nntui.core.engine.network import Layout
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.tape import Array
from nntui.diagnosis.checks.replays import Rules
from nntui.diagnosis.checks.update_check import FAULT, distance
from nntui.diagnosis.deadline import NEVER, Deadline
from nntui.diagnosis.subject import LayerValues, Program, RecordedForward, Subject

MOST_SAMPLES = 64
"""Data rows used by the forward check."""
MOST_BATCHES = 64
"""A printed loss summed over more batches is not checked: it would take too long."""
MOST_PRODUCTS = 100_000_000
"""Likewise rows times parameters."""
SUMMED = 1e-12
"""The relative difference above which two printed losses differ by more than rounding."""
AFTER, PENALTY = "bias-after-activation", "penalty-sum"
OVER = "softmax-over-samples"


@dataclass(frozen=True)
class ForwardPass:
    """How the program's forward pass differs from the stated one."""

    residual: float
    """The distance of the values of the first layer that differs; 0 if none does."""
    late: tuple[int, ...] = ()
    """The layers that add the bias after the activation."""
    over: tuple[int, ...] = ()
    """The layers whose softmax is normalised over the samples."""
    unknown: int | None = None
    """The first layer whose values match no known variant; layers above are not checked."""

    @property
    def is_stated(self) -> bool:
        """Whether it equals the stated forward pass."""
        return not self.rules and self.unknown is None

    @property
    def rules(self) -> Rules:
        """The equivalent faults."""
        found = ((AFTER, self.late), (OVER, self.over))
        return tuple(FaultEntry(name=name, layers=layers) for name, layers in found if layers)


def check_forward(subject: Subject, thetas: list[Array]) -> ForwardPass:
    """Compare the program's values with the stated ones at ``thetas``, layer by layer."""
    x = subject.data.x[:, :MOST_SAMPLES]
    seen = [subject.forward(theta, x) for theta in thetas]

    @cache
    def stated(rules: Rules) -> list[list[LayerValues]]:
        recorded = RecordedForward(replace(subject.stated, faults=rules), x)
        return [recorded.at(theta) for theta in thetas]

    def residual(rules: Rules, layer: int) -> float:
        worst = 0.0
        for own, layers in zip(stated(rules), seen, strict=True):
            one, other = layers[layer], own[layer]
            worst = max(worst, distance(one.a.ravel(), other.a.ravel()))
            worst = max(worst, distance(one.h.ravel(), other.h.ravel()))
        return worst

    found = ForwardPass(0.0)
    for layer in range(len(subject.stated.layers)):
        off = residual(found.rules, layer)
        if off > FAULT:
            late, over = (*found.late, layer), (*found.over, layer)
            tried = (
                replace(found, residual=max(off, found.residual), late=first, over=second)
                for first, second in ((late, found.over), (found.late, over), (late, over))
            )
            same = (each for each in tried if residual(each.rules, layer) <= FAULT)
            known = next(same, None)
            if known is None:
                return replace(found, residual=off, unknown=layer)
            found = known
    return found


@dataclass(frozen=True)
class Printed:
    """The printed loss and the stated one, where they differ most clearly."""

    printed: float
    stated: float
    layers: tuple[int, ...] = ()
    """The layers whose weights are summed instead of their squares."""
    unknown: bool = False

    @property
    def is_stated(self) -> bool:
        """Whether it is the stated one."""
        return not self.layers and not self.unknown

    @property
    def residual(self) -> float:
        """How far apart they are."""
        return _apart(self.printed, self.stated)


def check_printed(
    subject: Subject, thetas: list[Array], forward: ForwardPass, deadline: Deadline = NEVER
) -> Printed | None:
    """Compare the loss that the program prints at ``thetas`` with its stated report.

    None if that would take too long, or if the forward pass itself is unknown.  Penalties that
    may explain a difference are tried until ``deadline``.
    """
    stated = subject.stated
    rows = stated.data.training_rows
    too_many = rows * Layout.of(stated).size > MOST_PRODUCTS
    too_many |= -(-rows // stated.batch_size) > MOST_BATCHES
    if too_many or forward.unknown is not None or deadline.passed:
        return None
    seen = [_finite(subject.printed(theta)) for theta in thetas]

    def told(rules: Rules) -> list[float]:
        program = Program(replace(stated, faults=(*forward.rules, *rules)))
        return [_finite(program.printed(theta)) for theta in thetas]

    right = told(())
    apart = [_apart(*pair) for pair in zip(seen, right, strict=True)]
    worst = 0 if apart[0] > SUMMED else int(np.argmax(apart))
    if apart[worst] <= SUMMED:
        return Printed(seen[worst], right[worst])
    for layers in _subsets(stated):
        if deadline.passed:
            break
        rules = (FaultEntry(name=PENALTY, layers=layers),)
        if all(_apart(*pair) <= SUMMED for pair in zip(seen, told(rules), strict=True)):
            return Printed(seen[worst], right[worst], layers)
    return Printed(seen[worst], right[worst], unknown=True)


def _finite(loss: float) -> float:
    # Overflowing sums end as infinity or as NaN, by their order.
    return loss if np.isfinite(loss) else np.inf


def _apart(one: float, other: float) -> float:
    return distance(np.array([one]), np.array([other]))


def _subsets(stated: Configuration) -> Iterator[tuple[int, ...]]:
    """Sets of layers whose penalty may be a plain sum: all layers, single ones, small sets."""
    if not (stated.report.penalty and stated.l2):
        return
    every = tuple(range(len(stated.layers)))
    yield every
    sizes = range(1, min(len(every), 4) if len(every) <= 6 else 2)
    for size in sizes:
        yield from combinations(every, size)
