"""The recording in the making: nodes, their bounds, and what live values they stand for."""

from __future__ import annotations

import gc
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

from nntui.program.record.following.live_values import copy_of, fresh, is_borrowable, is_followed
from nntui.program.record.following.memory import Copies, Memory
from nntui.program.record.following.trail import Trail
from nntui.program.record.node import Node, Path, Ref
from nntui.program.record.places import Places

Hook = Callable[[int], None]

MOST_NODES = 60_000
MOST_BYTES = 1_000_000_000
LONGEST_LIST = 5_000
"""Lists with more elements than this are not looked into."""
DEEPEST_LIST = 4
SWITCHES = frozenset({"on", "on_iteration", "on_left"})


class Making:
    """Makes nodes, and can be switched; see `Recorder`."""

    on: bool
    awake: bool
    outside: int | None

    def __init__(self, places: Places | None = None) -> None:
        self.places = places if places is not None else Places()
        self.on_iteration: Hook | None = None
        self.on_left: Hook | None = None
        self.on_seen: Callable[[int, Any, Any], None] | None = None
        self.on_full: Callable[[], None] | None = None
        self.most_nodes, self.most_bytes = MOST_NODES, MOST_BYTES
        self.on = self._collects = False
        self.copies = Copies()
        self.reset()

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in SWITCHES:
            switches = self.__dict__
            if name == "on" and "memory" in switches:
                self._switched(bool(value))
            awake = switches.get("on") or switches.get("on_iteration") or switches.get("on_left")
            object.__setattr__(self, "awake", bool(awake))

    def _switched(self, on: bool) -> None:
        if on:
            self.memory.doubt()  # what ran meanwhile was not recorded
            if self.outside is None:
                self.outside = len(self.nodes)  # leaves that were named before
            if gc.isenabled():  # it would go through all nodes again and again
                gc.disable()
                object.__setattr__(self, "_collects", True)
            return
        self.memory.settle()
        if self._collects:
            gc.enable()
            object.__setattr__(self, "_collects", False)

    def reset(self) -> None:
        """Forget the recording; `on`, the hooks and the bounds stay."""
        self.nodes: list[Node] = []
        self.assignments: list[tuple[int, Node, Path]] = []
        self.outputs: list[tuple[int, Node, str]] = []
        self.warnings: list[str] = []
        self.copies.next_recording()
        self.trail = Trail()
        self.memory = Memory(self.make, self.copies)
        self.bytes = 0
        self.outside = None
        self.full = False

    def make(
        self,
        operation: str,
        function: Callable[..., Any] | None,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        value: Any,
        place: int,
        name: str | None = None,
    ) -> Node:
        """Append a node; `value` must be a copy."""
        trail = self.trail
        node = Node(
            len(self.nodes),
            operation,
            function,
            arguments,
            keywords,
            value,
            place,
            trail.path,
            trail.occurrence(place, operation),
            name,
        )
        self.nodes.append(node)
        if operation != "view":
            self.bytes += getattr(value, "nbytes", 24)
        most = self.most_nodes + (self.outside or 0)
        if self.on and (node.number >= most or self.bytes > self.most_bytes):
            self._fill()
        return node

    def _fill(self) -> None:
        if self.full:
            return
        self.full = True
        self.warnings.append(f"the recording is full with {len(self.nodes):,} values")
        if self.on_full is not None:
            self.on_full()
        else:
            self.on = False

    def node_of(self, value: Any, name: str | None = None) -> Node | None:
        """The node of a live value; a new leaf where it was not seen before; None: not followed."""
        if not self.on:
            self.memory.doubt()
        node = self.memory.node_of(value, name)
        if node is not None and node.name is None and name is not None:
            node.name = name
        return node

    def refer(self, value: Any, depth: int = 0) -> Any:
        """An argument as a node keeps it: references for what is followed, copies of the rest."""
        kind = type(value)
        if kind is float:
            node = self.memory.node_of(value)
            return value if node is None else Ref(node)
        if kind is list or kind is tuple:
            if depth < DEEPEST_LIST and len(value) <= LONGEST_LIST:
                return kind([self.refer(element, depth + 1) for element in value])
            return value
        if kind is int or kind is str or value is None:
            return value
        node = self.memory.node_of(value)
        if node is not None:
            return Ref(node)
        return value.copy() if kind is np.ndarray else value

    def result(
        self,
        operation: str,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        result: Any,
        place: int,
    ) -> Any:
        """Record that a function gave a result; returns it with an identity of its own."""
        if not is_followed(result):
            return result
        if isinstance(result, np.ndarray):
            if self.memory.is_known(result):
                return result  # a view of something known, or an argument itself
        elif any(result is argument for argument in arguments) or self.memory.is_known(result):
            result = fresh(result)
        referred = tuple([self.refer(argument) for argument in arguments])
        named = {name: self.refer(argument) for name, argument in keywords.items()}
        kept = result if is_borrowable(result) else copy_of(result)
        node = self.make(operation, function, referred, named, kept, place)
        self.memory.put(result, node)
        return result

    def is_own(self, code: CodeType) -> bool:
        """Whether code is the program's."""
        return code.co_filename in self.places.sources

    def doubted(self, result: Any) -> Any:
        """The result of something that may have changed any array."""
        self.doubt()
        return result

    def doubt(self) -> None:
        """Something ran that may have changed any array."""
        self.memory.doubt()
        self.memory.trusting = not self.trail.is_abroad()
