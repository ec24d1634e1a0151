"""Calls: which the recorder makes itself and records, and which the program must make."""

from __future__ import annotations

import builtins
import copy
import math
import random
from collections.abc import Iterator
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import numpy as np

from .memory import copy_of, is_followed, take_number
from .node import Ref
from .operations import Cast, Changing, Method, Part, canonical, name_of, words
from .rules import CONSTANT, COPYING, RULES

if TYPE_CHECKING:
    from .recorder import Recorder

DISPATCHED = type(np.sum)
OVER_ELEMENTS: tuple[Any, ...] = (
    zip,
    enumerate,
    map,
    filter,
    reversed,
    list,
    tuple,
    iter,
    sorted,
)
REDUCTIONS = {id(f): f.__name__ for f in (sum, max, min, abs, pow, round, divmod)}
CONVERSIONS = {id(float): "float", id(np.float64): "float64", id(np.float32): "float32"}
NOT_OPERATIONS = words(
    """seed save savetxt savez load loadtxt genfromtxt seterr set_printoptions get_printoptions
    array_equal allclose shape size ndim may_share_memory shares_memory array2string array_str
    array_repr tobytes tofile dump dumps setflags printoptions errstate isscalar iscomplexobj
    result_type can_cast min_scalar_type geterr"""
)
CHANGING_METHODS = frozenset({"fill", "sort", "put", "itemset", "partition"})
CHANGING_FUNCTIONS = frozenset(
    {"copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"}
)
OPAQUE = frozenset(
    {"apply_along_axis", "apply_over_axes", "piecewise", "fromfunction", "vectorize"}
)
CALL = "__call__"
GENERATORS = (np.random.RandomState, np.random.Generator, random.Random)
HARMLESS_OWNERS = frozenset({list, dict, set, str, tuple, bytes, float, int})
PURE = frozenset(RULES) | CONSTANT | COPYING
DEEPEST_COPY = 6
CONCATENATORS = tuple(type(each) for each in (np.r_, np.c_))


class Calls:
    """Makes, or hands back, the calls of a recorded copy."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.result: Any = None
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
                if not recorder.on:
                    recorder.on = True
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
        if hasattr(new, "__dict__"):
            old, new = vars(old), vars(new)
        if isinstance(new, dict):
            pairs = [(old[key], new[key]) for key in new if key in old]
        elif isinstance(new, (list, tuple)):
            pairs = list(zip(old, new, strict=False))
        else:
            return
        for one, other in pairs:
            self._linked(place, one, other, depth + 1)

    # ---- what a call is

    def _is_harmless(self, function: Any) -> bool:
        """Whether a call cannot change an array unseen."""
        if function in (np.nditer, memoryview, np.frombuffer):
            self.recorder.memory.is_shared = True
        if self._is_own(function):
            return True
        owner = getattr(function, "__self__", None)
        if owner is builtins or owner is math or type(owner) in HARMLESS_OWNERS:
            return True
        return isinstance(function, type) and function.__module__ == "builtins"

    def _is_own(self, function: Any) -> bool:
        kind = type(function)
        if kind is MethodType:
            function = function.__func__
            kind = type(function)
        if kind is FunctionType:
            return self.recorder.is_own(function.__code__)
        if isinstance(function, type):
            method = getattr(function, "__init__", None)
        else:
            method = getattr(type(function), CALL, None)
        return type(method) is FunctionType and self.recorder.is_own(method.__code__)

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
            id(function) in REDUCTIONS or function is np.fromiter or function is math.fsum
        )
        if is_consuming and arguments and hasattr(arguments[0], "__next__"):
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
            if id(function) in CONVERSIONS:
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

    def _outputs(self, place: int, function: Any, arguments: tuple[Any, ...]) -> None:
        for argument in arguments:
            if is_followed(argument):
                self.recorder.show(place, argument, name_of(function))

    # ---- how it is made

    def _keep(
        self,
        place: int,
        name: str,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        result: Any,
    ) -> bool:
        recorder = self.recorder
        if type(result) in (tuple, list) or isinstance(result, tuple):
            for number, part in enumerate(result):
                if is_followed(part) and not recorder.memory.is_known(part):
                    partial = Part(function, number)
                    recorder.result(name, partial, arguments, keywords, part, place)
            self.result = result
            return True
        self.result = recorder.result(name, function, arguments, keywords, result, place)
        return True

    def _operation(
        self, place: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> bool:
        result = function(*arguments, **keywords)
        name = canonical(name_of(function))
        return self._keep(place, name, function, arguments, keywords, result)

    def _numpy(
        self, place: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> bool:
        name = name_of(function)
        if keywords.get("out") is not None:
            return self._out(place, function, arguments, keywords)
        if isinstance(function, np.ufunc) and len(arguments) > function.nin:
            keywords = {**keywords, "out": arguments[function.nin]}
            return self._out(place, function, arguments[: function.nin], keywords)
        if name in CHANGING_FUNCTIONS and isinstance(arguments[0], np.ndarray):
            return self._changing(place, function, arguments, keywords)
        if name in OPAQUE:
            return self._opaque(place, function, arguments, keywords)
        if name in NOT_OPERATIONS:
            self.result = function(*arguments, **keywords)
            return True
        try:
            return self._operation(place, function, arguments, keywords)
        finally:
            self._doubt(name, arguments, keywords)

    def _doubt(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Of an operation that is not known to leave its operands alone, doubt the operands."""
        is_pure = canonical(name) in PURE and "copy" not in keywords
        for argument in arguments[2:] if is_pure else (*arguments, *keywords.values()):
            for each in argument if type(argument) in (list, tuple) else (argument,):
                if isinstance(each, np.ndarray):
                    self.recorder.memory.doubt_array(each)

    def _method(
        self,
        place: int,
        owner: Any,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> bool:
        name = name_of(function)
        if name in NOT_OPERATIONS:
            return False
        method = Method(name)
        if name in CHANGING_METHODS and isinstance(owner, np.ndarray):
            return self._changing(place, method, (owner, *arguments), keywords)
        if keywords.get("out") is not None:
            return self._out(place, method, (owner, *arguments), keywords)
        if name == "tolist" and isinstance(owner, np.ndarray):
            self.result = self._listed(place, owner)
            return True
        result = function(*arguments, **keywords)
        given = (owner, *arguments)
        kept = self._keep(place, canonical(name), method, given, keywords, result)
        self._doubt(name, given, keywords)
        return kept

    def _listed(self, place: int, array: np.ndarray[Any, Any]) -> Any:
        """`array.tolist()`, with each of its numbers linked to the array."""
        result = array.tolist()
        node = self.recorder.memory.node_of(array)
        if node is None or array.dtype.kind != "f" or array.ndim == 0 or array.size > 5000:
            return result
        for where in np.ndindex(*array.shape):
            held = result
            for number in where:
                held = held[number]
            made = self.recorder.make("take", take_number, (Ref(node), where), {}, held, place)
            self.recorder.memory.put(held, made)
        return result

    def _out(
        self, place: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> bool:
        """A function that writes its result into an array it is given."""
        recorder, memory = self.recorder, self.recorder.memory
        target = keywords["out"]
        if type(target) is tuple:
            if len(target) != 1:
                return False
            target = target[0]
        if not isinstance(target, np.ndarray) or memory.node_of(target) is None:
            return False
        before = memory.before_writing(target)
        referred = tuple([recorder.refer(argument) for argument in arguments])
        others = {name: value for name, value in keywords.items() if name != "out"}
        named = {name: recorder.refer(value) for name, value in others.items()}
        result = function(*arguments, **keywords)
        name = canonical(name_of(function))
        cast = Cast(function, target)
        node = recorder.make(name, cast, referred, named, copy_of(target), place)
        memory.written(target, before, node, place)
        self.result = result
        return True

    def _changing(
        self, place: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> bool:
        """A function that changes its first argument."""
        recorder, memory = self.recorder, self.recorder.memory
        target = arguments[0]
        if memory.node_of(target) is None:
            return False
        before = memory.before_writing(target)
        referred = tuple([recorder.refer(argument) for argument in arguments])
        named = {name: recorder.refer(value) for name, value in keywords.items()}
        self.result = function(*arguments, **keywords)
        changing = Changing(function)
        node = recorder.make(name_of(function), changing, referred, named, copy_of(target), place)
        memory.written(target, before, node, place)
        return True

    def _of_ufunc(
        self,
        place: int,
        owner: np.ufunc,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> bool:
        name = name_of(function)
        if name == "at":
            method = Changing(OfUfunc(owner, "at"))
            recorder, memory = self.recorder, self.recorder.memory
            target = arguments[0]
            if not isinstance(target, np.ndarray) or memory.node_of(target) is None:
                return False
            before = memory.before_writing(target)
            referred = (
                recorder.refer(target),
                recorder.kept(arguments[1]),
                *[recorder.refer(each) for each in arguments[2:]],
            )
            function(*arguments, **keywords)
            node = recorder.make(
                f"{owner.__name__}.at", method, referred, {}, copy_of(target), place
            )
            memory.written(target, before, node, place)
            self.result = None
            return True
        if keywords.get("out") is not None:
            return False
        result = function(*arguments, **keywords)
        return self._keep(
            place, f"{owner.__name__}.{name}", OfUfunc(owner, name), arguments, keywords, result
        )

    def _drawn(
        self, place: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> bool:
        """A random number is a leaf with a place."""
        recorder = self.recorder
        if name_of(function) == "shuffle" or any(self._is_own(each) for each in arguments):
            return False
        result = function(*arguments, **keywords)
        if is_followed(result) and not recorder.memory.is_known(result):
            node = recorder.make("leaf", function, (), {}, copy_of(result), place)
            recorder.memory.put(result, node)
        self.result = result
        return True

    def _builtin(
        self, place: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> bool:
        if function is print:
            for argument in arguments:
                self.recorder.show(place, argument, "print")
            return False
        if id(function) not in REDUCTIONS or "key" in keywords:
            return False
        if not all(self._is_numeric(argument) for argument in arguments):
            return False
        return self._operation(place, function, arguments, keywords)

    def _is_numeric(self, argument: Any) -> bool:
        kind = type(argument)
        if kind is list or kind is tuple:
            return all(type(each) in (int, bool) or is_followed(each) for each in argument)
        return kind is int or kind is bool or is_followed(argument)

    def _of_list_or_text(
        self,
        place: int,
        owner: Any,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> bool:
        name = name_of(function)
        if name in ("append", "format"):
            for argument in (*arguments, *keywords.values()):
                self.recorder.show(place, argument, name)
        return False

    def _opaque(
        self, place: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> bool:
        """A function that calls the program's code for each element: one operation."""
        recorder = self.recorder
        silent = Silent(recorder, function)
        result = silent(*arguments, **keywords)
        recorder.doubt()
        name = canonical(name_of(function))
        return self._keep(place, name, silent, arguments, keywords, result)

    def indexed(self, place: int, owner: Any, where: Any, result: Any) -> Any:
        """`np.r_[...]`, `np.c_[...]`: operations that look like an index."""
        if isinstance(owner, CONCATENATORS):
            arguments = where if type(where) is tuple else (where,)
            return self.recorder.result(
                "r_" if type(owner) is CONCATENATORS[0] else "c_",
                Concatenating(owner),
                arguments,
                {},
                result,
                place,
            )
        return result


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


class Silent:
    """A function that is called without recording what happens in it."""

    def __init__(self, recorder: Recorder, function: Any) -> None:
        self.recorder, self.function, self.__name__ = recorder, function, name_of(function)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        on, self.recorder.on = self.recorder.on, False
        try:
            return self.function(*arguments, **keywords)
        finally:
            self.recorder.on = on
