"""The stated network's training loss in complex numbers: its slope without differences.

``Im L(theta + ih) / h`` subtracts nothing, so h may be tiny and the slope is right to the last
digits (Squire and Trapp 1998).  Branches go by the real part, and exactly on a kink by the
slope that the layer states, so kinks do not disturb it either.
"""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from nntui.core.engine.network import Layout, activation_of
from nntui.core.engine.state import Order
from nntui.core.formulas.evaluation import evaluate
from nntui.core.formulas.parsing import formula
from nntui.core.parts.losses import LOSSES
from nntui.core.parts.normalisation import normalised
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array

Complex = npt.NDArray[np.complex128]

STEP = 1e-30
MOST_AT_ONCE = 1_000_000
"""Complex numbers in the largest array of one pass: 16 MB."""
ABSOLUTE = formula("abs(w)")


def true_gradient(
    stated: Configuration,
    theta: Array,
    x: Array,
    y: Array,
    at: Sequence[int] | Order | None = None,
    late: Collection[int] = (),
    over: Collection[int] = (),
) -> Array:
    """The slope of `training_loss` at the coordinates ``at`` (all), by the complex step.

    ``theta`` is (parameters,), ``x`` (inputs, samples), ``y`` (outputs, samples); in the layers
    ``late`` the bias is added after the activation, in those ``over`` a softmax sums over samples.
    """
    places = np.arange(theta.size) if at is None else np.asarray(at, dtype=np.intp)
    widest = max(stated.data.width, *(layer.units for layer in stated.layers))
    size = max(1, MOST_AT_ONCE // max(widest * x.shape[1], theta.size))
    slopes = np.empty(places.size)
    thetas = np.tile(theta.astype(np.complex128), (min(size, places.size), 1))
    for start in range(0, places.size, size):
        some = places[start : start + size]
        moved, rows = thetas[: some.size], np.arange(some.size)
        moved[rows, some] += 1j * STEP
        slopes[start : start + size] = training_loss(stated, moved, x, y, late, over).imag / STEP
        moved[rows, some] = theta[some]
    return slopes


def training_loss(
    stated: Configuration,
    thetas: Complex,
    x: Array,
    y: Array,
    late: Collection[int] = (),
    over: Collection[int] = (),
) -> Complex:
    """The training loss with its penalties, for each row of ``thetas`` (rows, parameters).

    The arrays of a layer are (rows, units, samples).
    """
    h: Complex = x.astype(np.complex128)[None]
    z, penalty = h, np.zeros(len(thetas), dtype=np.complex128)
    layout = Layout.of(stated)
    with np.errstate(all="ignore"):
        for index, (layer, span) in enumerate(zip(stated.layers, layout.spans(), strict=True)):
            units, inputs, has_bias = layout.shapes[index]
            part = thetas[:, span]
            W = part[:, : units * inputs].reshape(-1, units, inputs)
            b = part[:, units * inputs :, None] if has_bias else np.zeros((1, units, 1))
            z = W @ h if index in late else W @ h + b
            a = activation_of(layer).of_complex(z, axis=2 if index in over else 1)
            a = a + (b if index in late else 0.0)
            h = normalised(a, axis=1) if layer.normalise else a
            if stated.l2:
                penalty += stated.l2 / 2.0 * (W * W).sum(axis=(1, 2))
            if stated.l1:
                penalty += stated.l1 * evaluate(ABSOLUTE, {"w": W}).sum(axis=(1, 2))
        total = LOSSES[stated.training.loss].terms(z, h - y, y, axis=1).sum(axis=(1, 2))
        if stated.training.reduction == "mean":
            total /= x.shape[1]
        return np.asarray(total + penalty)
