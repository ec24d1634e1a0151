"""An independent network and trainer, one sample a row: an oracle that shares no code with core.

It reads a `Configuration` and computes in the order of the textbook, from the formulas that the
registries state; data, draws and faults are its own.  What makes the objective takes complex
numbers too, so that a tiny imaginary step gives its slope to the last digits.
"""

import math
from collections.abc import Callable, Iterator
from itertools import count

import numpy as np
from support import Array

from nntui.core.engine.network import Parameters
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.data_settings import Data
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Layer
from nntui.core.settings.training_settings import Training

Pair = tuple[Array, Array | None]
Computed = tuple[str, int, Array]
"""A tensor's name as a divergence gives it, its layer, and its values."""

CROSSED = ("binary-cross-entropy", "categorical-cross-entropy")
"""Losses that are differentiated through the output's activation at once."""
KINKED = ("relu", "leaky-relu", "elu")


def value(layer: Layer, z: Array) -> Array:
    above = z.real > 0
    below = np.where(above, 0.0, z)
    match layer.activation:
        case "relu":
            return np.where(above, z, 0.0)
        case "leaky-relu":
            return np.where(above, z, layer.leak * z)
        case "tanh":
            return np.tanh(z)
        case "sigmoid":
            small = np.exp(np.where(above, -z, z))
            return np.where(above, 1, small) / (1 + small)
        case "elu":
            return np.where(above, z, layer.alpha * np.expm1(below))
        case "gelu":
            return z / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))
        case "softplus":
            return np.where(above, z, 0.0) + np.log1p(np.exp(np.where(above, -z, z)))
        case "softmax":
            powers = np.exp(z - z.real.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
        case "identity":
            return z
    return written(layer.activation, z=z)


def written(text: str, **names: object) -> Array:
    """A formula of a preset as Python itself understands it."""
    known = {name: getattr(np, name) for name in ("sin", "cos", "tanh", "exp", "log", "sqrt")}
    known |= {
        "abs": lambda x: np.where(np.real(x) < 0, -x, x),
        "max": lambda x, y: np.where(np.real(x) > np.real(y), x, y),
        "min": lambda x, y: np.where(np.real(x) > np.real(y), y, x),
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "softplus": lambda x: np.log(1 + np.exp(x)),
        # One sample a row here.
        "outer": lambda u, v: u.T @ v,
        "dot": lambda u, v: sum(float(one) for one in (u * v).ravel()),
    }
    return eval(text.replace("^", "**"), {}, {**known, **names})


def slope(kind: str, z: Array, leak: float = 0.01, kink: str = "left", alpha: float = 1.0) -> Array:
    """The derivative, unit by unit; of softmax that is the diagonal."""
    match kind:
        case "relu" | "leaky-relu":
            below = leak if kind == "leaky-relu" else 0.0
            at = {"left": below, "right": 1.0, "zero": 0.0}[kink]
            return np.where(z > 0, 1.0, np.where(z < 0, below, at))
        case "tanh":
            return 1 / np.cosh(z) ** 2
        case "sigmoid":
            return 0.25 / np.cosh(z / 2) ** 2
        case "elu":
            return np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0)))
        case "gelu":
            root = math.sqrt(2 / math.pi)
            inner = root * (z + 0.044715 * z**3)
            bend = root * (1 + 3 * 0.044715 * z**2) / np.cosh(inner) ** 2
            return (1 + np.tanh(inner)) / 2 + z / 2 * bend
        case "softplus":
            return (1 + np.tanh(z / 2)) / 2
        case "softmax":
            powers = np.exp(z - z.max(axis=1, keepdims=True))
            shares = powers / powers.sum(axis=1, keepdims=True)
            return shares * (1 - shares)
        case "identity":
            return np.ones_like(z)
    return written(kind, z=z + 1e-30j).imag / 1e-30


def own_slope(layer: Layer, z: Array, shares: Array | None = None) -> Array:
    if shares is not None:
        return shares * (1 - shares)
    if layer.slope is not None:
        return written(layer.slope, z=z, a=value(layer, z))
    return slope(layer.activation, z, layer.leak, layer.kink, layer.alpha)


def through_activation(layer: Layer, z: Array, upstream: Array, made: Array | None = None) -> Array:
    """dL/dz from dL/da: each sample's upstream times the Jacobian, at shares ``made`` otherwise."""
    if layer.activation != "softmax":
        return upstream * own_slope(layer, z)
    shares = value(layer, z) if made is None else made
    return np.array(
        [(np.diag(a) - np.outer(a, a)) @ u for a, u in zip(shares, upstream, strict=True)]
    )


def normalised(h: Array) -> tuple[Array, Array]:
    """Each sample centred and scaled over its units, and by what it was divided."""
    centred = h - h.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)
    return centred / spread, spread


def through_normalisation(a: Array, upstream: Array) -> Array:
    """dL/da from dL/dh, with each sample's Jacobian written out."""
    n = a.shape[1]
    return np.array(
        [
            (np.eye(n) - 1 / n - np.outer(h, h) / n) @ u / s
            for h, s, u in zip(*normalised(a), upstream, strict=True)
        ]
    )


def faults_at(configuration: Configuration, layer: int) -> list[FaultEntry]:
    """The faults of a layer, in the order given."""
    return [each for each in configuration.faults if each.layers is None or layer in each.layers]


def has(configuration: Configuration, layer: int, fault: str) -> bool:
    return any(each.name == fault for each in faults_at(configuration, layer))


def layer_forward(
    configuration: Configuration, k: int, pair: Pair, x: Array
) -> tuple[Array, Array]:
    """z and a of one layer."""
    W, b = pair
    bias = 0.0 if b is None else b
    layer = configuration.layers[k]
    over = layer.activation == "softmax" and has(configuration, k, "softmax-over-samples")
    of: Callable[[Array], Array] = lambda z: value(layer, z.T).T if over else value(layer, z)
    if has(configuration, k, "bias-after-activation"):
        z = x @ W.T
        return z, of(z) + bias
    z = x @ W.T + bias
    return z, of(z)


def forward(configuration: Configuration, parameters: Parameters, x: Array) -> list[Array]:
    """z of every layer, then the output."""
    seen, h = [], x
    for k, layer in enumerate(configuration.layers):
        z, h = layer_forward(configuration, k, parameters[k], h)
        seen.append(z)
        if layer.normalise:
            h, _ = normalised(h)
    return [*seen, h]


def magnitude(values: Array) -> Array:
    return np.where(values.real < 0, -values, values)


def softplus(z: Array) -> Array:
    return np.where(z.real > 0, z, 0.0) + np.log1p(np.exp(np.where(z.real > 0, -z, z)))


def loss(kind: str, z: Array, output: Array, y: Array) -> complex:
    """One loss, summed over samples and outputs."""
    match kind:
        case "squared-error":
            terms = (output - y) ** 2
        case "half-squared-error":
            terms = (output - y) ** 2 / 2
        case "half-absolute-error":
            terms = magnitude(output - y) / 2
        case "binary-cross-entropy":
            terms = y * softplus(-z) + (1 - y) * softplus(z)
        case "categorical-cross-entropy":
            lower = z - z.real.max(axis=1, keepdims=True)
            terms = y * (np.log(np.exp(lower).sum(axis=1, keepdims=True)) - lower)
        case _:
            raise KeyError(kind)
    return complex(terms.sum())


def penalties(configuration: Configuration) -> tuple[float, float]:
    """The factors of the sums of w^2/2 and |w|."""
    training = configuration.training
    rows = len(split_of(configuration.data)[0]) if training.l2_per_sample else 1
    return training.l2 / rows, training.l1 / rows


def objective(
    configuration: Configuration, parameters: Parameters, x: Array, y: Array
) -> tuple[complex, list[Array]]:
    """What an update is to reduce, and the numbers that lie at a kink when they are 0."""
    with np.errstate(all="ignore"):
        *seen, output = forward(configuration, parameters, x)
        training = configuration.training
        total = loss(training.loss, seen[-1], output, y)
        total /= len(x) if training.reduction == "mean" else 1
        l2, l1 = penalties(configuration)
        for W, _ in parameters:
            total += l2 / 2 * complex((W**2).sum()) + l1 * complex(magnitude(W).sum())
    bent = [
        z for layer, z in zip(configuration.layers, seen, strict=True) if layer.activation in KINKED
    ]
    if training.loss == "half-absolute-error":
        bent.append(output - y)
    if l1:
        bent += [W for W, _ in parameters]
    return total, bent


def reported(configuration: Configuration, parameters: Parameters, x: Array, y: Array) -> float:
    with np.errstate(all="ignore"):
        *seen, output = forward(configuration, parameters, x)
        units = units_of(configuration)
        return loss(configuration.report.loss, seen[-1], output * units, y * units).real


def units_of(configuration: Configuration) -> Array:
    """By target column, what 1 is where targets are not scaled; cross-entropies have no units."""
    data = configuration.data
    if "entropy" in configuration.report.loss or data.scale_targets == "none":
        return np.array(1.0)
    random = np.random.RandomState(data.seed)
    _, y = rows_of(data, random)
    train, _ = split_of(data, random)
    low, high = (scaled(data.scale_targets, line + np.zeros_like(y), y[train]) for line in (0, 1))
    return 1.0 / (high - low)[0]


def reported_over_all(configuration: Configuration, parameters: Parameters) -> float:
    """The reported loss over all training rows, with penalties."""
    x, y = data_of(configuration)
    total = reported(configuration, parameters, x, y)
    total /= len(x) if configuration.report.reduction == "mean" else 1
    return total + penalty(configuration, parameters)


def penalty(configuration: Configuration, parameters: Parameters) -> float:
    """What is added to the reported loss."""
    if not configuration.report.penalty:
        return 0.0
    l2, l1 = penalties(configuration)
    total = 0.0
    for k, (W, _) in enumerate(parameters):
        summed = W.sum() if has(configuration, k, "penalty-sum") else (W**2).sum()
        total += l2 / 2 * float(summed) + l1 * float(abs(W).sum())
    return total


def slots_of(training: Training) -> tuple[str, ...]:
    match training.optimiser:
        case "sgd" | "nesterov":
            return ("velocity",) if training.momentum else ()
        case "rmsprop":
            return ("square",)
        case "adam":
            return ("mean", "square")
    raise KeyError(training.optimiser)


def direction(training: Training, g: Array, old: dict[str, Array], number: int) -> dict[str, Array]:
    """The new slots, and under "" what is multiplied by the rate; ``number`` counts from 1."""
    match training.optimiser:
        case "sgd" | "nesterov":
            mu = training.momentum
            kept = 1 - training.dampening if training.optimiser == "sgd" else 1.0
            if not mu:
                return {"": kept * g}
            v = mu * old["velocity"] + kept * g
            return {"velocity": v, "": v if training.optimiser == "sgd" else g + mu * v}
        case "rmsprop":
            s = training.rho * old["square"] + (1 - training.rho) * g**2
            return {"square": s, "": g / (np.sqrt(s) + training.epsilon)}
        case "adam":
            m = training.beta1 * old["mean"] + (1 - training.beta1) * g
            s = training.beta2 * old["square"] + (1 - training.beta2) * g**2
            one, two = m / (1 - training.beta1**number), s / (1 - training.beta2**number)
            return {"mean": m, "square": s, "": one / (np.sqrt(two) + training.epsilon)}
    raise KeyError(training.optimiser)


def rate_factor(training: Training, epoch: int) -> float:
    decay, periods = training.schedule_decay, epoch / training.schedule_every
    match training.schedule:
        case "constant":
            return 1.0
        case "step":
            return decay ** math.floor(periods)
        case "exponential":
            return decay**periods
        case "inverse":
            return 1 / (1 + decay * periods)
        case "cosine":
            return decay + (1 - decay) * (1 + math.cos(math.pi * min(periods, 1))) / 2
    raise KeyError(training.schedule)


class Update:
    """One update, with everything it computes in the order in which it is computed.

    ``number`` counts updates from 1; ``slots`` are the optimiser's, by name.
    """

    def __init__(
        self,
        configuration: Configuration,
        parameters: Parameters,
        slots: dict[str, Parameters],
        x: Array,
        y: Array,
        *,
        number: int = 1,
        rate: float | None = None,
    ) -> None:
        self.configuration, self.number = configuration, number
        self.rate = configuration.training.learning_rate if rate is None else rate
        self.parameters = list(parameters)
        self.slots = {name: list(pairs) for name, pairs in slots.items()}
        self.gradients: Parameters = list(parameters)
        self.computed: list[Computed] = []
        with np.errstate(all="ignore"):
            self._make(x, y)

    def _note(self, name: str, layer: int, values: Array) -> Array:
        self.computed.append((name, layer, values))
        return values

    def _note_pair(self, prefix: str, layer: int, pair: Pair) -> None:
        for letter, values in zip("Wb", pair, strict=True):
            if values is not None:
                self._note(prefix + letter, layer, values)

    def _make(self, x: Array, y: Array) -> None:
        layers, training = self.configuration.layers, self.configuration.training
        last, h, seen = len(layers) - 1, x, []
        for k, layer in enumerate(layers):
            z, a = layer_forward(self.configuration, k, self.parameters[k], h)
            seen.append((h, self._note("z", k, z), self._note("a", k, a)))
            h = a
            if layer.normalise:
                h, spread = normalised(a)
                self._note("spread", k, spread)
                self._note("h", k, h)
        error = self._note("error", last, h - y)
        share = 1 / len(x) if training.reduction == "mean" else 1.0
        upstream = {
            "squared-error": 2 * share * error,
            "half-squared-error": share * error,
            "half-absolute-error": share / 2 * np.sign(error),
            "binary-cross-entropy": share * error,
            "categorical-cross-entropy": share * (y.sum(axis=1, keepdims=True) * h - y),
        }[training.loss]
        waiting = []
        for k in range(last, -1, -1):
            self._note("upstream", k, upstream)
            source, z, a = seen[k]
            delta = upstream
            if k < last or training.loss not in CROSSED:
                delta = self._delta(k, z, a, upstream)
            self.gradients[k] = self._gradient(k, delta, source, z, a, error)
            self._note_pair("gradient of ", k, self.gradients[k])
            if has(self.configuration, k, "update-before-backprop"):
                self._apply([k])
            else:
                waiting.append(k)
            W = self.parameters[k][0]
            l2, l1 = penalties(self.configuration)
            for fault in faults_at(self.configuration, k):
                if fault.name == "no-weights-in-backprop":
                    W = np.ones_like(W)
                elif fault.name == "penalty-before-update":
                    W = W - self.rate * (l2 * W + l1 * np.sign(W))
            passed = upstream if has(self.configuration, k, "error-for-delta") else delta
            upstream = passed @ W
        self._apply(sorted(waiting))

    def _delta(self, k: int, z: Array, a: Array, upstream: Array) -> Array:
        layer = self.configuration.layers[k]
        if layer.normalise:
            upstream = through_normalisation(a, upstream)
        # A softmax that was normalised over the samples is differentiated as one over the units.
        over = layer.activation == "softmax" and has(self.configuration, k, "softmax-over-samples")
        own: Callable[[Array], Array | None] = lambda at: (
            value(layer, z.T).T if over and at is z else None
        )
        used: Callable[[Array], Array] = lambda at: own_slope(layer, at, own(at))
        back: Callable[[Array], Array] = lambda at: through_activation(layer, at, upstream, own(at))
        where = z
        for fault in faults_at(self.configuration, k):
            if fault.name == "derivative":
                kind = fault.of or "identity"
                if any(each in kind for each in "*-+/") and kind != "leaky-relu":
                    used = lambda at, kind=kind: written(
                        kind, z=at, a=a if at is z else value(layer, at)
                    )
                else:
                    used = lambda at, kind=kind: slope(kind, at)
                back, where = (lambda at, used=used: upstream * used(at)), z
            elif fault.name == "derivative-at-a":
                where = a
        self._note("slope", k, used(where))
        return self._note("delta", k, back(where))

    def _gradient(
        self, k: int, delta: Array, source: Array, z: Array, a: Array, error: Array
    ) -> Pair:
        W, b = self.parameters[k]
        l2, l1 = penalties(self.configuration)
        gW = delta.T @ source
        for fault in faults_at(self.configuration, k):
            if fault.name == "gradient":
                names = {"delta": delta, "x": source, "z": z, "a": a, "W": W, "error": error}
                gW = np.zeros_like(W) + written(fault.of or "dot(delta, a)", **names)
        gW = gW + l2 * W + l1 * np.sign(W)
        gb = None if b is None else delta.sum(axis=0)
        samples = len(source)
        for fault in faults_at(self.configuration, k):
            factor = 1.0
            match fault.name:
                case "bias-decay":
                    gb = b
                case "frozen-bias":
                    gb = None if b is None else np.zeros_like(b)
                case "wrong-sign":
                    factor = -1.0
                case "wrong-factor":
                    factor = 2.0 if fault.factor is None else fault.factor
                case "sum-for-mean":
                    mean = self.configuration.training.reduction == "mean"
                    factor = samples if mean else 1 / samples
            gW, gb = factor * gW, None if gb is None else factor * gb
        return gW, gb

    def _clipped(self, layers: list[int]) -> dict[int, Pair]:
        """The gradients that the optimiser gets: cut one by one, then the norm of them all."""
        training = self.configuration.training
        cut = {k: list(self.gradients[k]) for k in layers}
        if training.clip_value is not None:
            most = training.clip_value
            cut = {
                k: [None if g is None else np.clip(g, -most, most) for g in pair]
                for k, pair in cut.items()
            }
        if training.clip_norm is not None:
            norm = math.hypot(
                *(n for pair in cut.values() for g in pair if g is not None for n in g.ravel())
            )
            if norm > training.clip_norm:
                factor = training.clip_norm / norm
                cut = {
                    k: [None if g is None else g * factor for g in pair] for k, pair in cut.items()
                }
        return {k: (pair[0], pair[1]) for k, pair in cut.items()}

    def _apply(self, layers: list[int]) -> None:
        training, gradients = self.configuration.training, self._clipped(layers)
        made: dict[int, tuple[dict[str, Array], dict[str, Array]]] = {}
        for k in layers:
            gW, gb = gradients[k]
            old = [{name: self.slots[name][k][at] for name in self.slots} for at in (0, 1)]
            made[k] = (
                direction(training, gW, old[0], self.number),
                {} if gb is None else direction(training, gb, old[1], self.number),
            )
        for name in self.slots:
            for k in layers:
                self.slots[name][k] = (made[k][0][name], made[k][1].get(name))
                self._note_pair(f"{name} of ", k, self.slots[name][k])
        steps: dict[int, Pair] = {
            k: (self.rate * W[""], self.rate * b[""] if b else None) for k, (W, b) in made.items()
        }
        for k in layers:
            self._note_pair("step of ", k, steps[k])
        for k in layers:
            (W, b), (sW, sb) = self.parameters[k], steps[k]
            self.parameters[k] = (W - sW, None if b is None or sb is None else b - sb)
            self._note_pair("", k, self.parameters[k])


def zeros_like(parameters: Parameters) -> Parameters:
    return [(np.zeros_like(W), None if b is None else np.zeros_like(b)) for W, b in parameters]


NAMES = {name: getattr(math, name) for name in ("sin", "cos", "tanh", "exp", "pi", "e")}


def drawn_set(data: Data, random: np.random.RandomState) -> tuple[Array, Array]:
    """Points and labels of a set, without noise, point by point."""
    classes, samples = data.classes or 2, data.samples or 101
    points, labels = [], []
    turns = max(math.ceil(samples / classes) - 1, 1)
    for at in range(samples):
        label, along = at % classes, at // classes / turns
        match data.set:
            case "xor":
                point = (random.uniform(-1, 1), random.uniform(-1, 1))
                label = int(point[0] * point[1] < 0)
            case "circles":
                radius, angle = (label + 1) / classes, 2 * math.pi * along
                point = (radius * math.cos(angle), radius * math.sin(angle))
            case "moons":
                point = (math.cos(math.pi * along), math.sin(math.pi * along))
                if label:
                    point = (1 - point[0], 0.5 - point[1])
            case "spiral":
                angle = 3.5 * math.pi * along + 2 * math.pi * label / classes
                point = (along * math.sin(angle), along * math.cos(angle))
            case "clusters":
                angle = 2 * math.pi * label / classes
                point = (math.cos(angle), math.sin(angle))
            case _:
                raise KeyError(data.set)
        points.append(point)
        labels.append(label)
    return np.array(points), np.array(labels)


def rows_of(data: Data, random: np.random.RandomState) -> tuple[Array, Array]:
    """Inputs and targets, one sample a row, before split, scaling and constants."""
    if data.formula is not None:
        start, stop = data.start or 0.0, 1.0 if data.stop is None else data.stop
        n = data.samples or 101
        points = [start + (stop - start) * at / max(n - 1, 1) for at in range(n)]
        targets = [eval(data.formula, {}, {**NAMES, "x": x}) for x in points]
        if data.noise:
            targets = [y + data.noise * random.randn() for y in targets]
        return np.array(points)[:, None], np.array(targets, dtype=float)[:, None]
    if data.set is not None:
        points, labels = drawn_set(data, random)
        for point in points:
            for column in (0, 1):
                point[column] += data.noise * random.randn()
        if data.one_hot:
            y = np.array(
                [[float(c == label) for c in range(data.classes or 2)] for label in labels]
            )
        else:
            y = labels[:, None].astype(float)
        return points, y
    return np.array(data.inputs), np.array(data.targets)


def split_of(data: Data, random: np.random.RandomState | None = None) -> tuple[Array, Array]:
    """The rows to train on and to test on, by number."""
    if random is None:
        random = np.random.RandomState(data.seed)
        rows_of(data, random)
    rows = len(data.inputs) if data.inputs is not None else data.samples or 101
    held = round(rows * data.test_share)
    if not held:
        return np.arange(rows), np.arange(0)
    order = random.permutation(rows)
    return np.array(sorted(order[held:])), np.array(sorted(order[:held]))


def scaled(kind: str, values: Array, fitted_on: Array) -> Array:
    columns = []
    for column, known in zip(values.T, fitted_on.T, strict=True):
        shift, spread = 0.0, 1.0
        if kind == "standard":
            shift, spread = math.fsum(known) / len(known), known.std()
        elif kind == "minmax":
            shift, spread = known.min(), known.max() - known.min()
        if kind != "none" and known.min() == known.max():
            shift, spread = known[0], 1.0
        columns.append((column - shift) / spread)
    return np.array(columns).T


def split_data(data: Data) -> tuple[Array, Array, Array, Array]:
    """Inputs and targets to train on, then those to test on, one sample a row."""
    random = np.random.RandomState(data.seed)
    x, y = rows_of(data, random)
    train, test = split_of(data, random)
    x = scaled(data.scale_inputs, x, x[train])
    y = scaled(data.scale_targets, y, y[train]) / data.target_divisor
    x = np.array([[*row, *data.constant_inputs] for row in x])
    return x[train], y[train], x[test], y[test]


def data_of(configuration: Configuration) -> tuple[Array, Array]:
    """Inputs and targets to train on, one sample a row."""
    return split_data(configuration.data)[:2]


def drawn(
    random: np.random.RandomState,
    name: str,
    rows: int,
    columns: int,
    low: float = 0.0,
    high: float = 1.0,
    by_column: bool = False,
) -> Array:
    """A matrix, number by number, row by row (or column by column)."""
    between = lambda square: random.uniform(-math.sqrt(square), math.sqrt(square))
    one: Callable[[], float] = {
        "normal": random.randn,
        "uniform": lambda: low + (high - low) * random.random_sample(),
        "he": lambda: random.randn() * math.sqrt(2 / columns),
        "he-uniform": lambda: between(6 / columns),
        "xavier": lambda: random.randn() * math.sqrt(2 / (rows + columns)),
        "xavier-uniform": lambda: between(6 / (rows + columns)),
        "lecun": lambda: random.randn() / math.sqrt(columns),
        "lecun-uniform": lambda: between(3 / columns),
        "zeros": lambda: 0.0,
        "constant": lambda: 1.0,
    }[name]
    if by_column:
        return np.array([[one() for _ in range(rows)] for _ in range(columns)]).T
    return np.array([[one() for _ in range(columns)] for _ in range(rows)])


def initial(configuration: Configuration, random: np.random.RandomState) -> Parameters:
    """The first parameters, drawn in the order of ``draws``."""
    draws, layers = configuration.draws, configuration.layers
    for _ in range(draws.skip_uniform):
        random.random_sample()
    for _ in range(draws.skip_normal):
        random.randn()
    widths = [configuration.data.width, *(layer.units for layer in layers)]
    weights: dict[int, Array] = {}
    biases: dict[int, Array | None] = {}

    def weigh(at: int) -> None:
        layer = layers[at]
        if layer.W is not None:
            weights[at] = layer.scale * np.array(layer.W.tolist())
            return
        shape = layer.units, widths[at]
        spread = layer.low, layer.high, draws.transposed
        weights[at] = layer.scale * drawn(random, layer.init, *shape, *spread)

    def bias(at: int) -> None:
        layer = layers[at]
        biases[at] = None
        if layer.bias == "none":
            return
        if layer.b is not None:
            biases[at] = layer.bias_scale * np.array(layer.b)
            return
        count = 1 if layer.bias == "shared-start" else layer.units
        spread = layer.bias_low, layer.bias_high
        start = layer.bias_scale * drawn(random, layer.bias_init, count, 1, *spread)
        biases[at] = np.array([start[unit if count > 1 else 0, 0] for unit in range(layer.units)])

    every = range(len(layers))
    steps = {
        "by-layer": [(step, at) for at in every for step in (weigh, bias)],
        "bias-first": [(step, at) for at in every for step in (bias, weigh)],
        "weights-first": [(step, at) for step in (weigh, bias) for at in every],
    }
    for step, at in steps[draws.order]:
        step(at)
    return [(weights[at], biases[at]) for at in every]


def order_of(configuration: Configuration, random: np.random.RandomState) -> Array:
    """The training rows that an epoch takes in turn."""
    training, rows = configuration.training, len(split_of(configuration.data)[0])
    if training.order == "shuffled":
        return random.permutation(rows)
    if training.order == "random":
        return random.randint(0, rows, training.draws or rows)
    return np.arange(rows)


def batches(configuration: Configuration, order: Array) -> list[Array]:
    batch = configuration.training.batch
    size = len(order) if isinstance(batch, str) else batch
    return [order[at : at + size] for at in range(0, len(order), size)]


def training(
    configuration: Configuration, seed: int
) -> Iterator[tuple[Update, Array, list[float]]]:
    """Every update, its rows, and the losses that are reported with it and before."""
    random = np.random.RandomState(seed)
    parameters, (x, y) = initial(configuration, random), data_of(configuration)
    slots = {name: zeros_like(parameters) for name in slots_of(configuration.training)}
    losses: list[float] = []
    number = 0
    for epoch in count():
        rate = configuration.training.learning_rate * rate_factor(configuration.training, epoch)
        order, total = order_of(configuration, random), 0.0
        taken = batches(configuration, order)
        for at, rows in enumerate(taken):
            number += 1
            total += reported(configuration, parameters, x[rows], y[rows])
            before = parameters
            update = Update(
                configuration, parameters, slots, x[rows], y[rows], number=number, rate=rate
            )
            parameters, slots = update.parameters, update.slots
            if at == len(taken) - 1:
                total /= len(order) if configuration.report.reduction == "mean" else 1
                total += penalty(configuration, parameters)
                if configuration.report.rows == "all":
                    now = before if configuration.report.when == "before" else parameters
                    total = reported_over_all(configuration, now)
                if epoch % configuration.report.every == 0:
                    losses.append(total)
            yield update, rows, list(losses)
