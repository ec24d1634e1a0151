import numpy as np

np.random.seed(3)


def make_data(n=150):
    # points inside a ring get 1
    pts = np.random.uniform(-2, 2, size=(n, 2))
    r = np.sqrt((pts ** 2).sum(1))
    return pts, ((r > 0.7) & (r < 1.6)).astype(float)[:, None]


def sigm(v):
    return 1. / (1. + np.exp(-v))


def loss_and_grads(w, X, T):
    W1, c1, W2, c2 = w
    H = np.tanh(X.dot(W1) + c1)
    P = sigm(H.dot(W2) + c2)
    n = X.shape[0]
    L = -(T * np.log(P) + (1 - T) * np.log(1 - P)).sum() / n
    d2 = (P - T) / n
    gW2 = H.T.dot(d2)
    gc2 = d2.sum(0)
    d1 = d2.dot(W2.T) * (1 - H ** 2)
    gW1 = X.T.dot(d1)
    gc1 = d1.sum(0)
    return L, [gW1, gc1, gW2, gc2]


def train(X, T, hidden=12, eta=0.3, mu=0.9, steps=1200):
    w = [np.random.randn(2, hidden), np.zeros(hidden),
         np.random.randn(hidden, 1) * 0.3, np.zeros(1)]
    v = [np.zeros_like(a) for a in w]
    for k in range(steps):
        # Nesterov: the gradient is taken where the momentum would carry us
        ahead = [a + mu * b for a, b in zip(w, v)]
        L, g = loss_and_grads(ahead, X, T)
        v = [mu * b - eta * d for b, d in zip(v, g)]
        w = [a + b for a, b in zip(w, v)]
        if k % 200 == 0:
            print(k, L)
    return w


X, T = make_data()
w = train(X, T)
P = sigm(np.tanh(X.dot(w[0]) + w[1]).dot(w[2]) + w[3])
print('right:', np.mean((P > .5) == (T > .5)))
