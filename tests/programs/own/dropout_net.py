import numpy as np

rng = np.random.RandomState(42)


def sample(n):
    x = rng.randn(n, 10)
    return x, (x[:, :3].sum(axis=1) > 0).astype(float).reshape(-1, 1)


class DropoutNet:
    def __init__(self, keep=0.8):
        self.keep = keep
        self.weights_in = 0.3 * rng.randn(10, 20)
        self.bias_in = np.zeros((1, 20))
        self.weights_out = 0.3 * rng.randn(20, 1)
        self.bias_out = np.zeros((1, 1))

    def forward(self, x, training=True):
        self.x = x
        self.pre = x @ self.weights_in + self.bias_in
        self.hidden = np.where(self.pre > 0, self.pre, 0.1 * self.pre)
        if training:
            # inverted dropout, nothing to rescale when testing
            self.mask = (rng.rand(*self.hidden.shape) < self.keep) / self.keep
            self.hidden = self.hidden * self.mask
        return 1 / (1 + np.exp(-(self.hidden @ self.weights_out + self.bias_out)))

    def backward(self, y_hat, y, rate):
        n = y.shape[0]
        delta_out = (y_hat - y) / n
        delta_hidden = delta_out @ self.weights_out.T
        delta_hidden = delta_hidden * self.mask
        delta_pre = delta_hidden * np.where(self.pre > 0, 1, 0.1)
        self.weights_out -= rate * self.hidden.T @ delta_out
        self.bias_out -= rate * delta_out.sum(axis=0, keepdims=True)
        self.weights_in -= rate * self.x.T @ delta_pre
        self.bias_in -= rate * delta_pre.sum(axis=0, keepdims=True)


x_train, y_train = sample(200)
x_test, y_test = sample(100)
net = DropoutNet()
for epoch in range(30):
    for i in range(0, len(x_train), 20):
        xb, yb = x_train[i:i + 20], y_train[i:i + 20]
        net.backward(net.forward(xb), yb, rate=0.5)
    p = net.forward(x_test, training=False)
    print(epoch, 'test accuracy', np.mean((p > 0.5) == y_test))
