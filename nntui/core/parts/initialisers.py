"""Initialisers: how the first weights and biases are drawn.

Draw order, for every initialiser, unless the preset says otherwise (`draw_sequence`): layer by
layer from the input; within a layer first the weights, row by row (a row is one unit), then the
bias.  Constants draw nothing.  So ``RandomState(seed)`` gives the numbers that a program with
``np.random.seed(seed)`` draws when it builds its layers in that order.  A new initialiser is one
entry of `INITIALISERS`.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from nntui.core.tape import Array

_FORMULAS = {
    "zeros": "0",
    "constant": "1",
    "uniform": "U[low, high)",
    "normal": "N(0, 1)",
    "symmetric": "U(-r, r)",
}
DRAW_ORDERS = ("by-layer", "weights-first", "bias-first")
"""Per layer W, then b; all W, then all b; per layer b, then W."""
_CHUNK = 1_000_000
"""Even, because normal numbers are drawn in pairs."""


class Initialiser(NamedTuple):
    """How one matrix of ``(units out, units in)`` is drawn, before the layer's scale is applied.

    The spread, ``sqrt(gain / fan)``, is the standard deviation of a normal distribution or the
    bound of a symmetric uniform one.
    """

    name: str
    distribution: Literal["zeros", "constant", "uniform", "normal", "symmetric"]
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

    @property
    def parameters(self) -> tuple[str, ...]:
        """The keys of a layer that it reads; for the bias they begin with ``bias_``."""
        return ("low", "high") if self.distribution == "uniform" else ()

    @property
    def draws(self) -> bool:
        """Whether it consumes random numbers."""
        return self.distribution not in ("zeros", "constant")

    def draw(
        self,
        random: np.random.RandomState,
        rows: int,
        columns: int,
        low: float = 0.0,
        high: float = 1.0,
        transposed: bool = False,
    ) -> Array:
        """Draw a matrix of (rows, columns); ``transposed``, column by column.

        ``low`` and ``high`` bound what is ``uniform``.
        """
        spread = np.sqrt(self.gain / self._fan(rows, columns)) if self.gain else 1.0
        shape = (columns, rows) if transposed else (rows, columns)
        match self.distribution:
            case "zeros":
                drawn = np.zeros(shape)
            case "constant":
                drawn = np.ones(shape)
            case "uniform":
                drawn = random.uniform(low, high, shape)
            case "normal":
                drawn = random.randn(*shape) * spread
            case "symmetric":
                drawn = random.uniform(-float(spread), float(spread), shape)
        return drawn.T if transposed else drawn

    def spread_source(self, rows: int, columns: int) -> str:
        """NumPy source of the spread for a matrix of (rows, columns)."""
        return f"np.sqrt({self.gain} / {self._fan(rows, columns)})"

    def source(
        self, *shape: int, low: float = 0.0, high: float = 1.0, transposed: bool = False
    ) -> str:
        """NumPy source of the same draw; a symmetric one reads its spread from ``bound``.

        A ``shape`` of two numbers is a matrix, of one a vector, and of none a single number.
        """
        if transposed and self.draws:
            drawn = self._drawn(*reversed(shape), low=low, high=high, matrix=shape)
            return f"({drawn}).T" if " * " in drawn else f"{drawn}.T"
        return self._drawn(*shape, low=low, high=high, matrix=shape)

    def _drawn(self, *shape: int, low: float, high: float, matrix: tuple[int, ...]) -> str:
        """Source of a draw of ``shape``, whose spread is that of the shape ``matrix``."""
        axes = ", ".join(map(str, shape))
        sized = f"({axes})" if len(shape) > 1 else axes
        match self.distribution:
            case "zeros":
                return f"np.zeros({sized})"
            case "constant":
                return f"np.ones({sized})"
            case "uniform":
                if (low, high) == (0.0, 1.0):
                    return f"random.rand({axes})"
                limits = f"{low!r}, {high!r}"
                return (
                    f"random.uniform({limits}, {sized})" if shape else f"random.uniform({limits})"
                )
            case "normal":
                drawn = f"random.randn({axes})"
                return f"{drawn} * {self.spread_source(*matrix)}" if self.gain else drawn
            case "symmetric":
                return f"random.uniform(-bound, bound, {sized})"


INITIALISERS: dict[str, Initialiser] = {
    each.name: each
    for each in (
        Initialiser("normal", "normal", "standard normal, whatever the layer's width"),
        Initialiser(
            "uniform",
            "uniform",
            "uniform; from 0 to 1 it is never negative, and units start out alike",
        ),
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
        Initialiser("constant", "constant", "likewise, with the scale in the place of 0"),
    )
}

BIAS_INITIALISERS = ("zeros", "constant", "normal", "uniform")


def draw_sequence(order: str, biases: tuple[bool, ...]) -> Iterator[tuple[int, bool]]:
    """The parameters in the ``order`` in which they are drawn: (layer, whether it is the bias).

    ``biases`` says of each layer whether it has one.
    """
    layers = range(len(biases))
    if order == "weights-first":
        pairs = [(at, of_bias) for of_bias in (False, True) for at in layers]
    else:
        both = (True, False) if order == "bias-first" else (False, True)
        pairs = [(at, of_bias) for at in layers for of_bias in both]
    return ((at, of_bias) for at, of_bias in pairs if biases[at] or not of_bias)


def skip(random: np.random.RandomState, uniform: int, normal: int) -> None:
    """Draw so many ``uniform`` numbers, then so many ``normal`` ones, and throw them away."""
    for draw, count in ((random.random_sample, uniform), (random.standard_normal, normal)):
        for start in range(0, count, _CHUNK):
            draw(min(_CHUNK, count - start))
