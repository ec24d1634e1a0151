import numpy as np
from scipy.optimize import minimize

np.random.seed(0)

# two spirals
n = 60
t = np.sqrt(np.random.rand(n)) * 2 * np.pi
spiral = np.c_[np.cos(t) * t, np.sin(t) * t] / 6
data = np.r_[spiral, -spiral] + 0.02 * np.random.randn(2 * n, 2)
target = np.r_[np.zeros(n), np.ones(n)]

sizes = [2, 10, 1]
shapes = [(sizes[0], sizes[1]), (sizes[1],), (sizes[1], sizes[2]), (sizes[2],)]


def unroll(vec):
    arrays, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        arrays.append(vec[start:start + size].reshape(shape))
        start += size
    return arrays


def objective(vec):
    W1, b1, W2, b2 = unroll(vec)
    hidden = np.tanh(data @ W1 + b1)
    out = 1 / (1 + np.exp(-(hidden @ W2 + b2)[:, 0]))
    eps = 1e-9
    loss = -np.mean(target * np.log(out + eps) + (1 - target) * np.log(1 - out + eps))
    dout = (out - target)[:, None] / len(target)
    dW2 = hidden.T @ dout
    db2 = dout.sum(axis=0)
    dhidden = dout @ W2.T * (1 - hidden ** 2)
    dW1 = data.T @ dhidden
    db1 = dhidden.sum(axis=0)
    return loss, np.concatenate([dW1.T.ravel(), db1, dW2.ravel(), db2])


start = np.random.randn(sum(int(np.prod(s)) for s in shapes)) * 0.5
result = minimize(objective, start, jac=True, method='L-BFGS-B', options={'maxiter': 300})
print(result.message)
print('loss %.5f -> %.5f' % (objective(start)[0], result.fun))
