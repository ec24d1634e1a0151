"""The data rows as arrays: inputs and targets with one column a sample."""

from dataclasses import dataclass

import numpy as np

from nntui.core.configuration import Configuration, Data, Rows
from nntui.core.errors import ConfigError
from nntui.core.formula import evaluate_formula
from nntui.core.losses import LOSSES
from nntui.core.state import frozen
from nntui.core.tape import Array


@dataclass(frozen=True, eq=False)
class DataArrays:
    """``x`` is (inputs, samples), the constant inputs included; ``y`` is (outputs, samples)."""

    x: Array
    y: Array


def with_constants(data: Data, rows: Rows, key: str = "inputs") -> Array:
    """``rows`` as (inputs, samples); the constant inputs are added where a row leaves them out.

    Raises ConfigError, with ``key``, when a row has any other width.
    """
    x = np.array(rows, dtype=np.float64).T
    if x.shape[0] == data.given:
        constants = np.repeat(np.array(data.constant_inputs).reshape(-1, 1), x.shape[1], axis=1)
        x = np.concatenate([x, constants])
    elif x.shape[0] != data.width:
        also = f" (or {data.width} with the constants)" if data.constant_inputs else ""
        raise ConfigError(
            key, f"has {x.shape[0]} numbers; the network has {data.given} inputs{also}"
        )
    return np.ascontiguousarray(x)


def load_data(configuration: Configuration) -> DataArrays:
    """The arrays of ``configuration``'s data.

    Raises ConfigError where a formula cannot be evaluated, a number would not be finite, or a
    loss cannot take the targets.
    """
    data = configuration.data
    if data.formula is not None:
        with np.errstate(all="ignore"):
            points = np.linspace(data.start or 0.0, data.stop or 0.0, data.samples or 0)
        if not np.isfinite(points).all():
            raise ConfigError("data.start", "to data.stop is too far for floats")
        x = with_constants(data, tuple((float(point),) for point in points))
        y = evaluate_formula("data.formula", data.formula, points).reshape(1, -1)
    else:
        x = with_constants(data, data.inputs or ())
        y = np.ascontiguousarray(np.array(data.targets, dtype=np.float64).T)
    with np.errstate(all="ignore"):
        y = y / data.target_divisor
    if not np.isfinite(y).all():
        raise ConfigError("data.target_divisor", f"{data.target_divisor:g} makes infinite targets")
    for section, loss in (
        ("training", configuration.training.loss),
        ("report", configuration.report.loss),
    ):
        if LOSSES[loss].needs_output == "sigmoid" and not ((y >= 0.0) & (y <= 1.0)).all():
            raise ConfigError(f"{section}.loss", f"{loss} needs targets between 0 and 1")
    return DataArrays(frozen(x), frozen(y))
