import csv
import os

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(here, "houses.csv")) as f:
    reader = csv.DictReader(f)
    table = [[float(row[k]) for k in ("rooms", "area", "age", "distance", "price")] for row in reader]

table = np.array(table)
features, price = table[:, :-1], table[:, -1]

# standardise
features = (features - features.mean(axis=0)) / features.std(axis=0)
price = (price - price.mean()) / price.std()


class LinReg:
    def __init__(self, n):
        self.coef = np.zeros(n)
        self.intercept = 0.0

    def predict(self, X):
        return X @ self.coef + self.intercept

    def partial_fit(self, X, y, lr, l2):
        residual = self.predict(X) - y
        self.coef -= lr * (X.T @ residual / len(y) + l2 * self.coef)
        self.intercept += lr * residual.mean()


reg = LinReg(features.shape[1])
batch = 10
rng = np.random.default_rng(1)
for epoch in range(50):
    order = rng.permutation(len(price))
    for k in range(0, len(order), batch):
        rows = order[k:k + batch]
        reg.partial_fit(features[rows], price[rows], lr=0.05, l2=0.001)
    mse = np.mean((reg.predict(features) - price) ** 2)
    if epoch % 10 == 0:
        print("epoch", epoch, "MSE", round(mse, 4))
print("coefficients", reg.coef.round(3), "intercept", round(reg.intercept, 3))
