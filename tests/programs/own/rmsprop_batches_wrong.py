import numpy as np

rs = np.random.RandomState(5)

N, D, H, C = 240, 5, 8, 4


def blobs():
    centers = rs.randn(C, D) * 2
    labels = rs.randint(0, C, N)
    return centers[labels] + rs.randn(N, D), labels


def minibatches(X, Y, size):
    order = rs.permutation(len(X))
    for start in range(0, len(X), size):
        pick = order[start:start + size]
        yield X[pick], Y[pick]


def relu(z):
    return z * (z > 0)


X, labels = blobs()
Y = np.zeros((N, C))
Y[np.arange(N), labels] = 1

W0 = rs.randn(D, H) * np.sqrt(2.0 / D)
W1 = rs.randn(H, H) * np.sqrt(2.0 / H)
W2 = rs.randn(H, C) * np.sqrt(2.0 / H)
b0, b1, b2 = np.zeros(H), np.zeros(H), np.zeros(C)
params = [W0, b0, W1, b1, W2, b2]
cache = [np.zeros_like(p) for p in params]
rate, decay = 0.003, 0.9

for epoch in range(40):
    total = 0.0
    for xb, yb in minibatches(X, Y, 24):
        # forward
        z0 = xb @ W0 + b0
        h0 = relu(z0)
        z1 = h0 @ W1 + b1
        h1 = relu(z1)
        s = h1 @ W2 + b2
        s = s - s.max(axis=1, keepdims=True)
        p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
        total += -np.sum(yb * np.log(p + 1e-12))
        # backward
        ds = (p - yb) / len(xb)
        dh1 = ds @ W2.T
        dz1 = dh1 * (z1 > 0)
        dh0 = dz1 @ W1
        dz0 = dh0 * (z0 > 0)
        grads = [xb.T @ dz0, dz0.sum(0), h0.T @ dz1, dz1.sum(0), h1.T @ ds, ds.sum(0)]
        # RMSProp, every array in place
        for q, g, c in zip(params, grads, cache):
            c *= decay
            c += (1 - decay) * g ** 2
            q -= rate * g / (np.sqrt(c) + 1e-7)
    if epoch % 5 == 0:
        print("epoch", epoch, "cross-entropy", total / N)

h = relu(relu(X @ W0 + b0) @ W1 + b1) @ W2 + b2
print("accuracy", np.mean(h.argmax(1) == labels))
