"""The eleven published programs, written again in plain NumPy: an oracle for any seed.

Nothing here knows nntui.  Each program keeps its document's operations in the document's order,
so that its numbers are the published ones, and says in a comment where it departs from textbook
backpropagation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Function = Callable[[Array], Array]


@dataclass
class Trained:
    """What a program did: W0, b0, W1, ... before and after, and the loss of every epoch."""

    initial: list[Array]
    final: list[Array]
    losses: list[float]


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


def leaky(z: Array) -> Array:
    return np.where(z > 0, z, 0.01 * z)


def leaky_slope(z: Array) -> Array:
    return np.where(z > 0, 1.0, 0.01)


ADD = {
    "relu": (0.01, lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "tanh": (0.1, np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
    "sigmoid": (0.1, sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
}


def add(kind: str, seed: int, epochs: int) -> Trained:
    """Documents 000 and 001: a 2-4-4-1 network is to add two numbers."""
    rate, function, slope = ADD[kind]
    rows = [(0.1, 0.2, 0.3), (0.5, 0.3, 0.8), (0.2, 0.4, 0.6)]
    rows += [(0.3, 0.7, 1.0), (0.5, 0.5, 1.0), (0.4, 0.3, 0.7)]
    random = np.random.RandomState(seed)
    layers = [
        [random.randn(wide, narrow), random.randn(wide, 1)]
        for narrow, wide in pairwise((2, 4, 4, 1))
    ]
    initial = [each.ravel() if each.shape[1] == 1 else each.copy() for p in layers for each in p]
    losses = []
    for _ in range(epochs):
        total = 0.0
        for first, second, wanted in rows:
            value = np.array([[first], [second]])
            seen = []
            for W, b in layers:
                z = W @ value + b
                seen.append((value, z))
                value = function(z)
            total += ((wanted - value) ** 2).item()
            gradient = 2 * (value - wanted)
            for pair, (source, z) in zip(reversed(layers), reversed(seen), strict=True):
                gradient = gradient * slope(z)
                pair[0] = pair[0] - rate * (gradient @ source.T)
                pair[1] = pair[1] - rate * pair[1]  # the bias stands for its own gradient
                gradient = pair[0].T @ gradient  # through the weights of after the update
        losses.append(total / len(rows))
    final = [each.ravel() if each.shape[1] == 1 else each for p in layers for each in p]
    return Trained(initial, final, losses)


def line(
    seed: int,
    epochs: int,
    *,
    rate: float,
    function: Function = leaky,
    slope: Function = leaky_slope,
    divisor: float = 1.0,
    stale: bool = True,
    mean: bool = False,
) -> Trained:
    """Document 002 without biases; ``stale``: the gradient uses the weights of the forward pass."""
    random = np.random.RandomState(seed)
    w1, w2 = random.rand(3, 1), random.rand(1, 3)
    initial = [w1, w2]
    losses = []
    for _ in range(epochs):
        total = 0.0
        for x, wanted in ((1, 5), (2, 4), (3, 3)):
            z1 = w1 * x
            a1 = function(z1)
            z2 = w2 @ a1
            error = wanted / divisor - function(z2)
            delta2 = error * slope(z2)
            before = w2
            w2 = w2 + rate * (delta2 @ a1.T)
            delta1 = (before if stale else w2).T @ delta2 * slope(z1)
            w1 = w1 + rate * (delta1 * x)
            total += 0.5 * error.item() ** 2
        losses.append(total / 3 if mean else total)
    return Trained(initial, [w1, w2], losses)


def line_with_bias(seed: int, epochs: int) -> Trained:
    """Document 002, the answer: a bias for each layer, which starts as one number."""
    random = np.random.RandomState(seed)
    w1 = random.rand(3, 1)
    b1 = np.full((3, 1), random.rand())
    w2 = random.rand(1, 3)
    b2 = np.full((1, 1), random.rand())
    initial = [w1, b1.ravel(), w2, b2.ravel()]
    losses = []
    for _ in range(epochs):
        total = 0.0
        for x, wanted in ((1, 5), (2, 4), (3, 3)):
            z1 = w1 * x + b1
            a1 = leaky(z1)
            z2 = w2 @ a1 + b2
            error = leaky(z2) - wanted
            delta2 = error * leaky_slope(z2)
            delta1 = w2.T @ delta2 * leaky_slope(z1)
            b2, b1 = b2 - 1e-3 * delta2, b1 - 1e-3 * delta1
            w2, w1 = w2 - 1e-3 * (delta2 @ a1.T), w1 - 1e-3 * (delta1 * x)
            total += 0.5 * error.item() ** 2
        losses.append(total)
    return Trained(initial, [w1, b1.ravel(), w2, b2.ravel()], losses)


def xor(seed: int, epochs: int, *, hidden: int, rate: float, relu: bool) -> Trained:
    """Document 003: XOR; the asker's three inner loops are an outer product of one output."""
    random = np.random.RandomState(seed)
    Ws = 0.25 * random.rand(hidden, 4)
    Wo = 0.25 * random.rand(1, hidden)
    initial = [Ws, Wo]
    losses = []
    for _ in range(epochs):
        total = 0.0
        for x1, x2, wanted in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
            x = np.array([x1, x2, 1.0, 1.0])
            z = np.dot(Ws, x)
            a = np.maximum(0, z) if relu else sigmoid(z)
            slope = (z >= 0) * 1.0 if relu else a * (1 - a)
            error = sigmoid(np.dot(Wo, a)) - wanted
            Wo = Wo - rate * (error * a)
            # Wo has moved already when it is used here.
            Ws = Ws - rate * np.outer(Wo[0] * slope * error, x)
            total += 0.5 * abs(error.item())
        losses.append(total)
    return Trained(initial, [Ws, Wo], losses)


def square(seed: int, epochs: int, *, linear: bool) -> Trained:
    """Document 004: y = x^2; with ``linear`` the answer's output, and no decay."""
    rate, decay, samples = 1e-6, 0.0 if linear else 1e-8, 201
    random = np.random.RandomState(seed)
    W1, W2 = random.randn(64, 1) * np.sqrt(2 / 1), random.randn(1, 64) * np.sqrt(2 / 64)
    b1, b2 = np.zeros((64, 1)), np.zeros((1, 1))
    initial = [W1, b1.ravel(), W2, b2.ravel()]
    x = np.linspace(0, 1, samples).reshape(1, -1)
    y = x**2

    def value(z: Array) -> Array:
        return (z > 0) * z + (z < 0) * 0.01 * z

    def slope(z: Array) -> Array:
        return (z > 0) + (z < 0) * 0.01

    losses = []
    for _ in range(epochs):
        z1 = W1 @ x + b1
        a1 = value(z1)
        z2 = W2 @ a1 + b2
        output = z2 if linear else value(z2)
        delta2 = -2 * (y - output) / samples * (1 if linear else slope(z2))
        delta1 = W2.T @ delta2 * slope(z1)
        W1 = W1 - rate * (delta1 @ x.T + decay / samples * W1)
        W2 = W2 - rate * (delta2 @ a1.T + decay / samples * W2)
        b1 = b1 - rate * delta1.sum(axis=1, keepdims=True)
        b2 = b2 - rate * delta2.sum(axis=1, keepdims=True)
        # The printed penalty adds up the new weights, not their squares.
        penalty = decay / (2 * samples) * (W1.sum() + W2.sum())
        losses.append(float(((y - output) ** 2).sum() / samples + penalty))
    return Trained(initial, [W1, b1.ravel(), W2, b2.ravel()], losses)


PROGRAMS: dict[str, Callable[[int, int], Trained]] = {
    "add-relu": lambda seed, epochs: add("relu", seed, epochs),
    "add-tanh": lambda seed, epochs: add("tanh", seed, epochs),
    "add-sigmoid": lambda seed, epochs: add("sigmoid", seed, epochs),
    "line-tanh": lambda seed, epochs: line(
        seed,
        epochs,
        rate=0.1,
        function=np.tanh,
        slope=lambda z: 1 - np.tanh(z) ** 2,
        divisor=5.25,
        stale=False,
        mean=True,
    ),
    "line-leaky-relu": lambda seed, epochs: line(
        seed, epochs, rate=1e-4, slope=np.ones_like, stale=False
    ),
    "line-leaky-relu-edited": lambda seed, epochs: line(seed, epochs, rate=1e-3),
    "line-leaky-relu-bias": line_with_bias,
    "xor-relu": lambda seed, epochs: xor(seed, epochs, hidden=10, rate=0.05, relu=True),
    "xor-sigmoid": lambda seed, epochs: xor(seed, epochs, hidden=5, rate=0.1, relu=False),
    "square-leaky-relu": lambda seed, epochs: square(seed, epochs, linear=False),
    "square-linear-output": lambda seed, epochs: square(seed, epochs, linear=True),
}
