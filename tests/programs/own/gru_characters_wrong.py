"""Character-level GRU, one update per chunk of text, Adagrad."""
import numpy as np

text = "the cat sat on the mat and the rat sat on the cat. " * 12
chars = sorted(set(text))
index = {c: i for i, c in enumerate(chars)}
V, H, T, lr = len(chars), 16, 8, 0.1

np.random.seed(2)


def rand(*shape):
    return np.random.randn(*shape) * 0.2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class GRU:
    def __init__(self):
        self.p = {'Wz': rand(H, V), 'Uz': rand(H, H), 'bz': np.zeros(H),
                  'Wr': rand(H, V), 'Ur': rand(H, H), 'br': np.zeros(H),
                  'Wh': rand(H, V), 'Uh': rand(H, H), 'bh': np.zeros(H),
                  'Wy': rand(V, H), 'by': np.zeros(V)}
        self.mem = {k: np.zeros_like(a) for k, a in self.p.items()}

    def loss(self, xs, ys, h):
        p, tape, total = self.p, [], 0
        for x, y in zip(xs, ys):
            e = np.zeros(V)
            e[x] = 1
            z = sigmoid(p['Wz'] @ e + p['Uz'] @ h + p['bz'])
            r = sigmoid(p['Wr'] @ e + p['Ur'] @ h + p['br'])
            c = np.tanh(p['Wh'] @ e + p['Uh'] @ (r * h) + p['bh'])
            h_new = (1 - z) * h + z * c
            s = p['Wy'] @ h_new + p['by']
            prob = np.exp(s - s.max())
            prob /= prob.sum()
            total -= np.log(prob[y])
            tape.append((e, y, h, z, r, c, h_new, prob))
            h = h_new

        g = {k: np.zeros_like(a) for k, a in p.items()}
        dh_next = np.zeros(H)
        for e, y, h_old, z, r, c, h_new, prob in reversed(tape):
            ds = prob.copy()
            ds[y] -= 1
            g['Wy'] += np.outer(ds, h_new)
            g['by'] += ds
            dh = p['Wy'].T @ ds + dh_next
            dc = dh * z * (1 - c ** 2)
            dz = dh * (c - h_old) * z * (1 - z)
            drh = p['Uh'].T @ dc
            dr = drh * h_old * r * (1 - r)
            for d, gate, inner in ((dz, 'z', h_old), (dr, 'r', h_old), (dc, 'h', r * h_old)):
                g['W' + gate] += np.outer(d, e)
                g['U' + gate] += np.outer(d, inner)
                g['b' + gate] += d
            dh_next = dh * (1 - z) + drh + p['Uz'].T @ dz + p['Ur'].T @ dr
        return total, g, h


model = GRU()
pos, h = 0, np.zeros(H)
for it in range(400):
    if pos + T + 1 > len(text):
        pos, h = 0, np.zeros(H)
    xs = [index[c] for c in text[pos:pos + T]]
    ys = [index[c] for c in text[pos + 1:pos + T + 1]]
    total, g, h = model.loss(xs, ys, h)
    for k in model.p:
        model.mem[k] += g[k] ** 2
        model.p[k] -= lr * g[k] / np.sqrt(model.mem[k] + 1e-8)
    if it % 50 == 0:
        print(it, 'loss per character', total / T)
    pos += T
