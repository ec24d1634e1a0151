"""Baselines: plain NumPy training loops as people write them from scratch, not optimised.

Each function returns one that makes ``n`` updates, and records what a training script records.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

Steps = Callable[[int], None]


class _Dense:
    """A layer object with a forward and a backward method, as in tutorials."""

    def __init__(self, inputs: int, units: int) -> None:
        self.weights = np.random.randn(units, inputs)
        self.biases = np.random.randn(units, 1)

    def forward(self, values: Any) -> Any:
        self.values = values
        return np.dot(self.weights, values) + self.biases

    def backward(self, gradient: Any, rate: float) -> Any:
        slope = np.dot(gradient, self.values.T)
        self.weights -= rate * slope
        self.biases -= rate * self.biases
        return np.dot(self.weights.T, gradient)


class _Rectifier:
    def forward(self, values: Any) -> Any:
        self.values = values
        return np.maximum(0, values)

    def backward(self, gradient: Any, rate: float) -> Any:
        return np.multiply(gradient, np.where(self.values > 0, 1, 0))


def add_relu() -> Steps:
    """The loop behind the preset ``add-relu``: one sample at a time through layer objects."""
    np.random.seed(2)
    rows = [[0.1, 0.2], [0.5, 0.3], [0.2, 0.4], [0.3, 0.7], [0.5, 0.5], [0.4, 0.3]]
    X = np.reshape(rows, (6, 2, 1))
    Y = np.reshape([0.3, 0.8, 0.6, 1.0, 1.0, 0.7], (6, 1, 1))
    network: list[Any] = []
    for inputs, units in ((2, 4), (4, 4), (4, 1)):
        network += [_Dense(inputs, units), _Rectifier()]
    losses: list[float] = []

    def steps(count: int) -> None:
        done = 0
        while done < count:
            total: Any = 0.0
            for x, y in zip(X, Y, strict=True):
                values = x
                for layer in network:
                    values = layer.forward(values)
                total += np.power(y - values, 2)
                gradient = 2 * (values - y)
                for layer in reversed(network):
                    gradient = layer.backward(gradient, 0.01)
                done += 1
            losses.append(float(total[0, 0] / len(X)))

    return steps


def xor_sigmoid() -> Steps:
    """The loop behind ``xor-sigmoid``, one sample at a time with vectors and matrices."""
    np.random.seed(0)
    X = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1]], dtype=float)
    targets = np.array([0.0, 1.0, 1.0, 0.0])
    hidden, output = 0.25 * np.random.rand(5, 4), 0.25 * np.random.rand(1, 5)
    losses: list[float] = []

    def sigmoid(z: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-z))

    def steps(updates: int) -> None:
        done = 0
        while done < updates:
            total = 0.0
            for x, target in zip(X, targets, strict=True):
                inner = sigmoid(hidden @ x)
                answer = sigmoid(output @ inner)
                delta = answer - target
                total += float(np.abs(delta).sum()) / 2
                output[...] -= 0.1 * np.outer(delta, inner)
                below = output.T @ delta * inner * (1.0 - inner)
                hidden[...] -= 0.1 * np.outer(below, x)
                done += 1
            losses.append(total)

    return steps


def square_leaky_relu() -> Steps:
    """The loop behind ``square-leaky-relu``: 201 points at once, functions over lists of arrays."""
    np.random.seed(0)
    X = np.expand_dims(np.linspace(0, 1, 201), axis=0)
    y = X**2
    count, sizes = X.shape[1], [1, 64, 1]
    weights = [np.random.randn(n, m) * np.sqrt(2 / m) for m, n in itertools.pairwise(sizes)]
    biases = [np.zeros((n, 1)) for n in sizes[1:]]
    losses: list[float] = []

    def leaky(z: Any) -> Any:
        return (z > 0) * z + (z < 0) * 0.01 * z

    def slope(z: Any) -> Any:
        return (z > 0) + (z < 0) * 0.01

    def steps(updates: int) -> None:
        nonlocal weights, biases
        for _ in range(updates):
            zs, acts = [], [X]
            for w, b in zip(weights, biases, strict=True):
                zs.append(np.dot(w, acts[-1]) + b)
                acts.append(leaky(zs[-1]))
            delta = -2 * (y - acts[-1]) / count * slope(zs[-1])
            dw, db = [np.dot(delta, acts[-2].T)], [np.sum(delta, axis=1, keepdims=True)]
            delta = np.dot(weights[1].T, delta) * slope(zs[0])
            dw.insert(0, np.dot(delta, acts[0].T))
            db.insert(0, np.sum(delta, axis=1, keepdims=True))
            weights = [w - 1e-6 * (g + 1e-8 / count * w) for w, g in zip(weights, dw, strict=True)]
            biases = [b - 1e-6 * g for b, g in zip(biases, db, strict=True)]
            penalty = 1e-8 / (2 * count) * np.sum([np.sum(w) for w in weights])
            losses.append(float(np.sum((y - acts[-1]) ** 2) / count + penalty))

    return steps


def matrix_products(sizes: tuple[int, ...], batch: int) -> Steps:
    """Only the matrix products of one update of a dense network."""
    random = np.random.RandomState(0)
    weights = [random.rand(n, m) for m, n in itertools.pairwise(sizes)]
    values = [random.rand(n, batch) for n in sizes]

    def steps(count: int) -> None:
        for _ in range(count):
            for index, w in enumerate(weights):
                np.dot(w, values[index])
            for index in reversed(range(len(weights))):
                np.dot(values[index + 1], values[index].T)
                if index:
                    np.dot(weights[index].T, values[index + 1])

    return steps
