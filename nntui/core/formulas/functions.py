"""The functions that a formula can call: their NumPy form, derivatives and PyTorch source."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Values = Any
"""A float or an array, real or complex."""

LARGEST_EXPONENT = 700.0
"""Above this exp overflows; a complex infinity would turn quotients into NaN."""


@dataclass(frozen=True)
class Function:
    """A function of one or two numbers.

    ``body`` is its formula in ``x`` (and ``y``), if NumPy has no such function; ``slopes`` are its
    partial derivatives as formulas of ``x``, ``y`` and its value ``f``; ``switch`` is the formula
    whose sign selects the piece, empty if it is smooth.
    """

    slopes: tuple[str, ...]
    ufunc: Callable[..., Values] | None = None
    body: str = ""
    complex: Callable[..., Values] | None = None
    """Its implementation for complex numbers, if NumPy's has none or overflows."""
    torch: str = ""
    """Its PyTorch source with the arguments in braces; ``torch.NAME(...)`` if empty."""
    switch: str = ""

    @property
    def arity(self) -> int:
        """How many arguments it takes."""
        return len(self.slopes)


def _chosen(greater: bool) -> Callable[[Values, Values], Values]:
    def choose(x: Values, y: Values) -> Values:
        ahead = np.real(x) >= np.real(y)
        return np.where(ahead if greater else ~ahead, x, y)

    return choose


def _exp(x: Values) -> Values:
    real = np.real(x)
    return np.exp(np.minimum(real, LARGEST_EXPONENT)) * np.exp(1j * np.imag(x))


def _sigmoid(x: Any) -> Any:
    above = np.real(x) > 0.0
    small = np.exp(np.where(above, -x, x))
    high: Any = np.where(above, 1.0, small)
    return high / (1.0 + small)


def _logaddexp(x: Values, y: Values) -> Values:
    ahead = np.real(x) >= np.real(y)
    high: Any = np.where(ahead, x, y)
    low: Any = np.where(ahead, y, x)
    return high + np.log1p(np.exp(low - high))


def _tanh(x: Values) -> Values:
    return 2.0 * _sigmoid(2.0 * x) - 1.0


def _sign(x: Values) -> Values:
    return np.sign(np.real(x)) + 0.0j


FUNCTIONS: dict[str, Function] = {
    "abs": Function(("sign(x)",), np.abs, complex=lambda x: _sign(x) * x, switch="x"),
    "cos": Function(("-sin(x)",), np.cos),
    "exp": Function(("f",), np.exp, complex=_exp),
    "expm1": Function(("f + 1",), np.expm1),
    "floor": Function(
        ("0",),
        np.floor,
        complex=lambda x: np.floor(np.real(x)) + 0.0j,
        switch="sin(pi*x)",
    ),
    "log": Function(("1/x",), np.log),
    "log1p": Function(("1/(1 + x)",), np.log1p),
    "logaddexp": Function(("sigmoid(x - y)", "sigmoid(y - x)"), np.logaddexp, complex=_logaddexp),
    "max": Function(
        ("step(x - y, 0)", "1 - step(x - y, 0)"),
        np.maximum,
        complex=_chosen(True),
        torch="torch.maximum({0}, {1})",
        switch="x - y",
    ),
    "min": Function(
        ("1 - step(x - y, 0)", "step(x - y, 0)"),
        np.minimum,
        complex=_chosen(False),
        torch="torch.minimum({0}, {1})",
        switch="x - y",
    ),
    "sigmoid": Function(("f*(1 - f)",), body="1/(1 + exp(-x))", complex=_sigmoid),
    "sign": Function(("0",), np.sign, complex=_sign, switch="x"),
    "sin": Function(("cos(x)",), np.sin),
    "softplus": Function(
        ("sigmoid(x)",),
        body="logaddexp(x, 0)",
        complex=lambda x: _logaddexp(x, 0.0),
        torch="F.softplus({0}, threshold=40.0)",
    ),
    "sqrt": Function(("1/(2*f)",), np.sqrt),
    "step": Function(
        ("0", "0"),
        np.heaviside,
        complex=lambda x, y: np.heaviside(np.real(x), np.real(y)) + 0.0j,
        torch="torch.heaviside({0}, {1})",
        switch="x",
    ),
    "tanh": Function(("1 - f^2",), np.tanh, complex=_tanh),
}
"""``step(x, at)`` is 0 below 0, 1 above, and ``at`` at 0; ``logaddexp(x, y)`` is
``log(exp(x) + exp(y))`` without overflow."""

NUMPY_NAMES = {"max": "maximum", "min": "minimum", "step": "heaviside"}
"""NumPy's name of a function, where it differs."""

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}
