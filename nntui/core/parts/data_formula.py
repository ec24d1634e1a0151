"""Data from a formula: the target y as a formula of the input x."""

import numpy as np

from nntui.core.errors import ConfigError, quoted
from nntui.core.formulas.evaluation import evaluate
from nntui.core.formulas.reading import read_formula
from nntui.core.tape import Array

NAMES = ("x",)


def check_formula(key: str, text: str) -> None:
    """Raise ConfigError unless ``text`` is a formula of x; its values are not checked."""
    read_formula(key, text, NAMES)


def evaluate_formula(key: str, text: str, x: Array) -> Array:
    """The formula ``text`` evaluated at each number of ``x``; has the shape of ``x``.

    Raises ConfigError, with ``key``, if it is not a formula or a value is not finite.
    """
    with np.errstate(all="ignore"):
        y = np.broadcast_to(evaluate(read_formula(key, text, NAMES), {"x": x}), x.shape)
    if not np.isfinite(y).all():
        at = float(x[~np.isfinite(y)][0])
        raise ConfigError(key, f"{quoted(text)} is not finite at x = {at:g}")
    return np.array(y)
