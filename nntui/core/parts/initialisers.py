"""Initialisers: where the first parameters come from.

Draw order, for every initialiser: layer by layer from the input; within a layer first the
weights, row by row (a row is one unit), then the bias.  What is zero draws nothing.  So
``RandomState(seed)`` gives the numbers that a program with ``np.random.seed(seed)`` draws when
it builds its layers in that order.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nntui.core.tape import Array

Draw = Callable[[np.random.RandomState, int, int], Array]


class Initialiser(NamedTuple):
    """How one matrix of ``(units out, units in)`` is drawn, before the scale is applied."""

    name: str
    formula: str
    summary: str
    draw: Draw


def _symmetric(random: np.random.RandomState, rows: int, columns: int, square: float) -> Array:
    """Uniform between plus and minus the root of ``square``."""
    bound = float(np.sqrt(square))
    return random.uniform(-bound, bound, (rows, columns))


INITIALISERS: dict[str, Initialiser] = {
    each.name: each
    for each in (
        Initialiser(
            "normal",
            "N(0, 1)",
            "standard normal, whatever the layer's width",
            lambda random, rows, columns: random.randn(rows, columns),
        ),
        Initialiser(
            "uniform",
            "U[0, 1)",
            "uniform and never negative: units start out alike",
            lambda random, rows, columns: random.rand(rows, columns),
        ),
        Initialiser(
            "he",
            "N(0, 1) * sqrt(2 / units in)",
            "keeps the size of ReLU activations from layer to layer (He et al. 2015)",
            lambda random, rows, columns: random.randn(rows, columns) * np.sqrt(2 / columns),
        ),
        Initialiser(
            "he-uniform",
            "U(-r, r), r = sqrt(6 / units in)",
            "the same, drawn uniformly (He et al. 2015)",
            lambda random, rows, columns: _symmetric(random, rows, columns, 6 / columns),
        ),
        Initialiser(
            "xavier",
            "N(0, 1) * sqrt(2 / (units in + units out))",
            "keeps the size of activations and gradients with tanh (Glorot and Bengio 2010)",
            lambda random, rows, columns: (
                random.randn(rows, columns) * np.sqrt(2 / (rows + columns))
            ),
        ),
        Initialiser(
            "xavier-uniform",
            "U(-r, r), r = sqrt(6 / (units in + units out))",
            "the same, drawn uniformly (Glorot and Bengio 2010)",
            lambda random, rows, columns: _symmetric(random, rows, columns, 6 / (rows + columns)),
        ),
        Initialiser(
            "lecun",
            "N(0, 1) * sqrt(1 / units in)",
            "keeps the size of linear activations (LeCun et al. 1998)",
            lambda random, rows, columns: random.randn(rows, columns) * np.sqrt(1 / columns),
        ),
        Initialiser(
            "lecun-uniform",
            "U(-r, r), r = sqrt(3 / units in)",
            "the same, drawn uniformly (LeCun et al. 1998)",
            lambda random, rows, columns: _symmetric(random, rows, columns, 3 / columns),
        ),
        Initialiser(
            "zeros",
            "0",
            "draws nothing; as weights it leaves all units of a layer alike",
            lambda random, rows, columns: np.zeros((rows, columns)),
        ),
    )
}

BIAS_INITIALISERS = ("zeros", "normal", "uniform")


def draw_weights(
    random: np.random.RandomState, name: str, scale: float, units: int, inputs: int
) -> Array:
    """Weights ``(units, inputs)``: the named initialiser times ``scale``."""
    return scale * INITIALISERS[name].draw(random, units, inputs)


def draw_bias(
    random: np.random.RandomState, name: str, scale: float, units: int, shared: bool
) -> Array:
    """A bias ``(units, 1)``; with ``shared`` all units start from one and the same draw."""
    drawn = scale * INITIALISERS[name].draw(random, 1 if shared else units, 1)
    return np.array(np.broadcast_to(drawn, (units, 1)))
