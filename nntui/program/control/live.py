"""The live values of a running program, under the names that its author would write.

A value is found from the variables of the active functions and of the program's modules: in
lists, tuples, dictionaries, attributes of the program's own classes, and closures.
"""

import sys
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import (
    FrameType,
    FunctionType,
    ModuleType,
)
from typing import Any

import numpy as np

from nntui.program.control.containers import PLAIN, Setter, is_generator, is_own, parts_of
from nntui.program.record.following.live_values import identity

Slot = tuple[int, str]
"""A container's identity and the place in it."""

DEEPEST = 7
"""Levels of containers that are entered."""
MOST = 20_000
"""Values that are listed."""
OURS = "_nn"
"""The names that instrumentation adds to a module begin with this."""


@dataclass
class Live:
    """A value that is alive now.

    ``set`` gives its name another value: the variable, element or attribute is bound to it.  It is
    None for elements of tuples, which can only be changed in place.

    ``alias_of`` is the name of an earlier entry that is the same array, or the same element, now.
    That may change: ``w = w0`` in front of a loop makes one array of both until ``w`` is rebound.
    """

    name: str
    value: Any
    set: Setter | None
    alias_of: str | None = None


def set_local(frame: FrameType, name: str, value: Any) -> None:
    """Bind the local variable ``name`` of an active function to ``value``."""
    variables = frame.f_locals
    variables[name] = value
    if sys.version_info < (3, 13):  # from 3.13 on f_locals writes through (PEP 667)
        import ctypes

        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))


class _Walk:
    def __init__(
        self,
        modules: Mapping[str, ModuleType],
        whole: bool,
        everything: bool,
        homes: dict[int, str],
    ) -> None:
        self._modules, self._whole, self._everything = modules, whole, everything
        self._homes = homes
        self._objects: set[int] = set()
        self._first: dict[Slot, str] = {}
        self.found: list[Live] = []

    def enter(self, name: str, value: Any, put: Setter | None) -> None:
        """List what is within ``value``."""
        self._visit(name, value, put, 0, set(), None)

    def _list(self, name: str, value: Any, put: Setter | None, slot: Slot | None) -> None:
        first = name if slot is None else self._first.setdefault(slot, name)
        self.found.append(Live(name, value, put, None if first == name else first))

    def _visit(
        self,
        name: str,
        value: Any,
        put: Setter | None,
        depth: int,
        seen: set[int],
        slot: Slot | None,
    ) -> None:
        if len(self.found) >= MOST:
            return
        kind = type(value)
        if kind is float or kind is complex or isinstance(value, np.generic):
            self._list(name, value, put, slot)
            return
        if kind in PLAIN:
            if self._everything or (self._whole and kind in (int, bool)):
                self._list(name, value, put, slot)
            return
        if identity(value) in seen or depth > DEEPEST:
            return
        if isinstance(value, np.ndarray) and value.dtype.kind != "O":
            if value.dtype.kind in "fiubc" or self._everything:
                self._list(name, value, put, (identity(value), ""))
            return
        if is_own(value, self._modules):
            if identity(value) in self._objects:
                return
            self._objects.add(identity(value))
            name = self._homes.get(identity(value), name)
        seen.add(identity(value))
        if self._everything and is_generator(value):
            self.found.append(Live(name, value, None))
            return
        if self._everything and isinstance(value, set | frozenset):
            plain = [repr(each) for each in value if isinstance(each, (*PLAIN, float))]
            self.found.append(Live(name, " ".join(sorted(plain)), None))
            return
        for part, each, put_part in parts_of(value, self._modules, self._everything):
            self._visit(name + part, each, put_part, depth + 1, seen, (identity(value), part))


@dataclass
class _Root:
    name: str
    value: Any
    set: Setter | None
    depth: int
    """Functions around its variable; 0 for a module's."""
    alias: bool
    """Whether it only names for a while what has a name of its own, such as a loop's variable."""


class Names:
    """Finds the live values of a program.

    ``files`` are the program's source files and ``modules`` its modules by name, the main one
    first; both may grow.  ``aliases`` has, by file and function, the variables that are bound to
    elements and attributes of something else only.

    Scoping is Python's: the variables of the innermost active function have their plain names, so
    do those of the functions that called it and of the main module, unless an inner one hides
    them; then it is ``train:W1`` for a local of ``train``, and ``<module>:W1``.  An object of the
    program's classes has one name, the one that is reached from furthest outside:
    ``network.W1``, not ``self.W1``.  An array with several names is listed under each, the best
    first.
    """

    def __init__(
        self,
        files: Collection[str],
        modules: Mapping[str, ModuleType],
        aliases: Mapping[tuple[str, str], Collection[str]],
    ) -> None:
        self._files, self._modules, self._aliases = files, modules, aliases

    def frames(self) -> list[FrameType]:
        """The active functions of the program, innermost first."""
        frame: FrameType | None = sys._getframe(1)
        found = []
        while frame is not None:
            code = frame.f_code
            if code.co_filename in self._files and code.co_name != "<module>":
                found.append(frame)
            frame = frame.f_back
        return found

    def live(self, *, whole: bool = False, everything: bool = False) -> list[Live]:
        """Every number and every numeric array.

        Integers and booleans with ``whole``; those, text, long lists and random generators with
        ``everything``.
        """
        roots = self._roots()
        walk = _Walk(self._modules, whole, everything, self._homes(roots))
        for root in sorted(roots, key=lambda each: each.alias):
            walk.enter(root.name, root.value, root.set)
        return walk.found

    def _roots(self) -> list[_Root]:
        found: list[_Root] = []
        taken: set[str] = set()
        frames = self.frames()
        for at, frame in enumerate(frames):
            code = frame.f_code
            outer = {
                name
                for each in frames[at + 1 :]
                for name in (*each.f_code.co_cellvars, *each.f_code.co_freevars)
            }
            aliases = self._aliases.get((code.co_filename, code.co_name), ())
            mine: list[_Root] = []
            shared = outer.intersection(code.co_freevars)
            """Variables of a function outside, which is active too."""
            for name, value in list(frame.f_locals.items()):
                if name.startswith((".", "__", OURS)):
                    continue
                if name in shared:
                    continue

                def put(new: Any, frame: FrameType = frame, name: str = name) -> None:
                    set_local(frame, name, new)

                label = name if name not in taken else f"{code.co_name}:{name}"
                mine.append(_Root(label, value, put, len(frames) - at, name in aliases))
            found += mine
            taken.update({*code.co_varnames, *code.co_cellvars, *code.co_freevars} - shared)
        for at, (module_name, module) in enumerate(self._modules.items()):
            aliases = self._aliases.get((getattr(module, "__file__", ""), "<module>"), ())
            for name, value in list(module.__dict__.items()):
                if name.startswith(("__", OURS)) or _of_a_library(name, value):
                    continue

                def put_global(new: Any, module: ModuleType = module, name: str = name) -> None:
                    module.__dict__[name] = new

                label = name if at == 0 else f"{module_name}.{name}"
                if label in taken:
                    label = f"<module>:{name}"
                found.append(_Root(label, value, put_global, 0, name in aliases))
        closures = [
            _Root(f"{root.name}:{name}", value, put, root.depth, root.alias)
            for root in found
            if isinstance(root.value, FunctionType)
            for name, value, put in self._closure(root.value, frames)
        ]
        return _distinct(found + closures)

    def _closure(
        self, function: FunctionType, frames: list[FrameType]
    ) -> Iterator[tuple[str, Any, Setter]]:
        """Variables that ``function`` keeps of functions that have returned."""
        if function.__code__.co_filename not in self._files:
            return
        names = function.__code__.co_freevars
        for name, cell in zip(names, function.__closure__ or (), strict=False):
            if any(name in (*f.f_code.co_cellvars, *f.f_code.co_freevars) for f in frames):
                continue
            try:
                value = cell.cell_contents
            except ValueError:  # not bound yet
                continue

            def put(new: Any, cell: Any = cell) -> None:
                cell.cell_contents = new

            yield name, value, put

    def _homes(self, roots: list[_Root]) -> dict[int, str]:
        """The name of each object of the program's classes, by its identity."""
        homes: dict[int, str] = {}
        ordered = sorted(roots, key=lambda each: (each.alias, each.name == "self", each.depth))
        for root in ordered:
            seen: set[int] = set()
            queue = deque([(root.name, root.value, 0)])
            while queue and len(seen) < MOST:
                path, value, depth = queue.popleft()
                if identity(value) in seen or depth > DEEPEST:
                    continue
                seen.add(identity(value))
                if is_own(value, self._modules):
                    if identity(value) in homes:
                        continue
                    homes[identity(value)] = path
                queue.extend(
                    (path + part, each, depth + 1)
                    for part, each, _ in parts_of(value, self._modules, False)
                )
        return homes


def _of_a_library(name: str, value: Any) -> bool:
    """Whether a global number comes from ``from numpy import *`` or ``from math import pi``."""
    return isinstance(value, float | np.generic) and any(
        vars(library).get(name) is value
        for library in (np, sys.modules.get("math"))
        if library is not None
    )


def _distinct(roots: list[_Root]) -> list[_Root]:
    """The same, with a number behind names that occur again, as in recursion."""
    counts: dict[str, int] = {}
    for root in roots:
        count = counts[root.name] = counts.get(root.name, 0) + 1
        if count > 1:
            root.name = f"{root.name}#{count}"
    return roots
