# XOR with numpy matrices, so that * is the matrix product
import numpy as np

np.random.seed(7)

X = np.matrix('0 0; 0 1; 1 0; 1 1')
Y = np.matrix('0; 1; 1; 0')
nHidden = 6


class Net(object):
    """Two layers. All numbers are np.matrix, never np.array."""

    def __init__(self, nIn, nHid, nOut):
        self.V = np.asmatrix(np.random.uniform(-1, 1, (nIn + 1, nHid)))
        self.W = np.asmatrix(np.random.uniform(-1, 1, (nHid + 1, nOut)))

    def addBias(self, M):
        return np.hstack((M, np.ones((M.shape[0], 1))))

    def act(self, M):
        return np.tanh(M)

    def go(self, M):
        self.in1 = self.addBias(M)
        self.hid = self.act(self.in1 * self.V)
        self.in2 = self.addBias(self.hid)
        self.out = self.act(self.in2 * self.W)
        return self.out

    def learn(self, M, T, eta):
        O = self.go(M)
        E = O - T
        D2 = np.multiply(E, 1 - np.power(O, 2))
        # the last row of W belongs to the bias, nothing goes back through it
        back = D2 * self.W[:-1, :].T
        D1 = back
        self.W = self.W - eta * self.in2.T * D2
        self.V = self.V - eta * self.in1.T * D1
        return float((np.multiply(E, E)).sum() / 2)


net = Net(2, nHidden, 1)
for sweep in range(3000):
    err = net.learn(X, Y, 0.1)
    if sweep % 500 == 0:
        print('sweep %5d   error %.6f' % (sweep, err))
print(np.round(net.go(X).T, 2))
