import numpy as np


class Perceptron3:
    """three layers, cosine targets, logistic hidden units, plain momentum"""

    def __init__(self, n, rng):
        self.A = rng.standard_normal((n, 1)) * 2
        self.a = rng.standard_normal((n, 1)) * 2
        self.B = rng.standard_normal((n, n)) / np.sqrt(n)
        self.b = np.zeros((n, 1))
        self.C = rng.standard_normal((1, n)) / np.sqrt(n)
        self.c = np.zeros((1, 1))
        self.names = ["A", "a", "B", "b", "C", "c"]
        self.velocity = {k: 0 * getattr(self, k) for k in self.names}

    @staticmethod
    def squash(u):
        return 1 / (1 + np.exp(-u))

    def gradients(self, x, t):
        n = x.shape[1]
        h1 = self.squash(self.A @ x + self.a)
        h2 = self.squash(self.B @ h1 + self.b)
        o = self.C @ h2 + self.c
        e = (o - t) / n
        e2 = self.C.T @ e * h2 * (1 - h2)
        e1 = self.B.T @ e2 * h1 * (1 - h1)
        loss = ((o - t) ** 2).sum() / (2 * n)
        return loss, {"A": e1 @ x.T, "a": e1.sum(1, keepdims=True),
                      "B": e2 @ h1.T, "b": e2.sum(1, keepdims=True),
                      "C": e @ h2.T, "c": e.sum(1, keepdims=True)}

    def move(self, grads, rate, inertia):
        for k in self.names:
            self.velocity[k] = inertia * self.velocity[k] + rate * grads[k]
            setattr(self, k, getattr(self, k) + self.velocity[k])


def training(net, x, t, rate=0.1, inertia=0.95):
    """a generator: one update for each next()"""
    while True:
        loss, grads = net.gradients(x, t)
        net.move(grads, rate, inertia)
        yield loss


rng = np.random.default_rng(9)
x = np.linspace(-1, 1, 41)[None, :]
t = np.cos(3 * x)
run = training(Perceptron3(8, rng), x, t)
for count, loss in zip(range(2500), run):
    if count % 500 == 0:
        print(count, loss)
print("last loss", loss)
