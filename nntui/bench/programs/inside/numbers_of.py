"""The numbers of arrays, floats and nested lists, and random directions of them."""

import hashlib
import types
from typing import Any

import numpy as np

DIRECTIONS = 3
"""Along how many random directions each parameter is looked at."""


def in_sight(names: dict[str, Any]) -> dict[str, list[int]]:
    """The shape of each numeric value that a name, attribute or key reaches, by its source text."""
    found: dict[str, list[int]] = {}
    for name, value in list(names.items()):
        if name.startswith("__"):
            continue
        shape = shape_of(value)
        if shape is not None:
            found[name] = shape
        elif isinstance(value, dict):
            for key, inner in list(value.items()):
                if isinstance(key, str) and (shape := shape_of(inner)) is not None:
                    found[f"{name}[{key!r}]"] = shape
        elif hasattr(value, "__dict__") and not isinstance(value, type | types.ModuleType):
            for key, inner in list(vars(value).items()):
                if (shape := shape_of(inner)) is not None:
                    found[f"{name}.{key}"] = shape
    return found


def shape_of(value: Any) -> list[int] | None:
    """The shape of an array or number of floats, else None."""
    if isinstance(value, float | np.floating):
        return []
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return list(value.shape)
    return None


def flattened(value: Any) -> np.ndarray:
    """All numbers of an array, a number or nested lists, in order."""
    if isinstance(value, np.ndarray):
        return np.asarray(value).ravel()
    if isinstance(value, list | tuple):
        parts = [flattened(each) for each in value]
        return np.concatenate(parts) if parts else np.zeros(0)
    return np.array([value], dtype=np.float32 if isinstance(value, np.float32) else float)


def refill(values: list[Any], numbers: Any) -> None:
    """Put ``numbers`` into nested lists, in order."""
    for index, each in enumerate(values):
        if isinstance(each, list):
            refill(each, numbers)
        else:
            values[index] = next(numbers)


def generator(name: str, number: int, purpose: str) -> np.random.Generator:
    """Random numbers that depend on the name of a parameter only."""
    digest = hashlib.sha1(f"{purpose} {name} {number}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def directions(name: str, size: int, entries: bool) -> list[np.ndarray]:
    """Random directions of a parameter, or the one of each of its entries."""
    if entries:
        return list(np.eye(size))
    return [
        generator(name, number, "direction").standard_normal(size)
        for number in range(min(DIRECTIONS, size))
    ]


def along(name: str, value: np.ndarray, entries: bool) -> list[float]:
    """What ``value`` is along each direction of the parameter."""
    return [float(value @ each) for each in directions(name, value.size, entries)]
