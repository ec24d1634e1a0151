"""The stated network's training loss in complex numbers: its slope without differences.

``Im L(theta + ih) / h`` subtracts nothing, so h may be tiny and the slope is right to the last
digits (Squire and Trapp 1998).  Branches go by the real part, and exactly on a kink by the
slope that the layer states, so kinks do not disturb it either.
"""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from nntui.core.engine.network import Layout
from nntui.core.engine.state import Order
from nntui.core.parts.activations import GELU
from nntui.core.parts.normalisation import EPSILON
from nntui.core.settings.configuration import Configuration, Layer
from nntui.core.tape import Array

Complex = npt.NDArray[np.complex128]

STEP = 1e-30
ON_KINK = 1e-45
"""A real part below is 0: the square of the step may have got into it."""
MOST_AT_ONCE = 1_000_000
"""Complex numbers in the largest array of one pass: 16 MB."""


def true_gradient(
    stated: Configuration,
    theta: Array,
    x: Array,
    y: Array,
    at: Sequence[int] | Order | None = None,
    late: Collection[int] = (),
) -> Array:
    """The slope of `training_loss` at the coordinates ``at`` (all), by the complex step.

    ``theta`` is (parameters,), ``x`` (inputs, samples), ``y`` (outputs, samples); in the layers
    ``late`` the bias is added after the activation.
    """
    places = np.arange(theta.size) if at is None else np.asarray(at, dtype=np.intp)
    widest = max(stated.data.width, *(layer.units for layer in stated.layers))
    size = max(1, MOST_AT_ONCE // max(widest * x.shape[1], theta.size))
    slopes = np.empty(places.size)
    for start in range(0, places.size, size):
        some = places[start : start + size]
        moved = np.tile(theta.astype(np.complex128), (some.size, 1))
        moved[np.arange(some.size), some] += 1j * STEP
        slopes[start : start + size] = training_loss(stated, moved, x, y, late).imag / STEP
    return slopes


def training_loss(
    stated: Configuration, thetas: Complex, x: Array, y: Array, late: Collection[int] = ()
) -> Complex:
    """The training loss with its penalties, for each row of ``thetas`` (rows, parameters)."""
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
            a = _value(layer, z) + (b if index in late else 0.0)
            h = _normalised(a) if layer.normalise else a
            penalty += stated.l2 / 2.0 * (W * W).sum(axis=(1, 2))
            penalty += stated.l1 * _absolute(W).sum(axis=(1, 2))
        total = _loss(stated.training.loss, z, h, y).sum(axis=(1, 2))
        if stated.training.reduction == "mean":
            total /= x.shape[1]
        return np.asarray(total + penalty)


def _sign(values: Complex) -> Array:
    return np.where(np.abs(values.real) < ON_KINK, 0.0, np.sign(values.real))


def _absolute(values: Complex) -> Complex:
    return np.asarray(_sign(values) * values)


def _normalised(a: Complex) -> Complex:
    centred = a - a.mean(axis=1, keepdims=True)
    variance = (centred * centred).mean(axis=1, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + EPSILON))


def _sigmoid(z: Complex) -> Complex:
    above = z.real > 0.0
    small = np.exp(np.where(above, -z, z))
    return np.asarray(np.where(above, 1.0, small) / (1.0 + small))


def _piecewise(layer: Layer, z: Complex, below: float) -> Complex:
    on_kink = {"left": below, "right": 1.0, "zero": 0.0}[layer.kink]
    # A number that is none has any slope.
    slope = np.array([below, on_kink, 1.0])[1 + np.nan_to_num(_sign(z)).astype(np.intp)]
    return np.asarray(slope * z)


def _gelu(z: Complex) -> Complex:
    near = np.where(np.abs(z.real) < 40.0, z, 0.0)
    bend = np.tanh(GELU.ROOT * (near + GELU.CUBE * near**3))
    return np.asarray(z / 2.0 * (1.0 + np.where(np.abs(z.real) < 40.0, bend, np.sign(z.real))))


def _value(layer: Layer, z: Complex) -> Complex:
    above = z.real > 0.0
    match layer.activation:
        case "identity":
            return z
        case "relu":
            return _piecewise(layer, z, 0.0)
        case "leaky-relu":
            return _piecewise(layer, z, layer.leak)
        case "tanh":
            return np.asarray(2.0 * _sigmoid(2.0 * z) - 1.0)
        case "sigmoid":
            return _sigmoid(z)
        case "elu":
            above = z.real >= ON_KINK
            return np.asarray(np.where(above, z, layer.alpha * np.expm1(np.where(above, 0.0, z))))
        case "gelu":
            return _gelu(z)
        case "softplus":
            bend = np.log1p(np.exp(np.where(above, -z, z)))
            return np.asarray(np.where(above, z, 0.0) + bend)
        case "softmax":
            powers = np.exp(z - z.real.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    raise KeyError(layer.activation)


def _loss(name: str, z: Complex, a: Complex, y: Array) -> Complex:
    error = a - y
    match name:
        case "squared-error":
            return np.asarray(error * error)
        case "half-squared-error":
            return np.asarray(error * error / 2.0)
        case "half-absolute-error":
            return np.asarray(_absolute(error) / 2.0)
        case "binary-cross-entropy":
            above = z.real > 0.0
            bend = np.log1p(np.exp(np.where(above, -z, z)))
            return np.asarray(np.where(above, z, 0.0) - z * y + bend)
        case "categorical-cross-entropy":
            shifted = z - z.real.max(axis=1, keepdims=True)
            return np.asarray(y * (np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - shifted))
    raise KeyError(name)
