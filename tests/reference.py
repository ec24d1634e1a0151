"""An independent network and trainer, one sample a row: an oracle that shares no code with core.

It reads a `Configuration` and computes in the order of the textbook; the faults are its own.
"""

from collections.abc import Iterator

import numpy as np
from support import Array

from nntui.core.configuration import Configuration, Layer
from nntui.core.network import Parameters

Computed = tuple[str, int, Array]
"""A tensor's name as a divergence gives it, its layer, and its values."""


def value(layer: Layer, z: Array) -> Array:
    match layer.activation:
        case "relu":
            return np.where(z > 0, z, 0.0)
        case "leaky-relu":
            return np.where(z > 0, z, layer.leak * z)
        case "tanh":
            return np.tanh(z)
        case "sigmoid":
            return np.where(z > 0, 1 / (1 + np.exp(-abs(z))), 1 - 1 / (1 + np.exp(-abs(z))))
    return z


def slope(kind: str, z: Array, leak: float = 0.01, kink: str = "left") -> Array:
    match kind:
        case "relu" | "leaky-relu":
            below = leak if kind == "leaky-relu" else 0.0
            at = {"left": below, "right": 1.0, "zero": 0.0}[kink]
            return np.where(z > 0, 1.0, np.where(z < 0, below, at))
        case "tanh":
            return 1 / np.cosh(z) ** 2
        case "sigmoid":
            return 0.25 / np.cosh(z / 2) ** 2
    return np.ones_like(z)


def forward(configuration: Configuration, parameters: Parameters, x: Array) -> list[Array]:
    """z of every layer, then the output."""
    seen, h = [], x
    for layer, (W, b) in zip(configuration.layers, parameters, strict=True):
        z = h @ W.T + (0 if b is None else b)
        seen.append(z)
        h = value(layer, z)
        if layer.normalise:
            spread = h.var(axis=1, keepdims=True)
            h = (h - h.mean(axis=1, keepdims=True)) / np.sqrt(spread + 1e-5)
    return [*seen, h]


def loss(kind: str, z: Array, output: Array, y: Array) -> float:
    """One loss, summed over samples and outputs."""
    match kind:
        case "squared-error":
            return float(((output - y) ** 2).sum())
        case "half-squared-error":
            return float(((output - y) ** 2).sum()) / 2
        case "half-absolute-error":
            return float(abs(output - y).sum()) / 2
        case "binary-cross-entropy":
            return float((y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)).sum())
    raise KeyError(kind)


def weight_of_penalty(configuration: Configuration) -> float:
    training = configuration.training
    return training.l2 / (configuration.data.rows if training.l2_per_sample else 1)


def objective(
    configuration: Configuration, parameters: Parameters, x: Array, y: Array
) -> tuple[float, list[Array]]:
    """What an update is to reduce, and the signs that say on which side of its kinks it lies."""
    *seen, output = forward(configuration, parameters, x)
    training = configuration.training
    total = loss(training.loss, seen[-1], output, y)
    total /= len(x) if training.reduction == "mean" else 1
    squares = sum(float((W**2).sum()) for W, _ in parameters)
    signs = [
        np.sign(z)
        for layer, z in zip(configuration.layers, seen, strict=True)
        if layer.activation in ("relu", "leaky-relu")
    ]
    if training.loss == "half-absolute-error":
        signs.append(np.sign(output - y))
    return total + weight_of_penalty(configuration) / 2 * squares, signs


def faults_at(configuration: Configuration, layer: int) -> dict[str, str | None]:
    """The faults of a layer, with whose derivative is taken."""
    return {
        each.name: each.of
        for each in configuration.faults
        if each.layers is None or layer in each.layers
    }


def reported(configuration: Configuration, parameters: Parameters, x: Array, y: Array) -> float:
    *seen, output = forward(configuration, parameters, x)
    return loss(configuration.report.loss, seen[-1], output, y)


def penalty(configuration: Configuration, parameters: Parameters) -> float:
    """What is added to the reported loss."""
    if not configuration.report.penalty:
        return 0.0
    return (weight_of_penalty(configuration) / 2) * sum(
        float(W.sum() if "penalty-sum" in faults_at(configuration, layer) else (W**2).sum())
        for layer, (W, _) in enumerate(parameters)
    )


class Update:
    """One update, with everything it computes in the order in which it is computed."""

    def __init__(
        self,
        configuration: Configuration,
        parameters: Parameters,
        velocity: Parameters,
        x: Array,
        y: Array,
    ) -> None:
        assert not any(layer.normalise for layer in configuration.layers)
        self.configuration = configuration
        self.parameters = [(W.copy(), None if b is None else b.copy()) for W, b in parameters]
        self.velocity = [(W.copy(), None if b is None else b.copy()) for W, b in velocity]
        self.gradients: Parameters = [(W, b) for W, b in self.parameters]
        self.computed: list[Computed] = []
        with np.errstate(all="ignore"):
            self._make(x, y)

    def _note(self, name: str, layer: int, values: Array) -> Array:
        self.computed.append((name, layer, values))
        return values

    def _make(self, x: Array, y: Array) -> None:
        layers, training = self.configuration.layers, self.configuration.training
        last, h, seen = len(layers) - 1, x, []
        for k, layer in enumerate(layers):
            W, b = self.parameters[k]
            z = self._note("z", k, h @ W.T + (0 if b is None else b))
            seen.append((h, z))
            h = self._note("a", k, value(layer, z))
        error = self._note("error", last, h - y)
        share = 1 / len(x) if training.reduction == "mean" else 1.0
        upstream = (
            share
            * {
                "squared-error": 2 * error,
                "half-squared-error": error,
                "half-absolute-error": np.sign(error) / 2,
                "binary-cross-entropy": error,
            }[training.loss]
        )
        waiting = []
        for k in range(last, -1, -1):
            self._note("upstream", k, upstream)
            source, z = seen[k]
            faults, layer = faults_at(self.configuration, k), layers[k]
            if k == last and training.loss == "binary-cross-entropy":
                delta = upstream
            else:
                s = slope(layer.activation, z, layer.leak, layer.kink)
                if "derivative" in faults:
                    s = slope(faults["derivative"] or "identity", z)
                delta = self._note("delta", k, upstream * self._note("slope", k, s))
            W, b = self.parameters[k]
            gW = delta.T @ source + weight_of_penalty(self.configuration) * W
            gb = None if b is None else b if "bias-decay" in faults else delta.sum(axis=0)
            self.gradients[k] = (gW, gb)
            self._note_pair("gradient of ", k, self.gradients[k])
            if "update-before-backprop" in faults:
                self._apply([k])
            else:
                waiting.append(k)
            upstream = delta @ self.parameters[k][0]
        self._apply(sorted(waiting))

    def _note_pair(self, prefix: str, layer: int, pair: tuple[Array, Array | None]) -> None:
        for letter, values in zip("Wb", pair, strict=True):
            if values is not None:
                self._note(prefix + letter, layer, values)

    def _apply(self, layers: list[int]) -> None:
        training = self.configuration.training
        if training.momentum:
            for k in layers:
                self.velocity[k] = _combined(
                    training.momentum, self.velocity[k], 1.0, self.gradients[k]
                )
                self._note_pair("velocity of ", k, self.velocity[k])
        moved = self.velocity if training.momentum else self.gradients
        steps = {
            k: _combined(training.learning_rate, moved[k], 0.0, self.parameters[k]) for k in layers
        }
        for k in layers:
            self._note_pair("step of ", k, steps[k])
        for k in layers:
            self.parameters[k] = _combined(1.0, self.parameters[k], -1.0, steps[k])
            self._note_pair("", k, self.parameters[k])


def _combined(
    one: float, ours: tuple[Array, Array | None], other: float, theirs: tuple[Array, Array | None]
) -> tuple[Array, Array | None]:
    def sum_of(mine: Array, yours: Array) -> Array:
        return one * mine + other * yours if other else one * mine

    (W, b), (V, c) = ours, theirs
    return sum_of(W, V), None if b is None or c is None else sum_of(b, c)


def data_of(configuration: Configuration) -> tuple[Array, Array]:
    """Inputs and targets of a table, one sample a row."""
    data = configuration.data
    x = np.array([[*row, *data.constant_inputs] for row in data.inputs or ()])
    return x, np.array(data.targets) / data.target_divisor


def batches(configuration: Configuration) -> list[slice]:
    rows, batch = configuration.data.rows, configuration.training.batch
    size = rows if isinstance(batch, str) else batch
    return [slice(at, min(at + size, rows)) for at in range(0, rows, size)]


def training(
    configuration: Configuration, parameters: Parameters
) -> Iterator[tuple[Update, list[float]]]:
    """Every update from ``parameters`` on, with the reported losses of the finished epochs."""
    x, y = data_of(configuration)
    velocity = [(np.zeros_like(W), None if b is None else np.zeros_like(b)) for W, b in parameters]
    losses: list[float] = []
    while True:
        total = 0.0
        for rows in batches(configuration):
            total += reported(configuration, parameters, x[rows], y[rows])
            update = Update(configuration, parameters, velocity, x[rows], y[rows])
            parameters, velocity = update.parameters, update.velocity
            if rows.stop == len(x):
                total /= len(x) if configuration.report.reduction == "mean" else 1
                losses.append(total + penalty(configuration, parameters))
            yield update, list(losses)
