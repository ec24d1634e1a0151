import numpy as np

np.random.seed(0)

# grey values 0..255 of 5x5 pictures of two letters
L = np.array([[1, 0, 0, 0, 0]] * 4 + [[1, 1, 1, 1, 1]])
T = np.array([[1, 1, 1, 1, 1]] + [[0, 0, 1, 0, 0]] * 4)
pics = np.array([a for a in [L, T] for _ in range(20)]).reshape(40, 25) * 255.0
pics = np.clip(pics + 20 * np.random.randn(40, 25), 0, 255)
pics = pics / 255.0
which = np.eye(2)[[0] * 20 + [1] * 20]


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


W = 0.5 * np.random.randn(25, 2)
b = np.zeros(2)
for step in range(200):
    p = softmax(pics @ W + b)
    loss = -np.mean(np.sum(which * np.log(p), axis=1))
    d = (p - which) / len(pics)
    W -= 0.5 * pics.T @ d
    b -= 0.5 * d.sum(axis=0)
    if step % 20 == 0:
        print(step, loss)
