"""Parameters set by hand: the dotted keys of weights and biases, and their effect on a state."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nntui.core.engine.network import Layout, Parameters
from nntui.core.engine.state import State, frozen
from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.dotted_keys import PARAMETERS
from nntui.core.settings.section import check_number
from nntui.core.tape import Array

FORMS = f"{PARAMETERS}.LAYER.W.UNIT.INPUT or {PARAMETERS}.LAYER.b.UNIT"
_LONGEST = 9
"""Maximum digits of an index in a key."""


def parameter_key(layer: int, unit: int, column: int | None) -> str:
    """The dotted key of a unit's weight from the input ``column``, or of its bias for None."""
    return f"{PARAMETERS}.{layer}.{f'b.{unit}' if column is None else f'W.{unit}.{column}'}"


def set_by_hand(state: State, values: Mapping[str, Any]) -> State:
    """``state`` with parameters replaced: ``values`` maps their dotted keys to numbers.

    Raises ConfigError for a key that names no parameter and for a value that is not finite.
    """
    if not values:
        return state
    theta = state.theta.copy()
    parameters = Layout.of(state.configuration).views(theta)
    for key, value in values.items():
        array, place = _cell(parameters, key)
        array[place] = check_number(key, value, False, {})
    return replace(state, theta=frozen(theta))


def value_by_hand(state: State, key: str) -> float:
    """The parameter at the dotted ``key``; raises ConfigError if there is none."""
    array, place = _cell(Layout.of(state.configuration).views(state.theta), key)
    return float(array[place])


def _cell(parameters: Parameters, key: str) -> tuple[Array, tuple[int, int]]:
    """The array that holds the parameter at ``key``, and its index there."""
    match key.split("."):
        case [_, layer, "W", unit, column]:
            W, _ = parameters[_number(key, "layer", layer, len(parameters))]
            units, inputs = W.shape
            return W, (_number(key, "unit", unit, units), _number(key, "input", column, inputs))
        case [_, layer, "b", unit]:
            _, b = parameters[_number(key, "layer", layer, len(parameters))]
            if b is None:
                raise ConfigError(key, f"layer {layer} has no bias")
            return b, (_number(key, "unit", unit, len(b)), 0)
    raise ConfigError(key, f"names no parameter; write {FORMS}")


def _number(key: str, what: str, text: str, count: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST and int(text) < count:
        return int(text)
    raise ConfigError(key, f"there is no {what} {quoted(text)}; they are 0 to {count - 1}")
