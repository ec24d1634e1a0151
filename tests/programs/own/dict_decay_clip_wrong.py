import numpy as np
np.random.seed(11)

# --- settings -------------------------------------------------
net = dict(n_x=4, n_h1=6, n_h2=6, n_y=1)
alpha = 0.1       # learning rate
lam = 0.01        # L2
max_norm = 1.0    # clipping
steps = 2000

# --- data: columns are samples --------------------------------
X = np.random.randn(net['n_x'], 90)
Y = np.tanh(X[0:1] - X[1:2] * X[2:3]) + 0.1 * X[3:4]
m = X.shape[1]

def init(n):
    return {
        'W1': np.random.randn(n['n_h1'], n['n_x']) * 0.5, 'b1': np.zeros((n['n_h1'], 1)),
        'W2': np.random.randn(n['n_h2'], n['n_h1']) * 0.5, 'b2': np.zeros((n['n_h2'], 1)),
        'W3': np.random.randn(n['n_y'], n['n_h2']) * 0.5, 'b3': np.zeros((n['n_y'], 1)),
    }

def forward(P, X):
    A1 = np.tanh(P['W1'] @ X + P['b1'])
    A2 = np.tanh(P['W2'] @ A1 + P['b2'])
    return A1, A2, P['W3'] @ A2 + P['b3']

def cost(P, out, Y):
    penalty = sum(np.sum(P[k] ** 2) for k in ('W1', 'W2', 'W3'))
    return np.sum((out - Y) ** 2) / (2 * m) + lam / 2 * penalty

def backward(P, X, Y, A1, A2, out):
    G = {}
    d3 = (out - Y) / m
    G['W3'] = d3 @ A2.T + lam * P['W3']
    G['b3'] = np.sum(d3, axis=1, keepdims=True)
    d2 = P['W3'].T @ d3 * (1 - A2 ** 2)
    G['W2'] = d2 @ A2.T + lam * P['W2']
    G['b2'] = np.sum(d2, axis=1, keepdims=True)
    d1 = P['W2'].T @ d2 * (1 - A1 ** 2)
    G['W1'] = d1 @ X.T + lam * P['W1']
    G['b1'] = np.sum(d1, axis=1, keepdims=True)
    return G

def clip(G):
    norm = np.sqrt(sum(np.sum(g ** 2) for g in G.values()))
    if norm > max_norm:
        for k in G:
            G[k] = G[k] * (max_norm / norm)
    return G

P = init(net)
for i in range(steps):
    A1, A2, out = forward(P, X)
    c = cost(P, out, Y)
    G = clip(backward(P, X, Y, A1, A2, out))
    for k in P:
        P[k] = P[k] - alpha * G[k]
    if i % 200 == 0:
        print('step %4d cost %.5f' % (i, c))
print('mse without penalty: %.5f' % np.mean((forward(P, X)[2] - Y) ** 2))
