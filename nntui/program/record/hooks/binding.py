"""Names and outputs: what is assigned, returned, printed; numbers as written."""

from __future__ import annotations

from typing import Any

import numpy as np

from nntui.program.record.following.live_values import fresh, is_followed
from nntui.program.record.hooks.making import Making


class Binding(Making):
    """Hooks for values that get a name, or are shown."""

    def literal(self, value: float) -> float:
        """A number as written, which has nothing to do with the same number elsewhere."""
        if not self.on:
            return value
        value = fresh(value)
        self.memory.put(value, None)
        return value

    def bound(self, place: int, value: Any) -> Any:
        """A value is assigned, or returned."""
        if not self.on:
            return value
        target = self.places.places[place].target
        if is_followed(value):
            self._bind(place, value, target)
        elif type(value) in (list, tuple) and len(value) <= 100:
            names = _names(target, len(value))
            for element, name in zip(value, names, strict=True):
                if is_followed(element):
                    self._bind(place, element, name)
        return value

    def _bind(self, place: int, value: Any, name: str | None) -> None:
        node = self.memory.node_of(value)
        if node is None:
            return
        self.assignments.append((place, node, self.trail.path))
        if node.name is None and name != "<return>":
            node.name = name

    def show(self, place: int, value: Any, function: str) -> None:
        """A value is given to something that prints or keeps it."""
        if type(value) is tuple:
            for each in value:
                self.show(place, each, function)
        elif is_followed(value) and np.size(value) == 1:
            node = self.memory.node_of(value)
            if node is not None:
                self.outputs.append((place, node, function))

    def shown(self, place: int, value: Any) -> Any:
        """A value within an f-string."""
        if self.on:
            self.show(place, value, "format")
        return value

    def format(self, text: Any, values: Any, place: int = -1) -> Any:
        """`text % values`."""
        if self.on:
            self.show(place, values, "%")
        return older_format(text, values)


def _names(target: str | None, count: int) -> list[str | None]:
    """The names of a target `a, b, c`, where they are simple."""
    if target is not None:
        parts = [part.strip() for part in target.strip("()[]").split(",")]
        if len(parts) == count and all("*" not in part for part in parts):
            return list(parts)
    return [None] * count


def older_format(text: Any, values: Any) -> Any:
    """`text % values`; arrays of one element count as numbers, as they did before NumPy 2.4."""
    try:
        return text % values
    except TypeError:
        plain = tuple(map(_number, values)) if isinstance(values, tuple) else _number(values)
        return text % plain


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
