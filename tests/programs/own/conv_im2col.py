import numpy as np

np.random.seed(6)

SIZE, K, FILTERS = 6, 3, 4
OUT = SIZE - K + 1


def bars(n):
    """little images with a horizontal or a vertical bar"""
    imgs = 0.1 * np.random.randn(n, SIZE, SIZE)
    lab = np.random.randint(0, 2, n)
    for img, l in zip(imgs, lab):
        k = np.random.randint(SIZE)
        if l:
            img[k, :] += 1
        else:
            img[:, k] += 1
    return imgs, lab


def im2col(imgs):
    cols = np.zeros((len(imgs), OUT * OUT, K * K))
    for r in range(OUT):
        for c in range(OUT):
            cols[:, r * OUT + c] = imgs[:, r:r + K, c:c + K].reshape(len(imgs), -1)
    return cols


def forward(cols, par):
    filters, fbias, dense, dbias = par
    conv = cols @ filters + fbias
    relu = np.maximum(conv, 0)
    flat = relu.reshape(len(cols), -1)
    logits = flat @ dense + dbias
    e = np.exp(logits - logits.max(1, keepdims=True))
    return conv, flat, e / e.sum(1, keepdims=True)


imgs, lab = bars(80)
onehot = np.eye(2)[lab]
cols = im2col(imgs)
filters = np.random.randn(K * K, FILTERS) * 0.3
fbias = np.zeros(FILTERS)
dense = np.random.randn(OUT * OUT * FILTERS, 2) * 0.1
dbias = np.zeros(2)

lr = 0.1
for epoch in range(60):
    conv, flat, prob = forward(cols, (filters, fbias, dense, dbias))
    loss = -np.mean(np.log(np.sum(prob * onehot, axis=1)))
    # backward pass
    dlogits = (prob - onehot) / len(lab)
    ddense = flat.T @ dlogits
    dflat = dlogits @ dense.T
    dconv = dflat.reshape(conv.shape) * (conv > 0)
    dfilters = np.tensordot(cols, dconv, axes=([0, 1], [0, 1]))
    # step
    filters -= lr * dfilters
    fbias -= lr * dconv.sum(axis=(0, 1))
    dense -= lr * ddense
    dbias -= lr * dlogits.sum(axis=0)
    if epoch % 10 == 0:
        print(epoch, 'loss', loss, 'accuracy', (prob.argmax(1) == lab).mean())
