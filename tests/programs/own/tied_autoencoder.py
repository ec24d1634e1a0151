import numpy as np

np.random.seed(13)


class TiedAutoencoder:
    """The decoder is the transposed encoder."""

    def __init__(self, n_visible, n_hidden):
        self.W = np.random.uniform(-.3, .3, size=(n_visible, n_hidden))
        self.bhid = np.zeros(n_hidden)
        self.bvis = np.zeros(n_visible)

    def encode(self, x):
        return 1 / (1 + np.exp(-(np.dot(x, self.W) + self.bhid)))

    def decode(self, h):
        return 1 / (1 + np.exp(-(np.dot(h, self.W.T) + self.bvis)))

    def train_step(self, x, lr):
        h = self.encode(x)
        r = self.decode(h)
        cost = -np.mean(np.sum(x * np.log(r) + (1 - x) * np.log(1 - r), axis=1))
        L_vbias = r - x
        L_hbias = np.dot(L_vbias, self.W) * h * (1 - h)
        # W is used twice, so its gradient has two parts
        L_W = np.dot(x.T, L_hbias) + np.dot(L_vbias.T, h)
        self.W -= lr * L_W / len(x)
        self.bhid -= lr * L_hbias.mean(axis=0)
        self.bvis -= lr * L_vbias.mean(axis=0)
        return cost


patterns = (np.random.rand(4, 12) > .5).astype(float)
x = patterns[np.random.randint(0, 4, 60)]
flip = np.random.rand(*x.shape) < .05
x = np.abs(x - flip)

da = TiedAutoencoder(12, 3)
for epoch in range(600):
    c = da.train_step(x, lr=0.5)
    if epoch % 100 == 0:
        print('Training epoch %d, cost %s' % (epoch, c))
