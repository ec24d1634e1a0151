"""How the operations among the calls are made and recorded."""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import Any

import numpy as np

from nntui.program.record.callables import Cast, Changing, Method, OfUfunc, Part, Silent, Writing
from nntui.program.record.calling.known import (
    CALL,
    CHANGING_FUNCTIONS,
    CHANGING_METHODS,
    NOT_OPERATIONS,
    OPAQUE,
    POSITION_OF_OUT,
    PURE,
    REDUCTIONS,
)
from nntui.program.record.following.live_values import copy_of, identity, is_followed
from nntui.program.record.following.windows import take_number
from nntui.program.record.hooks.operators import Operators
from nntui.program.record.node import Ref
from nntui.program.record.operations import canonical, name_of


class Called:
    """Makes calls. Each method tells whether it did; then `result` holds what came of it."""

    def __init__(self, recorder: Operators) -> None:
        self.recorder = recorder
        self.result: Any = None

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
        if len(arguments) == POSITION_OF_OUT.get(name, -1) + 1:
            keywords = {**keywords, "out": arguments[-1]}
            return self._out(place, function, arguments[:-1], keywords)
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
        others = {name: value for name, value in keywords.items() if name != "out"}
        if "where" in others:  # what is not written keeps its value
            return self._changing(place, Writing(function), (target, *arguments), others)
        before = memory.before_writing(target)
        referred = tuple([recorder.refer(argument) for argument in arguments])
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
        if not isinstance(target, np.ndarray) or memory.node_of(target) is None:
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
        method = OfUfunc(owner, name_of(function))
        if method.name == "at":
            return self._changing(place, method, arguments, keywords)
        if keywords.get("out") is not None:
            return False
        result = function(*arguments, **keywords)
        return self._keep(place, method.__name__, method, arguments, keywords, result)

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
        if identity(function) not in REDUCTIONS or "key" in keywords:
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

    def _outputs(self, place: int, function: Any, arguments: tuple[Any, ...]) -> None:
        for argument in arguments:
            if is_followed(argument):
                self.recorder.show(place, argument, name_of(function))

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
