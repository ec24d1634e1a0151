"""Layer normalisation: each sample's activations, centred and scaled over the layer's units.

Ba, Kiros and Hinton 2016, without their gain and bias: ``h = (a - mean) / sqrt(var + EPSILON)``.
"""

import numpy as np

from nntui.core.formulas.evaluation import Values, evaluate
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.recording import record
from nntui.core.tape import Array, Tape

EPSILON = 1e-5
MEAN = formula("mean(a)")
SPREAD = formula("sqrt(mean((a - mean)^2) + epsilon)").bound({"epsilon": EPSILON})
NORMALISED = formula("(a - mean)/spread")
MEAN_OF_U, ALONG_H = formula("mean(u)"), formula("mean(u*h)")
THROUGH = formula("(u - mean(u) - h*mean(u*h))/spread")
"""dL/da, from ``u`` = dL/dh, and the means in it."""


class LayerNormalisation:
    """Records the normalisation of ``a`` (units, samples) into ``h``, and its gradient.

    ``spread``, of shape (1, samples), will hold ``sqrt(var + EPSILON)``.
    """

    def __init__(self, a: Array, h: Array, spread: Array) -> None:
        self._values = {"a": a, "h": h, "spread": spread, "mean": np.empty_like(spread)}

    def forward(self, tape: Tape) -> None:
        """Record ``h`` from ``a``."""
        for name, expression in (("mean", MEAN), ("spread", SPREAD), ("h", NORMALISED)):
            record(tape, expression, self._values, self._values[name])

    def backward(self, tape: Tape, upstream: Array, out: Array) -> None:
        """Record ``out = dL/da`` from ``upstream = dL/dh``; the two may be one array."""
        record(tape, THROUGH, {**self._values, "u": upstream}, out)


def normalised(a: Values, axis: int = 0) -> Values:
    """``a`` normalised, real or complex; units stand on ``axis``."""
    values = {"a": a, "mean": evaluate(MEAN, {"a": a}, axis)}
    values["spread"] = evaluate(SPREAD, values, axis)
    return evaluate(NORMALISED, values, axis)
