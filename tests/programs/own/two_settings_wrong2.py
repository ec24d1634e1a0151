import numpy as np


def logistic(x):
    return 1 / (1 + np.exp(-x))


def fit(X, y, hidden, rate, epochs, seed):
    rs = np.random.RandomState(seed)
    Wh = rs.normal(0, 1, (X.shape[1], hidden))
    bh = np.zeros(hidden)
    Wo = rs.normal(0, 1, (hidden, 1))
    bo = np.zeros(1)
    errors = []
    for epoch in range(epochs):
        h = logistic(X @ Wh) + bh
        o = logistic(h @ Wo + bo)
        errors.append(np.mean((y - o) ** 2))
        grad_o = (y - o) * o * (1 - o)
        grad_h = grad_o @ Wo.T * h * (1 - h)
        Wo += rate * h.T @ grad_o
        bo += rate * grad_o.sum(axis=0)
        Wh += rate * X.T @ grad_h
        bh += rate * grad_h.sum(axis=0)
    return Wh, bh, Wo, bo, errors


# parity of three bits
bits = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=float)
parity = (bits.sum(axis=1, keepdims=True) % 2)

small = fit(bits, parity, hidden=4, rate=0.5, epochs=2500, seed=3)
large = fit(bits, parity, hidden=12, rate=0.9, epochs=1500, seed=3)
best = min((small, large), key=lambda r: r[-1][-1])
Wh, bh, Wo, bo, errors = best
assert len(errors) > 0
