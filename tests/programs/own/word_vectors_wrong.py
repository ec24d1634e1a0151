import numpy as np

np.random.seed(10)

sentences = """the king rules the land
the queen rules the land
the dog eats the bone
the cat eats the fish
the king and the queen
the dog and the cat""".split('\n')

tokens = [s.split() for s in sentences]
vocab = sorted({w for s in tokens for w in s})
ids = {w: i for i, w in enumerate(vocab)}
dim, window, negatives = 8, 2, 3

# context words around each centre word
pairs = []
for s in tokens:
    for i, w in enumerate(s):
        ctx = [ids[c] for c in s[max(0, i - window):i] + s[i + 1:i + 1 + window]]
        pairs.append((ctx, ids[w]))

E = np.random.uniform(-0.5, 0.5, (len(vocab), dim))
U = np.random.uniform(-0.5, 0.5, (dim, len(vocab)))


def cbow(ctx, word):
    h = E[ctx].mean(axis=0)
    s = h @ U
    p = np.exp(s - s.max())
    p = p / p.sum()
    return h, p, -np.log(p[word])


rate = 0.2
for epoch in range(150):
    total = 0
    for ctx, word in pairs:
        h, p, loss = cbow(ctx, word)
        total += loss
        d = p.copy()
        d[word] -= 1
        dU = np.outer(h, d)
        dh = U @ d
        U -= rate * dU
        # a word can stand twice in one context
        E[ctx] -= rate * dh / len(ctx)
    if epoch % 30 == 0:
        print(epoch, total / len(pairs))
