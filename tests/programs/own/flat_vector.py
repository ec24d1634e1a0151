"""All weights in one vector theta, as in the octave exercises of the course."""
import numpy as np

np.random.seed(1)

IN, HID, OUT = 3, 5, 2
LAMBDA = 1e-3


def pack(A, B):
    return np.concatenate((A.ravel(), B.ravel()))


def unpack(theta):
    cut = HID * (IN + 1)
    return theta[:cut].reshape(HID, IN + 1), theta[cut:].reshape(OUT, HID + 1)


def g(z):
    return 1.0 / (1.0 + np.exp(-z))


def costFunction(theta, X, Y):
    Theta1, Theta2 = unpack(theta)
    m = len(X)
    a1 = np.c_[np.ones(m), X]
    z2 = a1.dot(Theta1.T)
    a2 = np.c_[np.ones(m), g(z2)]
    a3 = g(a2.dot(Theta2.T))
    J = np.sum(-Y * np.log(a3) - (1 - Y) * np.log(1 - a3)) / m
    # the bias columns are not regularised
    J += LAMBDA / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - Y
    d2 = d3.dot(Theta2[:, 1:]) * g(z2) * (1 - g(z2))
    grad1 = d2.T.dot(a1) / m
    grad2 = d3.T.dot(a2) / m
    grad1[:, 1:] += LAMBDA / m * Theta1[:, 1:]
    grad2[:, 1:] += LAMBDA / m * Theta2[:, 1:]
    return J, pack(grad1, grad2)


X = np.random.rand(100, IN)
Y = np.c_[X[:, 0] > X[:, 1], X[:, 1] + X[:, 2] > 1].astype(float)

theta = np.random.uniform(-0.6, 0.6, HID * (IN + 1) + OUT * (HID + 1))
history = []
for it in range(3000):
    J, grad = costFunction(theta, X, Y)
    theta = theta - 2.0 * grad
    history.append(J)
    if it % 500 == 0:
        print('Iteration', it, '| Cost', round(J, 6))

T1, T2 = unpack(theta)
pred = g(np.c_[np.ones(100), g(np.c_[np.ones(100), X].dot(T1.T))].dot(T2.T))
print('Accuracy:', np.mean((pred > 0.5) == Y))
