import numpy as np

np.random.seed(31)


class MLP:
    def __init__(self, sizes):
        self.sizes = sizes
        self.weights = [np.random.normal(0, np.sqrt(1.0 / n), (n, k)).astype(np.float32)
                        for n, k in zip(sizes, sizes[1:])]
        self.biases = [np.zeros(k, dtype=np.float32) for k in sizes[1:]]

    def forward(self, x):
        self.activations = [x]
        for i, (W, b) in enumerate(zip(self.weights, self.biases)):
            x = x @ W + b
            if i < len(self.weights) - 1:
                x = np.tanh(x)
            self.activations.append(x)
        return x

    def backward(self, y, lr):
        """mean squared error, batch of rows"""
        delta = (self.activations[-1] - y) / np.float32(len(y))
        grads_w, grads_b = [], []
        for l in range(1, len(self.weights) + 1):
            grads_w.insert(0, self.activations[-l - 1].T @ delta)
            grads_b.insert(0, delta.sum(axis=0))
            if l < len(self.weights):
                delta = (delta @ self.weights[-l].T) * (1 - self.activations[-l - 1] ** 2)
        for i in range(len(self.weights)):
            self.weights[i] -= np.float32(lr) * grads_w[i]
            self.biases[i] -= np.float32(lr) * grads_b[i]


# predict the next value of a noisy wave from the last six
wave = np.sin(np.arange(160) / 4.0) + 0.05 * np.random.randn(160)
X = np.stack([wave[i:i + 6] for i in range(150)]).astype(np.float32)
Y = np.stack([wave[i + 6:i + 7] for i in range(150)]).astype(np.float32)

mlp = MLP([6, 6, 6, 1])
for epoch in range(800):
    out = mlp.forward(X)
    mse = float(np.mean((out - Y) ** 2))
    mlp.backward(Y, 0.1)
    if epoch % 100 == 0:
        print("epoch", epoch, "mse", mse)
