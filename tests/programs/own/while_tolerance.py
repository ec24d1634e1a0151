import numpy as np

# NAND, OR and XOR at once, three outputs. Columns are samples.
P = np.array([[-1., -1., 1., 1.],
              [-1., 1., -1., 1.]])
T = np.array([[1., 1., 1., -1.],
              [-1., 1., 1., 1.],
              [-1., 1., 1., -1.]])
np.random.seed(20)

S1 = 4
W1 = np.random.rand(S1, 2) * 2 - 1
B1 = np.random.rand(S1, 1) * 2 - 1
W2 = np.random.rand(3, S1) * 2 - 1
B2 = np.random.rand(3, 1) * 2 - 1
lr = 0.05
tol = 0.02
mse = 1.0
passes = 0
ones = np.ones((1, 4))

while mse > tol and passes < 20000:
    N1 = W1.dot(P) + B1.dot(ones)
    A1 = np.tanh(N1)
    N2 = W2.dot(A1) + B2.dot(ones)
    A2 = np.tanh(N2)
    E = T - A2
    # sensitivities
    D2 = E * (1.0 - A2 * A2)
    D1 = W2.T.dot(D2) * (1.0 - np.tanh(N1) ** 2)
    W2 = W2 + lr * D2.dot(A1.T)
    B2 = B2 + lr * D2.dot(ones.T)
    W1 = W1 + lr * D1.dot(P.T)
    B1 = B1 + lr * D1.dot(ones.T)
    mse = (E ** 2).sum() / E.size
    passes += 1

print("passes", passes, "mse", mse)
print(A2.round(2))
