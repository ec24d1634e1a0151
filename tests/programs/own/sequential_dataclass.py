from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

rng = np.random.default_rng(0)


@dataclass
class Linear:
    n_in: int
    n_out: int
    w: np.ndarray = field(init=False)
    b: np.ndarray = field(init=False)

    def __post_init__(self):
        self.w = rng.normal(scale=1 / np.sqrt(self.n_in), size=(self.n_in, self.n_out))
        self.b = np.zeros(self.n_out)
        self.vw = np.zeros_like(self.w)
        self.vb = np.zeros_like(self.b)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return x @ self.w + self.b

    def backward(self, grad: np.ndarray, lr: float, momentum: float) -> np.ndarray:
        grad_x = grad @ self.w.T
        self.vw = momentum * self.vw - lr * (self.x.T @ grad)
        self.vb = momentum * self.vb - lr * grad.sum(axis=0)
        self.w += self.vw
        self.b += self.vb
        return grad_x


@dataclass
class Softplus:
    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return np.log1p(np.exp(x))

    def backward(self, grad: np.ndarray, lr: float, momentum: float) -> np.ndarray:
        return grad / (1 + np.exp(-self.x))


@dataclass
class Sequential:
    layers: list

    def __call__(self, x: np.ndarray) -> np.ndarray:
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, grad: np.ndarray, lr: float, momentum: float = 0.9) -> None:
        for layer in self.layers[::-1]:
            grad = layer.backward(grad, lr, momentum)


def main() -> None:
    x = rng.uniform(-2, 2, size=(128, 2))
    y = (x[:, :1] * x[:, 1:]) + 0.5
    model = Sequential([Linear(2, 16), Softplus(), Linear(16, 16), Softplus(), Linear(16, 1)])
    for epoch in range(1, 1001):
        out = model(x)
        error = out - y
        model.backward(2 * error / len(x), lr=0.02)
        if epoch % 100 == 0:
            print(f"{epoch:5d} {np.mean(error ** 2):.6f}")


if __name__ == "__main__":
    main()
