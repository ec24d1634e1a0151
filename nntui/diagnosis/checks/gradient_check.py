"""Gradient check: reported gradients against finite differences of the program's own loss.

Centred differences with h = 1e-5 in float64.  A coordinate whose change moves a unit across a
kink has no slope there: it is tried again with h/10, then left out, counted and reported.  Away
from kinks a correct gradient agrees for at least one h, a wrong one for none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from nntui.core.engine.network import Layout, activation_of
from nntui.core.engine.state import Order
from nntui.core.formulas.evaluation import evaluate
from nntui.core.formulas.expression import Expression
from nntui.core.parts.activations import KINKS
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array
from nntui.diagnosis.checks.forward_check import ForwardPass
from nntui.diagnosis.checks.oracle import true_gradient
from nntui.diagnosis.checks.tensor_names import Tensor, tensors_of
from nntui.diagnosis.checks.update_check import CANCELLED, OK, TOO_SMALL, WRONG, distance
from nntui.diagnosis.checks.update_check import NOISE as TERMS
from nntui.diagnosis.subject import Subject

SUSPICIOUS = "suspicious"
BANDS = ((1e-2, WRONG), (1e-4, SUSPICIOUS))
"""Relative errors above these bounds and their verdicts; below 1e-4 is fine with kinks (cs231n)."""
GOOD = 1e-7
"""A distance from the complex step below this overrules the differences: only a correct gradient
agrees so closely."""
STEPS = (1e-5, 1e-6, 1e-7, 1e-4)
"""The h of the differences, the usual one first."""
NOISE = 8.0 * float(np.finfo(np.float64).eps)
"""Rounding error of a loss, relative to the sum of its terms' sizes."""
BELOW_NOISE = 10.0
"""Norms below this many times the rounding error of the differences cannot be compared."""
MOST_SAMPLES = 256
MOST_PRODUCTS = 50_000_000
"""The cost of a check in products; a coordinate takes two forward passes."""
PRODUCTS_OF_LAYER = 5_000
"""As many products take as long as what a layer costs beside its products."""
LEAST_COORDINATES, LEAST_IN_ALL, LEAST_OF_DEEP = 8, 256, 2
"""Of each tensor; of all tensors together, before there are fewer of each; and then."""


@dataclass(frozen=True)
class GradientCheck:
    """The check of one tensor; norms are over the coordinates that were compared."""

    tensor: Tensor
    relative_error: float | None
    """``||a - n||/(||a|| + ||n||)``; None if nothing finite could be compared."""
    analytic_norm: float | None
    numeric_norm: float | None
    oracle_error: float | None
    """The same against the complex step; None if the forward pass is unknown."""
    coordinates: int
    """How many coordinates were examined; large tensors are sampled."""
    size: int
    """How many coordinates the tensor has."""
    kinks: int
    """How many examined coordinates were left out because they cross a kink."""
    at: tuple[str, ...]
    """The kinks that were crossed, such as ``unit 0.3 at sample 0``."""
    verdict: str


class Noise(NamedTuple):
    """Rounding error of a slope."""

    of_difference: float
    """From the difference of two losses, divided by the step."""
    share: float
    """Of the error ``a - y``, relative to its size; large near the targets."""


@np.errstate(all="ignore")
def check_gradient(
    subject: Subject,
    theta: Array,
    rows: Order,
    epoch: int,
    forward: ForwardPass,
    noise: Array | None = None,
) -> list[GradientCheck]:
    """Check the reported gradient of a batch of ``rows`` at ``theta``, tensor by tensor.

    ``noise`` is the effect of the last bits of all numbers on the `compared` gradient, if known.
    """
    rows = rows[:MOST_SAMPLES]
    reported = subject.updates(theta, [rows], epoch)[0].gradient
    tensors, loss = tensors_of(subject.stated), _Loss(subject, rows)
    least = max(min(LEAST_IN_ALL // len(tensors), LEAST_COORDINATES), LEAST_OF_DEEP)
    products = theta.size * len(rows) + PRODUCTS_OF_LAYER * len(subject.stated.layers)
    most = MOST_PRODUCTS // (2 * products * len(tensors))
    found = []
    for tensor in tensors:
        places = tensor.places(max(most, least))
        level = CANCELLED * float(np.linalg.norm(reported))
        if noise is not None:
            level = max(level, TERMS * float(np.linalg.norm(noise[tensor.part])))
        found.append(_check(tensor, theta, places, reported[places], loss, forward, level))
    return found


def _check(
    tensor: Tensor,
    theta: Array,
    places: Order,
    analytic: Array,
    loss: "_Loss",
    forward: ForwardPass,
    level: float,
) -> GradientCheck:
    """The check at ``places``; ``level`` is what rounding leaves of a gradient of this tensor."""
    exact = loss.exact(theta, places, forward) if np.isfinite(theta).all() else None
    numeric, crossed, noise = loss.slopes(theta, places, STEPS[0])
    dropped = np.array([bool(kinks) for kinks in crossed])
    kept = ~dropped
    at = tuple(dict.fromkeys(kink for kinks in crossed for kink in kinks))
    if dropped.all() and exact is not None:
        # Nothing but kinks: a slope is then a convention, and any of the usual ones is right.
        numeric = _nearest(analytic, loss.conventions(theta, places, forward))
        kept, noise = dropped, Noise(0.0, noise.share)
    verdict, error = _verdict(analytic[kept], numeric[kept], noise)
    for step in STEPS[1:]:
        if verdict not in (WRONG, SUSPICIOUS) or dropped.all():
            break
        other, _, louder = loss.slopes(theta, places[kept], step)
        second, smaller = _verdict(analytic[kept], other, louder)
        if np.isfinite(other).all() and smaller is not None and smaller < (error or np.inf):
            verdict, error, numeric[kept] = second, smaller, other
    oracle_error = None if exact is None else distance(analytic, exact)
    if oracle_error is not None and oracle_error <= GOOD and verdict in (WRONG, SUSPICIOUS):
        verdict = OK  # of a loss that bends too sharply, differences are no slope
    if verdict in (WRONG, SUSPICIOUS) and exact is not None:
        slopes = numeric if dropped.all() else exact
        if np.linalg.norm(analytic - slopes) <= level:
            largest = max(np.linalg.norm(analytic), np.linalg.norm(slopes))
            verdict = TOO_SMALL if largest <= level else OK
    return GradientCheck(
        tensor,
        error,
        _norm(analytic[kept]),
        _norm(numeric[kept]),
        oracle_error,
        len(places),
        tensor.size,
        int(dropped.sum()),
        at,
        verdict,
    )


def _verdict(analytic: Array, numeric: Array, noise: Noise) -> tuple[str, float | None]:
    """The verdict and the relative error; ``noise`` is that of one coordinate."""
    known = np.isfinite(numeric)
    if not known.any() or not np.isfinite(analytic).all():
        return TOO_SMALL, None
    analytic, numeric = analytic[known], numeric[known]
    error = distance(analytic, numeric)
    with np.errstate(all="ignore"):
        rounding = noise.of_difference * np.sqrt(known.sum())
        largest = max(np.linalg.norm(analytic), np.linalg.norm(numeric))
        if largest <= BELOW_NOISE * rounding:
            return TOO_SMALL, error
        if np.linalg.norm(analytic - numeric) <= rounding + noise.share * largest:
            return OK, error
    return next((verdict for least, verdict in BANDS if error > least), OK), error


def _norm(values: Array) -> float | None:
    with np.errstate(all="ignore"):
        norm = float(np.linalg.norm(values[~np.isnan(values)]))
    return norm if np.isfinite(norm) else None


def _nearest(analytic: Array, candidates: list[Array]) -> Array:
    return min(candidates, key=lambda each: distance(analytic, each))


class _Loss:
    """The training loss of a batch, through the program's own forward pass."""

    def __init__(self, subject: Subject, rows: Order) -> None:
        self._subject, self._stated, self._rows = subject, subject.stated, rows
        self._x, self._y = subject.data.x[:, rows], subject.data.y[:, rows]
        self._layout = Layout.of(subject.stated)

    def exact(self, theta: Array, places: Order, forward: ForwardPass) -> Array | None:
        """The slopes by the complex step, None for an unknown forward pass."""
        if forward.unknown is not None:
            return None
        own = forward.late, forward.over
        return true_gradient(self._stated, theta, self._x, self._y, places, *own)

    def conventions(self, theta: Array, places: Order, forward: ForwardPass) -> list[Array]:
        """The slopes by the complex step, with each convention of a slope on a kink."""
        own = forward.late, forward.over
        return [
            true_gradient(each, theta, self._x, self._y, places, *own)
            for each in (self._stated, *(_with_kink(self._stated, kink) for kink in KINKS))
        ]

    def slopes(self, theta: Array, places: Order, h: float) -> tuple[Array, list[list[str]], Noise]:
        """Centred differences at ``places``, the kinks that each crosses, and their rounding.

        Where a kink is crossed the slope is NaN.
        """
        here, moved = self._at(theta), theta.copy()
        slopes, crossed = np.full(len(places), np.nan), []
        for index, place in enumerate(places):
            for step in (h, h / 10.0):
                slope, kinks = self._slope(moved, int(place), step, here)
                if not kinks:
                    slopes[index] = slope
                    break
            crossed.append(kinks)
        return slopes, crossed, Noise(here.rounding / (2.0 * h), here.share)

    def _slope(self, theta: Array, place: int, h: float, here: "_Point") -> tuple[float, list[str]]:
        """The slope at one place; ``theta`` is changed meanwhile, but not afterwards."""
        layer, usual = self._layer_of(place), theta[place]
        theta[place] = usual + h
        above, width = self._at(theta, here, layer), theta[place]
        theta[place] = usual - h
        below, width = self._at(theta, here, layer), width - theta[place]
        theta[place] = usual
        slope = (above.loss - below.loss) / width if width else np.nan
        sides = zip(here.branches, above.branches, below.branches, strict=True)
        return slope, [
            branch.name(*cell)
            for branch, one, other in sides
            if one is not branch or other is not branch
            for cell in np.argwhere((one.sign != branch.sign) | (other.sign != branch.sign))
        ]

    def _layer_of(self, place: int) -> int:
        """The layer of the parameter at ``place`` of the flat vector."""
        return next(at for at, span in enumerate(self._layout.spans()) if place < span.stop)

    def _at(self, theta: Array, near: "_Point | None" = None, first: int = 0) -> "_Point":
        """The loss of the batch at ``theta``, its rounding, and the branches taken.

        In the layers before ``first`` the parameters are those at the point ``near``.
        """
        training, samples = self._stated.training, len(self._rows)
        views = self._layout.views(theta)
        layers = self._subject.forward(theta, self._x)
        with np.errstate(all="ignore"):
            error = layers[-1].h - self._y
            terms = LOSSES[training.loss].terms(layers[-1].z, error, self._y)
            W, b = views[-1]
            below = layers[-2].h if len(layers) > 1 else self._x
            size = np.abs(W) @ np.abs(below) + (0.0 if b is None else np.abs(b))
            total = float(terms.sum())
            rounding = NOISE * float(np.abs(terms).sum() + 2.0 * (np.abs(error) * size).sum())
            whole = (np.abs(layers[-1].h) + np.abs(self._y) + size).sum()
            share = NOISE * float(whole / np.abs(error).sum())
            if training.reduction == "mean":
                total, rounding = total / samples, rounding / samples
            for W, _ in views if self._stated.l1 or self._stated.l2 else ():
                penalty = self._stated.l2 / 2.0 * (W * W).sum() + self._stated.l1 * np.abs(W).sum()
                total, rounding = total + float(penalty), rounding + NOISE * float(penalty)
        branches: list[_Branch] = []
        for index, (layer, values) in enumerate(zip(self._stated.layers, layers, strict=True)):
            switches = activation_of(layer).switches
            if switches and near is not None and index < first:
                branches.append(near.branches[len(branches)])
            elif switches:
                sides = _sides(switches, {"z": values.z})
                branches.append(_Branch(f"unit {index}", sides, self._rows))
        switches = LOSSES[training.loss].switches
        if switches:
            of = {"error": error, "z": layers[-1].z, "y": self._y}
            sides = _sides(switches, of)
            branches.append(_Branch(f"error of {len(layers) - 1}", sides, self._rows))
        if self._stated.l1:
            branches += [
                _Branch(f"W{index}", np.sign(W), None) for index, (W, _) in enumerate(views)
            ]
        return _Point(branches, total, rounding, share)


class _Branch(NamedTuple):
    """Which side of their kinks some numbers are on: (units, samples), or weights."""

    of: str
    sign: Array
    rows: Order | None

    def name(self, row: int, column: int) -> str:
        """The kink at a cell, in words."""
        if self.rows is None:
            return f"{self.of}[{row}, {column}]"
        return f"{self.of}.{row} at sample {self.rows[column]}"


class _Point(NamedTuple):
    """The loss at some parameters."""

    branches: list[_Branch]
    loss: float
    rounding: float
    share: float


def _sides(switches: Sequence[Expression], values: Mapping[str, Array]) -> Array:
    """Which pieces apply, as one number a cell: another number, another piece."""
    with np.errstate(all="ignore"):
        signs = [np.sign(evaluate(each, values)) for each in switches]
    return np.asarray(sum(3.0**at * sign for at, sign in enumerate(signs)))


def _with_kink(stated: Configuration, kink: str) -> Configuration:
    return replace(stated, layers=tuple(replace(layer, kink=kink) for layer in stated.layers))
