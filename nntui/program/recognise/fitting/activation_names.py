"""Names the activation that a layer of a program computes, by its values."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nntui.core.errors import ConfigError
from nntui.core.formulas.evaluation import evaluate
from nntui.core.parts.activations import Activation, activation
from nntui.program.recognise.description import DenseLayer
from nntui.program.recognise.fitting.unmatched import UnmatchedError

Array = np.ndarray
Keys = dict[str, Any]
"""Entries of a preset's layer."""

SAME = 1e-12
"""Relative difference up to which two values of an activation are one."""
PROBES = np.array([-30.0, -6.5, -2.25, -1.0, -0.3, -1e-3, 1e-3, 0.2, 1.0, 1.75, 5.5, 25.0])
"""z at which formulas are compared."""
ORDER = ("relu", "leaky-relu", "sigmoid", "tanh", "softmax", "softplus", "elu", "gelu", "identity")


def is_same(one: Any, other: Any) -> bool:
    """Whether two arrays hold the same numbers, up to rounding."""
    one, other = np.broadcast_arrays(np.asarray(one, float), np.asarray(other, float))
    bound = SAME * np.maximum(np.abs(one), np.abs(other)) + 1e-15
    with np.errstate(all="ignore"):
        return bool(((np.abs(one - other) <= bound) | (one == other)).all())


def name_activation(
    layer: DenseLayer, number: int, faults: list[Keys], samples: int | None = None
) -> Keys:
    """The entries for the activation of ``layer``; a fault in its value joins ``faults``.

    The first ``samples`` of its values were computed together; None: all of them.  Raises
    UnmatchedError for a function that no preset has.
    """
    z, f = layer.values
    if not np.isfinite(f).all():
        raise UnmatchedError("an activation is not finite", layer.a)
    probed = None if layer.formula is None else _evaluated(layer.formula, PROBES)
    for keys in _candidates(z, f):
        function = activation(keys["activation"], leak=keys.get("leak"), alpha=keys.get("alpha"))
        if not is_same(_value(function, z), f):
            continue
        if probed is None and keys["activation"] == "identity" and layer.formula != "z":
            continue
        if probed is not None and not is_same(_value(function, PROBES[None])[0], probed):
            continue
        return keys
    if layer.formula is not None and is_same(_evaluated(layer.formula, z), f):
        try:
            activation(layer.formula)
        except ConfigError:
            pass
        else:
            return {"activation": layer.formula}
    first, given = z[:, :samples], f[:, :samples]
    if z.shape[0] > 1 and is_same(_value(activation("softmax"), first.T).T, given):
        faults.append({"name": "softmax-over-samples", "layers": [number]})
        return {"activation": "softmax"}
    if is_same(z, f):
        return {"activation": "identity"}
    raise UnmatchedError("this activation is no function that a preset has", layer.a or layer.z)


def _candidates(z: Array, f: Array) -> Iterator[Keys]:
    for name in ORDER:
        keys: Keys = {"activation": name}
        below = z < 0.0
        if name == "leaky-relu":
            leaks = f[below] / z[below]
            keys["leak"] = _nice(float(np.median(leaks))) if leaks.size else 0.01
            if not 0.0 <= keys["leak"] < 1.0:
                continue
        elif name == "elu":
            scale = np.expm1(z[below])
            alphas = f[below][scale != 0] / scale[scale != 0]
            keys["alpha"] = _nice(float(np.median(alphas))) if alphas.size else 1.0
            if keys["alpha"] <= 0.0:
                continue
        elif name == "softmax" and z.shape[0] == 1:
            continue
        yield keys


def _nice(value: float) -> float:
    """The shortest number that ``value`` is, up to rounding."""
    for digits in range(1, 15):
        short = float(f"{value:.{digits}g}")
        if abs(short - value) <= 1e-11 * abs(value):
            return short
    return value


def _value(function: Activation, z: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(evaluate(function.value, {"z": z}, 0), float), z.shape)


def _evaluated(text: str, z: Array) -> Array | None:
    """The formula ``text`` at ``z``; None if it is none."""
    try:
        return _value(activation(text), z)
    except (ConfigError, ValueError, ArithmeticError):
        return None


def kink_of(layer: DenseLayer, keys: Mapping[str, Any]) -> str | None:
    """Which slope the program takes at z = 0, if its formula says so: an entry ``kink``."""
    name = keys["activation"]
    if name not in ("relu", "leaky-relu"):
        return None
    leak = float(keys.get("leak", 0.0)) if name == "leaky-relu" else 0.0
    smooth = np.where(PROBES > 0.0, 1.0, leak)
    for text in layer.slopes:
        if "a" in text.replace("max", ""):
            continue
        try:
            slope = activation(text).value
            with np.errstate(all="ignore"):
                found = np.broadcast_to(evaluate(slope, {"z": PROBES}), PROBES.shape)
                at_zero = float(np.asarray(evaluate(slope, {"z": np.zeros(1)})).reshape(-1)[0])
        except (ConfigError, ValueError, ArithmeticError):
            continue
        if is_same(found, smooth):
            if at_zero == 1.0:
                return "right"
            return "left" if at_zero == leak else "zero" if at_zero == 0.0 else None
    return None
