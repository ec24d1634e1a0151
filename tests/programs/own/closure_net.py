import numpy as np


def make_net(n_in, n_hidden, seed):
    """returns (predict, step); the weights live in the closure"""
    r = np.random.RandomState(seed)
    w1 = r.randn(n_hidden, n_in)
    b1 = r.randn(n_hidden)
    w2 = r.randn(n_hidden)
    b2 = 0.0

    def predict(x):
        return float(w2 @ np.maximum(w1 @ x + b1, 0) + b2)

    def step(x, target, eta):
        nonlocal w1, b1, w2, b2
        z = w1 @ x + b1
        a = np.maximum(z, 0)
        y = w2 @ a + b2
        err = y - target
        dz = err * w2 * (z > 0)
        w2 = w2 - eta * err * a
        b2 = b2 - eta * err
        w1 = w1 - eta * np.outer(dz, x)
        b1 = b1 - eta * dz
        return 0.5 * err ** 2

    return predict, step


def samples():
    for a in np.linspace(-1, 1, 7):
        for b in np.linspace(-1, 1, 7):
            yield np.array([a, b]), abs(a) - abs(b)


predict, step = make_net(2, 12, seed=1)
for sweep in range(150):
    losses = []
    for x, t in samples():
        losses.append(step(x, t, 0.02))
    if sweep % 25 == 0:
        print('sweep', sweep, 'mean loss', sum(losses) / len(losses))
print('f(0.5, -0.25) =', predict(np.array([0.5, -0.25])), 'expected 0.25')
