"""The data rows as arrays: inputs and targets with one column a sample."""

from dataclasses import dataclass

import numpy as np

from nntui.core.configuration import Data, Rows
from nntui.core.errors import ConfigError
from nntui.core.formula import evaluate_formula
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


def load_data(data: Data) -> DataArrays:
    """The arrays that ``data`` describes; ConfigError where a formula cannot be evaluated."""
    if data.formula is not None:
        points = np.linspace(data.start, data.stop, data.samples)
        x = with_constants(data, tuple((float(point),) for point in points))
        y = evaluate_formula("data.formula", data.formula, points).reshape(1, -1)
    else:
        x = with_constants(data, data.inputs or ())
        y = np.ascontiguousarray(np.array(data.targets, dtype=np.float64).T)
    return DataArrays(x, y / data.target_divisor)
