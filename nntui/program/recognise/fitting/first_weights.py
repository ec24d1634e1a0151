"""Finds the draws that give a program's first weights, bit for bit."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from nntui.core.parts.initialisers import DRAW_ORDERS, INITIALISERS, draw_sequence, skip
from nntui.program.recognise.description import Description

Array = np.ndarray
Keys = dict[str, Any]

NORMAL = ("normal", "he", "xavier", "lecun")
SYMMETRIC = ("he-uniform", "xavier-uniform", "lecun-uniform")


def drawn(description: Description) -> tuple[int, Keys, list[Keys]] | None:
    """Seed, entries of the draws table, and of each layer, that draw the first parameters.

    None where no preset draws them.
    """
    first = [(layer.W[0], None if layer.b is None else layer.b[0]) for layer in description.layers]
    for seed in (*description.seeds, *(() if 0 in description.seeds else (0,))):
        for skipped in _skips(description):
            for order, transposed in product(DRAW_ORDERS, (False, True)):
                random = np.random.RandomState(seed)
                skip(random, *skipped)
                layers = _layers(description, first, random, order, transposed)
                if layers is not None:
                    draws: Keys = {}
                    if order != DRAW_ORDERS[0]:
                        draws["order"] = order
                    if transposed and any(min(W.shape) > 1 for W, _ in first):
                        draws["transposed"] = True
                    for name, count in zip(("uniform", "normal"), skipped, strict=True):
                        if count:
                            draws[f"skip_{name}"] = count
                    return seed, draws, layers
    return None


def _skips(description: Description) -> Iterator[tuple[int, int]]:
    """How many uniform and normal numbers the program may have drawn before: its data."""
    rows, width = description.inputs.shape
    yield 0, 0
    for count in dict.fromkeys((rows * width, rows, rows * (width + 1), rows * (width + 2))):
        yield 0, count
        yield count, 0
    yield rows * width, rows


def _layers(
    description: Description,
    first: Sequence[tuple[Array, Array | None]],
    random: np.random.RandomState,
    order: str,
    transposed: bool,
) -> list[Keys] | None:
    layers: list[Keys] = [{} for _ in first]
    weights: list[list[Keys]] = [[] for _ in first]
    for at, of_bias in draw_sequence(order, tuple(b is not None for _, b in first)):
        W, b = first[at]
        if of_bias:
            assert b is not None
            keys = _bias(b, description.layers[at].shared, random)
            if keys is None:
                return None
            layers[at].update(keys)
        else:
            weights[at] = _weights(W, random, transposed)
            if not weights[at]:
                return None
    for layer, options in zip(layers, weights, strict=True):
        # What all layers have in common is what was most likely meant.
        layer.update(max(options, key=lambda each: sum(each in others for others in weights)))
    return layers


def _weights(W: Array, random: np.random.RandomState, transposed: bool) -> list[Keys]:
    """All the ways to draw ``W``; they leave the generator in the same state."""
    constant = list(_constant(W, "init", "scale"))
    if constant:
        return constant
    state = random.get_state()

    def made(name: str, low: float = 0.0, high: float = 1.0) -> Array:
        random.set_state(state)
        units, inputs = W.shape
        return INITIALISERS[name].draw(random, units, inputs, low, high, transposed)

    bounds = _bounds(W, made("uniform"))
    for plain, others in (("normal", NORMAL), ("uniform", ("uniform", *SYMMETRIC))):
        found: list[Keys] = [{"init": name} for name in others if (made(name) == W).all()]
        scale = _scale(W, made(plain))
        if scale is not None and scale != 1.0:
            found.append({"init": plain, "scale": scale})
        if plain == "uniform" and bounds not in (None, (0.0, 1.0)) and not scale:
            assert bounds is not None
            if (made("uniform", *bounds) == W).all():
                found.append({"init": "uniform", "low": bounds[0], "high": bounds[1]})
        if found:
            return found
    return []


def _bias(b: Array, shared: bool, random: np.random.RandomState) -> Keys | None:
    keys: Keys = {"bias": "shared-start"} if shared else {}
    rows = 1 if shared else len(b)
    own = b[:rows]
    for found in _constant(own, "bias_init", "bias_scale"):
        return {**keys, **found}
    state = random.get_state()

    def made(name: str, low: float = 0.0, high: float = 1.0) -> Array:
        random.set_state(state)
        return INITIALISERS[name].draw(random, rows, 1, low, high)[:, 0]

    for name in ("normal", "uniform"):
        if (made(name) == own).all():
            return {**keys, "bias_init": name}
    for name in ("normal", "uniform"):
        scale = _scale(own, made(name))
        if scale is not None:
            return {**keys, "bias_init": name, "bias_scale": scale}
    bounds = _bounds(own, made("uniform"))
    if bounds is not None and (made("uniform", *bounds) == own).all():
        return {**keys, "bias_init": "uniform", "bias_low": bounds[0], "bias_high": bounds[1]}
    random.set_state(state)
    return {"bias_init": "constant", "bias_scale": float(b[0])} if shared else None


def _constant(values: Array, init: str, scale: str) -> Iterator[Keys]:
    if (values == values.flat[0]).all():
        number = float(values.flat[0])
        if number == 0.0:
            yield {init: "zeros"}
        elif values.size > 1:
            yield {init: "constant", scale: number}


def _bounds(values: Array, made: Array) -> tuple[float, float] | None:
    """The bounds of the uniform distribution that gives ``values`` where 0 to 1 gives ``made``."""
    if made.size < 3 or np.ptp(made) == 0.0:
        return None
    far, near = int(np.argmax(made)), int(np.argmin(made))
    slope = float((values.flat[far] - values.flat[near]) / (made.flat[far] - made.flat[near]))
    low = float(values.flat[near] - slope * made.flat[near])
    if slope <= 0.0 or not np.allclose(low + slope * made, values, rtol=1e-9, atol=1e-12):
        return None
    return _shorter(low), _shorter(low + slope)


def _scale(values: Array, made: Array) -> float | None:
    """What ``made`` is multiplied by to be ``values``, bit for bit."""
    if not made.all():
        return None
    ratios = values / made
    middle = float(np.median(ratios))
    if not np.allclose(ratios, middle, rtol=1e-12, atol=0.0):
        return None
    for scale in (_shorter(middle), middle):
        if values.size < 3 and len(f"{scale:g}") > 5:
            continue  # any number is some multiple of another
        if (scale * made == values).all():
            return scale
    return None


def _shorter(value: float) -> float:
    return float(f"{value:.12g}")
