import numpy as np

np.random.seed(14)

# linear SVM, several classes, Weston-Watkins hinge, columns of W are classes
n, d, k = 120, 6, 3
centers = np.random.randn(k, d) * 1.5
labels = np.arange(n) % k
data = centers[labels] + np.random.randn(n, d)
data = np.hstack([data, np.ones((n, 1))])

W = np.random.randn(d + 1, k) * 1e-2
C = 1e-3
eta = 0.05

for it in range(300):
    scores = data.dot(W)
    correct = scores[np.arange(n), labels][:, np.newaxis]
    margins = np.maximum(0, scores - correct + 1.0)
    margins[np.arange(n), labels] = 0
    loss = margins.sum() / n + C * (W * W).sum()

    mask = (margins > 0).astype(float)
    mask[np.arange(n), labels] = -mask.sum(axis=1)
    dW = data.T.dot(mask) / n + 2 * C * W
    W -= eta * dW
    if it % 50 == 0:
        acc = np.mean(data.dot(W).argmax(axis=1) == labels)
        print('it %3d  loss %.4f  acc %.3f' % (it, loss, acc))
