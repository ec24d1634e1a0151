"""Imports the modules beside a program with the same instrumentation as the program."""

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from types import CodeType, ModuleType

LIBRARIES = ("site-packages", "dist-packages")
Compile = Callable[[str, bytes], CodeType]
Prepare = Callable[[ModuleType, str], None]


class NeighbourLoader(importlib.machinery.SourceFileLoader):
    """Loads a module of the program; writes no byte code beside it."""

    def __init__(self, name: str, path: str, compile_it: Compile, prepare: Prepare) -> None:
        super().__init__(name, path)
        self._compile, self._prepare = compile_it, prepare

    def get_code(self, fullname: str) -> CodeType:
        return self._compile(self.path, self.get_data(self.path))

    def exec_module(self, module: ModuleType) -> None:
        self._prepare(module, self.path)
        super().exec_module(module)


class NeighbourFinder(importlib.abc.MetaPathFinder):
    """Finds the modules within the folder of the program; the usual finder finds the others."""

    def __init__(self, folder: str, compile_it: Compile, prepare: Prepare) -> None:
        self._folder = os.path.realpath(folder) + os.sep
        self._compile, self._prepare = compile_it, prepare

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not importlib.machinery.SourceFileLoader:
            return None
        origin = spec.loader.path
        if not self._is_neighbour(origin):
            return None
        spec.loader = NeighbourLoader(fullname, origin, self._compile, self._prepare)
        return spec

    def install(self) -> None:
        """Stand in front of the usual finder, behind those of built-in modules."""
        usual = importlib.machinery.PathFinder
        at = sys.meta_path.index(usual) if usual in sys.meta_path else 0
        sys.meta_path.insert(at, self)

    def _is_neighbour(self, file: str) -> bool:
        real = os.path.realpath(file)
        if not real.startswith(self._folder):
            return False
        inside = real[len(self._folder) :].split(os.sep)
        if any(part in LIBRARIES for part in inside):
            return False
        return not any(
            real.startswith(os.path.realpath(prefix) + os.sep)
            and not self._folder.startswith(os.path.realpath(prefix) + os.sep)
            for prefix in {sys.prefix, sys.base_prefix}
        )
