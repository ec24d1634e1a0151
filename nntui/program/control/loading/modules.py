"""The modules of a program: compiled with their loops watched, and what their source tells."""

import ast
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import CodeType, ModuleType

from nntui.program.control.loading.neighbours import NeighbourFinder
from nntui.program.control.loading.source_file import (
    alias_names,
    decoded,
    makes_sets,
    plain_classes,
)
from nntui.program.program_error import ProgramError
from nntui.program.record.instrument import compile_program
from nntui.program.record.places import Loop, Places, Site

LoopLine = int | tuple[str, int]
"""A loop by its line in the program's file, or by file and line."""


class Modules:
    """The program at ``path`` and the modules beside it, as far as they have been imported.

    ``loops`` restricts the loops that are watched; None is all of them.  ``texts`` has, by file,
    source to compile in the place of what the file holds, ``rewrite`` may change a file's tree, and
    the expressions at ``sites`` tell the recorder their values.
    """

    def __init__(
        self,
        path: str,
        loops: Collection[LoopLine] | None,
        texts: Mapping[str, str],
        rewrite: Callable[[str, ast.Module], None],
        sites: Sequence[Site] = (),
    ) -> None:
        self._path, self._rewrite, self._sites = path, rewrite, sites
        self._texts = {os.path.realpath(file): text for file, text in texts.items()}
        self._wanted = None if loops is None else {self._full(each) for each in loops}
        self.places = Places()
        self.named: dict[str, ModuleType] = {}
        """By name, the main one first."""
        self.files: set[str] = set()
        self.aliases: dict[tuple[str, str], set[str]] = {}
        """By file and function, the variables that only name parts of others."""
        self.plain_classes: set[tuple[str, int]] = set()
        """File and line of the classes whose objects are hashed by their identity, and put into
        sets as far as can be seen: to hash them in another way is slow."""
        self._classes: set[tuple[str, int]] = set()
        self._makes_sets = False

    def compile(self, file: str, data: bytes | str) -> CodeType:
        """The code of ``file``; raises SyntaxError, and ProgramError for what is no text."""
        read = data if isinstance(data, str) else decoded(file, data)
        text = self._texts.get(os.path.realpath(file), read)
        rewrite = partial(self._rewrite, file)
        loops: set[int] | None = None
        if self._wanted is not None:
            first = Places()
            compile_program(text, file, first, (), rewrite)
            offset = len(self.places.loops)
            loops = {offset + each.number for each in first.loops if self._is_wanted(each)}
        code = compile_program(text, file, self.places, loops, rewrite, self._sites)
        self.files.add(file)
        tree = ast.parse(text)
        for function, names in alias_names(tree).items():
            self.aliases[file, function] = names
        if makes_sets(tree):
            self._makes_sets = True
        self._classes.update((file, line) for line in plain_classes(tree))
        if self._makes_sets:
            self.plain_classes.update(self._classes)
        return code

    def add(self, module: ModuleType, file: str) -> None:
        """``module`` is about to be executed."""
        self.files.add(file)
        self.named[module.__name__] = module

    def finder(self) -> NeighbourFinder:
        """Finds the modules beside the program."""
        folder = os.path.dirname(os.path.realpath(self._path))
        return NeighbourFinder(folder, self.compile, self.add)

    def require_loops(self, given: str) -> None:
        """Raise ProgramError if the program's own file has none of the loops that are wanted."""
        own = os.path.realpath(self._path)
        here = {line for file, line in self._wanted or () if file == own}
        if here and not any(self._is_wanted(each) for each in self.places.loops):
            lines = " or ".join(map(str, sorted(here)))
            raise ProgramError(f"{given} has no loop on line {lines}")

    def _is_wanted(self, loop: Loop) -> bool:
        return self._wanted is not None and (os.path.realpath(loop.file), loop.line) in self._wanted

    def _full(self, loop: LoopLine) -> tuple[str, int]:
        file, line = (self._path, loop) if isinstance(loop, int) else loop
        return os.path.realpath(os.path.join(os.path.dirname(self._path), file)), line
