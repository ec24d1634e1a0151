import numpy as np

rng = np.random.default_rng(12)


class Adam:
    """Kingma & Ba, 2015, with bias correction"""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.t = 0
        self.m, self.v = {}, {}

    def step(self, params, grads):
        self.t += 1
        for name in params:
            if name not in self.m:
                self.m[name] = np.zeros_like(params[name])
                self.v[name] = np.zeros_like(params[name])
            g = grads[name]
            self.m[name] = self.beta1 * self.m[name] + (1 - self.beta1) * g
            self.v[name] = self.beta2 * self.v[name] + (1 - self.beta2) * g * g
            m_hat = self.m[name] / (1 - self.beta1 ** self.t)
            v_hat = self.v[name] / (1 - self.beta2 ** self.t)
            params[name] = params[name] - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


class Regressor:
    """y = f(x) with one hidden layer of tanh units"""

    def __init__(self, n_hidden):
        self.params = {
            "W1": rng.normal(0, 1.0, (1, n_hidden)),
            "b1": rng.normal(0, 1.0, n_hidden),
            "W2": rng.normal(0, 1 / np.sqrt(n_hidden), (n_hidden, 1)),
            "b2": np.zeros(1),
        }

    def forward(self, x):
        p = self.params
        self.x = x
        self.z1 = x @ p["W1"] + p["b1"]
        self.a1 = np.tanh(self.z1)
        return self.a1 @ p["W2"] + p["b2"]

    def backward(self, dout):
        p = self.params
        grads = {}
        grads["W2"] = self.a1.T @ dout
        grads["b2"] = dout.sum(axis=0)
        da1 = dout @ p["W2"].T
        dz1 = da1 * (1 - self.a1 ** 2)
        grads["W1"] = self.x.T @ dz1
        grads["b1"] = dz1.sum(axis=0)
        return grads


x = np.linspace(-3, 3, 64).reshape(-1, 1)
y = np.sin(2 * x) + 0.3 * x

model = Regressor(16)
optimizer = Adam(lr=0.02)
for epoch in range(1500):
    out = model.forward(x)
    loss = np.mean((out - y) ** 2)
    grads = model.backward(2 * (out - y) / len(x))
    optimizer.step(model.params, grads)
    if epoch % 250 == 0:
        print(f"epoch {epoch:4d}  mse {loss:.5f}")
print(f"final mse {loss:.5f}")
