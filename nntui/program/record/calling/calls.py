"""Calls: which the recorder makes itself and records, and which the program must make."""

from __future__ import annotations

import builtins
import copy
import math
from collections.abc import Iterator
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType
from typing import Any

import numpy as np

from nntui.program.record.calling.called import Called
from nntui.program.record.calling.known import (
    CONVERSIONS,
    DISPATCHED,
    GENERATORS,
    HARMLESS_OWNERS,
    OVER_ELEMENTS,
    REDUCTIONS,
    SHARING,
)
from nntui.program.record.following.live_values import copy_of, identity, is_followed
from nntui.program.record.hooks.operators import Operators
from nntui.program.record.operations import canonical, name_of

DEEPEST_COPY = 6


class Calls(Called):
    """Makes, or hands back, the calls of a recorded copy."""

    def __init__(self, recorder: Operators) -> None:
        super().__init__(recorder)
        self.failed = False
        self.own: tuple[Any, tuple[Any, ...], dict[str, Any]] = (None, (), {})

    def take_value(self) -> Any:
        """The result of the last call made here, once."""
        result, self.result = self.result, None
        return result

    def prepare(
        self,
        frame: FrameType,
        place: int,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> bool:
        """Make a call if it is an operation; else note that the program makes it."""
        recorder = self.recorder
        if recorder.on:
            arguments = self._materialised(place, function, arguments)
            try:
                if self._made(place, function, arguments, keywords):
                    return True
            except Exception:  # it comes again where the program makes the call itself
                self.failed = True
        self.own = (function, arguments, keywords)
        foreign = recorder.on and not self._is_harmless(function)
        call = recorder.trail.enter(frame, place, function, arguments, keywords, foreign)
        call.failed, self.failed = self.failed, False
        if foreign:
            recorder.doubt()
        return False

    def returned(self, frame: FrameType, result: Any) -> Any:
        """A call that the program made itself is over: keep what was not recorded in it."""
        recorder = self.recorder
        self.own = (None, (), {})
        call = recorder.trail.leave(frame)
        if call is None or not recorder.on:
            return result
        if call.foreign:
            recorder.doubt()
        function = call.function
        if call.failed:  # by us: the program's own call has worked
            recorder.warnings.append(f"{name_of(function)} was not recorded")
        if function is copy.deepcopy and call.arguments:
            self._linked(call.place, call.arguments[0], result)
            return result
        if self._is_own(function) or not is_followed(result) or recorder.memory.is_known(result):
            return result
        arguments = call.arguments
        if any(self._is_own(argument) for argument in arguments):
            return result
        name = canonical(name_of(function))
        return recorder.result(name, function, arguments, call.keywords, result, call.place)

    def _linked(self, place: int, old: Any, new: Any, depth: int = 0) -> None:
        """Link the arrays within a deep copy to those they are copies of."""
        if isinstance(new, np.ndarray):
            if new.dtype.kind == "O":
                old, new = list(old.flat), list(new.flat)
            else:
                self.recorder.result("copy", copy_of, (old,), {}, new, place)
                return
        if depth > DEEPEST_COPY or new is old:
            return
        if not isinstance(new, (dict, list, tuple)):
            old, new = attributes(old), attributes(new)
        if isinstance(new, dict):
            pairs = [(old[key], new[key]) for key in new if key in old]
        else:
            pairs = list(zip(old, new, strict=False))
        for one, other in pairs:
            self._linked(place, one, other, depth + 1)

    def _is_harmless(self, function: Any) -> bool:
        """Whether a call cannot change an array unseen."""
        if any(function is each for each in SHARING):
            self.recorder.memory.is_shared = True
        if self._is_own(function):
            return True
        kind = type(function)
        owner = function.__self__ if kind in (BuiltinFunctionType, MethodType) else None
        if owner is builtins or owner is math or type(owner) in HARMLESS_OWNERS:
            return True
        return isinstance(function, type) and function.__module__ == "builtins"

    def _materialised(
        self, place: int, function: Any, arguments: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """Arrays whose elements are read one by one, and generators that are summed."""
        if any(function is each for each in OVER_ELEMENTS):
            given = [self.recorder.iterate(place, each) for each in arguments]
            if function is reversed and given[0] is not arguments[0]:
                given = [list(given[0])]
            return tuple(given)
        is_consuming = (
            identity(function) in REDUCTIONS or function is np.fromiter or function is math.fsum
        )
        if is_consuming and arguments and hasattr(type(arguments[0]), "__next__"):
            return (list(arguments[0]), *arguments[1:])
        return arguments

    def _mapped(self, place: int, function: Any, arguments: tuple[Any, ...]) -> Iterator[Any]:
        """`map` of a function that is not the program's own, each of its calls recorded."""
        for each in zip(*arguments, strict=False):
            if self.recorder.on and self._made(place, function, each, {}):
                yield self.take_value()
            else:
                yield function(*each)

    def _made(
        self,
        place: int,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> bool:
        kind = type(function)
        if kind is np.ufunc:
            return self._numpy(place, function, arguments, keywords)
        if kind is DISPATCHED:
            return self._numpy(place, function, arguments, keywords)
        if kind is BuiltinFunctionType:
            owner = function.__self__
            if isinstance(owner, (np.ndarray, np.generic)):
                return self._method(place, owner, function, arguments, keywords)
            if owner is math:
                return self._operation(place, function, arguments, keywords)
            if owner is builtins:
                return self._builtin(place, function, arguments, keywords)
            if isinstance(owner, np.ufunc):
                return self._of_ufunc(place, owner, function, arguments, keywords)
            if isinstance(owner, GENERATORS):
                return self._drawn(place, function, arguments, keywords)
            if isinstance(owner, (list, str)):
                return self._of_list_or_text(place, owner, function, arguments, keywords)
            if (function.__module__ or "").startswith(("numpy", "_operator")):
                return self._numpy(place, function, arguments, keywords)
            return False
        if kind is type:
            if identity(function) in CONVERSIONS:
                return self._operation(place, function, arguments, keywords)
            if function is map and len(arguments) > 1 and not self._is_own(arguments[0]):
                self.result = self._mapped(place, arguments[0], arguments[1:])
                return True
            return False
        if kind is MethodType:
            if isinstance(function.__self__, GENERATORS):
                return self._drawn(place, function, arguments, keywords)
            if isinstance(function.__self__, np.ndarray):
                return self._method(place, function.__self__, function, arguments, keywords)
            self._outputs(place, function, arguments)
            return False
        if kind is FunctionType:
            if self.recorder.is_own(function.__code__):
                self._outputs(place, function, arguments)
                return False
            if (function.__module__ or "").startswith("numpy"):
                return self._numpy(place, function, arguments, keywords)
            return False
        if kind is np.vectorize:
            return self._opaque(place, function, arguments, keywords)
        return False


def attributes(value: Any) -> dict[str, Any]:
    """The attributes of an object, without asking its own `__getattr__`."""
    try:
        found: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found
