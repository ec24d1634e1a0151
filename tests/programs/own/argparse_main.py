#!/usr/bin/env python3
"""Learn the majority of two inputs and a bias with a tiny network, sample by sample.

usage: argparse_main.py [--epochs N] [--eta X] [--seed K]
"""
import argparse
import numpy as np


def parse():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=400)
    ap.add_argument("--eta", type=float, default=0.3)
    ap.add_argument("--seed", type=int, default=0)
    return ap.parse_args()


def sig(v):
    return 1.0 / (1.0 + np.exp(-v))


def train(x, t, w_hid, w_out, eta):
    """one sample; w_hid has one row per hidden unit"""
    net_hid = np.dot(w_hid, x)
    hid = np.tanh(net_hid)
    out = sig(np.dot(w_out, hid))
    err = out - t
    delta_out = err * out * (1 - out)
    delta_hid = w_out * delta_out * (1 - hid ** 2)
    w_out -= eta * delta_out * hid
    w_hid -= eta * np.outer(delta_hid, x)
    return 0.5 * err ** 2


def main():
    args = parse()
    np.random.seed(args.seed)
    # the third column is the bias
    xs = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=float)
    ts = np.array([0, 1, 1, 1], dtype=float)
    w_hid = np.random.randn(3, 3)
    w_out = np.random.randn(3)
    for epoch in range(args.epochs):
        total = 0
        for i in np.random.permutation(len(xs)):
            total += train(xs[i], ts[i], w_hid, w_out, args.eta)
        if epoch % 50 == 0:
            print("epoch", epoch, "squared error", total)
    print("done", total)


if __name__ == "__main__":
    main()
