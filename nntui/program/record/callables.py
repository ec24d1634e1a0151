"""Callables that replay can call again: methods, parts of results, changes in place as copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from nntui.program.record.operations import name_of


class Method:
    """Calls a method by its name, as a function of the object and the arguments."""

    __slots__ = ("__name__",)

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, value: Any, /, *arguments: Any, **keywords: Any) -> Any:
        return getattr(value, self.__name__)(*arguments, **keywords)


class Part:
    """One of several results of a function."""

    __slots__ = ("__name__", "function", "number")

    def __init__(self, function: Callable[..., Any], number: int) -> None:
        self.function, self.number, self.__name__ = function, number, name_of(function)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(*arguments, **keywords)[self.number]


class Changing:
    """A function that changes its first argument, as one that gives a changed copy."""

    __slots__ = ("__name__", "function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.__name__ = function, name_of(function)

    def __call__(self, target: Any, *arguments: Any, **keywords: Any) -> Any:
        changed = np.array(target, copy=True, order="K", subok=True)
        self.function(changed, *arguments, **keywords)
        return changed


class Writing:
    """A function that writes its results into an array, which comes first here."""

    __slots__ = ("__name__", "function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.__name__ = function, f"{name_of(function)} into"

    def __call__(self, target: Any, *arguments: Any, **keywords: Any) -> Any:
        return self.function(*arguments, **keywords, out=target)


class Cast:
    """An operation whose result takes the type of the array it is written into."""

    __slots__ = ("__name__", "dtype", "function", "shape")

    def __init__(self, function: Callable[..., Any], target: np.ndarray[Any, Any]) -> None:
        self.function, self.__name__ = function, name_of(function)
        self.dtype, self.shape = target.dtype, target.shape

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        result = np.asanyarray(self.function(*arguments, **keywords))
        result = result.astype(self.dtype, copy=False)
        return result if result.shape == self.shape else np.broadcast_to(result, self.shape)


class OfUfunc:
    """A method of a ufunc, by name."""

    def __init__(self, ufunc: np.ufunc, name: str) -> None:
        self.ufunc, self.name, self.__name__ = ufunc, name, f"{ufunc.__name__}.{name}"

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return getattr(self.ufunc, self.name)(*arguments, **keywords)


class Concatenating:
    """`np.r_` and `np.c_` as functions."""

    def __init__(self, owner: Any) -> None:
        self.owner, self.__name__ = owner, type(owner).__name__

    def __call__(self, *arguments: Any) -> Any:
        return self.owner[arguments]


class Switch(Protocol):
    """What can be switched off."""

    on: bool


class Silent:
    """A function that is called without recording what happens in it."""

    def __init__(self, recorder: Switch, function: Any) -> None:
        self.recorder, self.function, self.__name__ = recorder, function, name_of(function)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        on, self.recorder.on = self.recorder.on, False
        try:
            return self.function(*arguments, **keywords)
        finally:
            self.recorder.on = on
