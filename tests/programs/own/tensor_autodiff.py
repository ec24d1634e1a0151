"""A small automatic differentiation on arrays, after micrograd."""
import numpy as np

rng = np.random.default_rng(4)


def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


class Tensor:
    def __init__(self, data, parents=()):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros_like(self.data)
        self.parents = parents
        self.push = lambda: None

    def __add__(self, other):
        out = Tensor(self.data + other.data, (self, other))
        def push():
            self.grad += unbroadcast(out.grad, self.data.shape)
            other.grad += unbroadcast(out.grad, other.data.shape)
        out.push = push
        return out

    def __sub__(self, other):
        out = Tensor(self.data - other.data, (self, other))
        def push():
            self.grad += unbroadcast(out.grad, self.data.shape)
            other.grad -= unbroadcast(out.grad, other.data.shape)
        out.push = push
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self, other))
        def push():
            self.grad += unbroadcast(other.data * out.grad, self.data.shape)
            other.grad += unbroadcast(self.data * out.grad, other.data.shape)
        out.push = push
        return out

    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))
        def push():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad
        out.push = push
        return out

    def relu(self):
        out = Tensor(np.maximum(self.data, 0), (self,))
        def push():
            self.grad += (self.data > 0) * out.grad
        out.push = push
        return out

    def mean(self):
        out = Tensor(self.data.mean(), (self,))
        def push():
            self.grad += out.grad * np.ones_like(self.data) / self.data.size
        out.push = push
        return out

    def backward(self):
        order, seen = [], []
        def visit(t):
            if not any(t is s for s in seen):
                seen.append(t)
                for parent in t.parents:
                    visit(parent)
                order.append(t)
        visit(self)
        self.grad = np.ones_like(self.data)
        for t in reversed(order):
            t.push()


x = Tensor(rng.uniform(-1, 1, (50, 2)))
y = Tensor(x.data[:, :1] ** 2 - x.data[:, 1:])
W1, b1 = Tensor(rng.normal(0, 1, (2, 16))), Tensor(np.zeros((1, 16)))
W2, b2 = Tensor(rng.normal(0, 0.3, (16, 1))), Tensor(np.zeros((1, 1)))

for k in range(500):
    e = (x @ W1 + b1).relu() @ W2 + b2 - y
    loss = (e * e).mean()
    for p in (W1, b1, W2, b2):
        p.grad = np.zeros_like(p.data)
    loss.backward()
    for p in (W1, b1, W2, b2):
        p.data = p.data - 0.1 * p.grad
    if k % 50 == 0:
        print(k, float(loss.data))
