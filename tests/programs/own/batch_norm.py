import numpy as np

np.random.seed(8)


class BatchNorm:
    def __init__(self, dim, eps=1e-5):
        self.gamma = np.ones(dim)
        self.beta = np.zeros(dim)
        self.eps = eps

    def forward(self, x):
        self.mu = x.mean(axis=0)
        self.std = np.sqrt(x.var(axis=0) + self.eps)
        self.xhat = (x - self.mu) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        N = dout.shape[0]
        self.dgamma = (dout * self.xhat).sum(axis=0)
        self.dbeta = dout.sum(axis=0)
        dxhat = dout * self.gamma
        dx = (N * dxhat - dxhat.sum(axis=0) - self.xhat * (dxhat * self.xhat).sum(axis=0)) / (N * self.std)
        return dx


class Affine:
    def __init__(self, d_in, d_out):
        self.W = np.random.randn(d_in, d_out) / np.sqrt(d_in)
        self.b = np.zeros(d_out)

    def forward(self, x):
        self.x = x
        return x.dot(self.W) + self.b

    def backward(self, dout):
        self.dW = self.x.T.dot(dout)
        self.db = dout.sum(axis=0)
        return dout.dot(self.W.T)


# a table with columns of very different size
X = np.random.randn(60, 4) * [1, 10, 0.1, 3]
y = (X[:, 0] + X[:, 1] / 10 * X[:, 3] / 3 > 0).astype(int)

fc1, bn, fc2 = Affine(4, 10), BatchNorm(10), Affine(10, 2)
lr = 0.2
for epoch in range(400):
    out = bn.forward(fc1.forward(X))
    act = np.maximum(out, 0)
    scores = fc2.forward(act)
    scores = scores - scores.max(axis=1, keepdims=True)
    logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(len(y)), y].mean()

    dscores = np.exp(logp)
    dscores[np.arange(len(y)), y] -= 1
    dscores /= len(y)
    dact = fc2.backward(dscores)
    dact[out <= 0] = 0
    fc1.backward(bn.backward(dact))

    for layer in (fc1, fc2):
        layer.W -= lr * layer.dW
        layer.b -= lr * layer.db
    bn.gamma -= lr * bn.dgamma
    bn.beta -= lr * bn.dbeta
    if epoch % 50 == 0:
        print('epoch %d loss %.4f acc %.3f' % (epoch, loss, np.mean(scores.argmax(1) == y)))
