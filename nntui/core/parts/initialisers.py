"""Initialisers: how the first weights and biases are drawn.

Draw order, for every initialiser: layer by layer from the input; within a layer first the
weights, row by row (a row is one unit), then the bias.  Zeros draw nothing.  So
``RandomState(seed)`` gives the numbers that a program with ``np.random.seed(seed)`` draws when
it builds its layers in that order.  A new initialiser is one entry of `INITIALISERS`.
"""

from typing import Literal, NamedTuple

import numpy as np

from nntui.core.tape import Array

_FORMULAS = {"zeros": "0", "uniform": "U[0, 1)", "normal": "N(0, 1)", "symmetric": "U(-r, r)"}


class Initialiser(NamedTuple):
    """How one matrix of ``(units out, units in)`` is drawn, before the layer's scale is applied.

    The spread, ``sqrt(gain / fan)``, is the standard deviation of a normal distribution or the
    bound of a symmetric uniform one.
    """

    name: str
    distribution: Literal["zeros", "uniform", "normal", "symmetric"]
    summary: str
    gain: int = 0
    """0 for a spread of 1."""
    fan: Literal["units in", "(units in + units out)"] = "units in"

    @property
    def formula(self) -> str:
        """The distribution as it is shown to people."""
        drawn, spread = _FORMULAS[self.distribution], f"sqrt({self.gain} / {self.fan})"
        if self.distribution == "symmetric":
            return f"{drawn}, r = {spread}"
        return f"{drawn} * {spread}" if self.gain else drawn

    def _fan(self, rows: int, columns: int) -> int:
        return columns if self.fan == "units in" else rows + columns

    def draw(self, random: np.random.RandomState, rows: int, columns: int) -> Array:
        """Draw a matrix of (rows, columns)."""
        spread = np.sqrt(self.gain / self._fan(rows, columns)) if self.gain else 1.0
        match self.distribution:
            case "zeros":
                return np.zeros((rows, columns))
            case "uniform":
                return random.rand(rows, columns)
            case "normal":
                return random.randn(rows, columns) * spread
            case "symmetric":
                return random.uniform(-float(spread), float(spread), (rows, columns))

    def spread_source(self, rows: int, columns: int) -> str:
        """NumPy source of the spread for a matrix of (rows, columns)."""
        return f"np.sqrt({self.gain} / {self._fan(rows, columns)})"

    def source(self, *shape: int) -> str:
        """NumPy source of the same draw; a symmetric one reads its spread from ``bound``.

        A ``shape`` of two numbers is a matrix, of one a vector, and of none a single number.
        """
        axes = ", ".join(map(str, shape))
        sized = f"({axes})" if len(shape) > 1 else axes
        match self.distribution:
            case "zeros":
                return f"np.zeros({sized})"
            case "uniform":
                return f"random.rand({axes})"
            case "normal":
                drawn = f"random.randn({axes})"
                return f"{drawn} * {self.spread_source(*shape)}" if self.gain else drawn
            case "symmetric":
                return f"random.uniform(-bound, bound, {sized})"


INITIALISERS: dict[str, Initialiser] = {
    each.name: each
    for each in (
        Initialiser("normal", "normal", "standard normal, whatever the layer's width"),
        Initialiser("uniform", "uniform", "uniform and never negative: units start out alike"),
        Initialiser(
            "he",
            "normal",
            "keeps the size of ReLU activations from layer to layer (He et al. 2015)",
            gain=2,
        ),
        Initialiser(
            "he-uniform", "symmetric", "the same, drawn uniformly (He et al. 2015)", gain=6
        ),
        Initialiser(
            "xavier",
            "normal",
            "keeps the size of activations and gradients with tanh (Glorot and Bengio 2010)",
            gain=2,
            fan="(units in + units out)",
        ),
        Initialiser(
            "xavier-uniform",
            "symmetric",
            "the same, drawn uniformly (Glorot and Bengio 2010)",
            gain=6,
            fan="(units in + units out)",
        ),
        Initialiser(
            "lecun", "normal", "keeps the size of linear activations (LeCun et al. 1998)", gain=1
        ),
        Initialiser(
            "lecun-uniform", "symmetric", "the same, drawn uniformly (LeCun et al. 1998)", gain=3
        ),
        Initialiser(
            "zeros", "zeros", "draws nothing; as weights it leaves all units of a layer alike"
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
