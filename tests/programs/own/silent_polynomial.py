import numpy as np

# fit a cubic; the picture is drawn elsewhere, nothing is printed
rng = np.random.default_rng(21)
x = rng.uniform(-1, 1, size=40)
y = 1.0 - 2.0 * x + 0.5 * x ** 3 + 0.05 * rng.normal(size=40)

powers = np.vstack([x ** k for k in range(4)]).T
coeff = rng.normal(size=(4, 1))
rate = 0.1

for _ in range(2000):
    fitted = powers @ coeff
    residuals = fitted - y[:, np.newaxis]
    slope = powers.T @ residuals / len(y)
    coeff = coeff - rate * slope

curve = sorted(zip(x, (powers @ coeff).mean(axis=1)))
