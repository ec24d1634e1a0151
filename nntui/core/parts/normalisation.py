"""Layer normalisation: each sample's activations, centred and scaled over the layer's units.

Ba, Kiros and Hinton 2016, without their gain and bias: ``h = (a - mean) / sqrt(var + EPSILON)``.
"""

import numpy as np

from nntui.core.tape import Array, Tape

EPSILON = 1e-5


class LayerNormalisation:
    """Records the normalisation of ``a`` (units, samples) into ``h``, and its gradient.

    ``spread``, of shape (1, samples), will hold ``sqrt(var + EPSILON)``.
    """

    def __init__(self, a: Array, h: Array, spread: Array) -> None:
        self.a, self.h = a, h
        self.spread = spread
        self.scratch = np.empty_like(a)

    def _mean(self, tape: Tape, values: Array, out: Array) -> None:
        tape.add(np.add.reduce, values, 0, None, out, True)
        tape.add(np.divide, out, values.shape[0], out)

    def forward(self, tape: Tape) -> None:
        """Record ``h`` from ``a``."""
        mean = np.empty_like(self.spread)
        self._mean(tape, self.a, mean)
        tape.add(np.subtract, self.a, mean, self.h)
        tape.add(np.multiply, self.h, self.h, self.scratch)
        self._mean(tape, self.scratch, self.spread)
        tape.add(np.add, self.spread, EPSILON, self.spread)
        tape.add(np.sqrt, self.spread, self.spread)
        tape.add(np.divide, self.h, self.spread, self.h)

    def backward(self, tape: Tape, upstream: Array, out: Array) -> None:
        """Record ``out = dL/da`` from ``upstream = dL/dh``; the two may be one array.

        ``dL/da = (u - mean(u) - h*mean(u*h)) / sqrt(var + EPSILON)``, means over the units.
        """
        mean, projection = np.empty_like(self.spread), np.empty_like(self.spread)
        self._mean(tape, upstream, mean)
        tape.add(np.multiply, upstream, self.h, self.scratch)
        self._mean(tape, self.scratch, projection)
        tape.add(np.multiply, self.h, projection, self.scratch)
        tape.add(np.subtract, upstream, mean, out)
        tape.add(np.subtract, out, self.scratch, out)
        tape.add(np.divide, out, self.spread, out)
