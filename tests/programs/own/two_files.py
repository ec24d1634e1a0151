import numpy as np
from two_files_layers import Dense, Elu

rng = np.random.default_rng(17)
x = rng.uniform(-2, 2, (100, 3))
y = np.column_stack((x[:, 0] * x[:, 1], np.abs(x[:, 2])))

layers = [Dense(3, 20, rng), Elu(), Dense(20, 10, rng), Elu(), Dense(10, 2, rng)]
rate = 0.05

for epoch in range(1000):
    out = x
    for layer in layers:
        out = layer.forward(out)
    loss = np.square(out - y).mean()
    grad = 2 * (out - y) / y.size
    for layer in reversed(layers):
        grad = layer.backward(grad)
    for layer in layers:
        layer.apply(rate)
    if epoch % 100 == 0:
        print(f'{epoch} {loss:.6f}')
