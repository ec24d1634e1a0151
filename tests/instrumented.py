"""Runs a program's text in this process: plain, instrumented, and recorded."""

from __future__ import annotations

import contextlib
import io
import sys
import types
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from nntui.program.record.instrument import compile_program
from nntui.program.record.places import Places
from nntui.program.record.recorder import Recorder


class Run:
    """One run: what was printed, the module's names, and the recorder."""

    def __init__(self, recorder: Recorder | None, namespace: dict[str, Any], output: str) -> None:
        self.recorder, self.namespace, self.output = recorder, namespace, output

    @property
    def nodes(self) -> list[Any]:
        assert self.recorder is not None
        return self.recorder.nodes

    def texts(self, operation: str) -> list[str]:
        """The sources of all nodes with an operation."""
        places = self.recorder.places
        return [places.text(n.place) for n in self.nodes if n.operation == operation]

    def node(self, name: str) -> Any:
        """The node of a global variable."""
        return self.recorder.node_of(self.namespace[name])


@contextlib.contextmanager
def main_module(file: str) -> Any:
    """A `__main__` for the program, in the place of this process's own."""
    module, own = types.ModuleType("__main__"), sys.modules["__main__"]
    module.__file__ = file
    sys.modules["__main__"] = module
    try:
        yield module
    finally:
        sys.modules["__main__"] = own


def run_plain(text: str, file: str = "program.py", names: dict[str, Any] | None = None) -> Run:
    """Run a program as Python does; `names` are globals it finds."""
    printed = io.StringIO()
    with main_module(file) as module, contextlib.redirect_stdout(printed):
        module.__dict__.update(names or {})
        exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
    return Run(None, module.__dict__, printed.getvalue())


def run_instrumented(
    text: str,
    file: str = "program.py",
    on: bool = True,
    loops: Collection[int] | None = None,
    hook: Callable[[Recorder, int], None] | None = None,
    names: dict[str, Any] | None = None,
) -> Run:
    """Run a program with its recorder; `on` from the start, or as `hook` at each turn has it.

    `names` are globals it finds; they are the first leaves of the recording.
    """
    import builtins

    places = Places()
    recorder = Recorder(places)
    code = compile_program(text, file, places, loops)
    if hook is not None:
        recorder.on_iteration = lambda number: hook(recorder, number)
    printed = io.StringIO()
    builtins._nn = recorder
    try:
        with main_module(file) as module, contextlib.redirect_stdout(printed):
            module.__dict__.update(names or {})
            for name, value in (names or {}).items():
                recorder.node_of(value, name)
            recorder.on = on
            exec(code, module.__dict__)
    finally:
        recorder.on = False
    return Run(recorder, module.__dict__, printed.getvalue())


def written(folder: Path, text: str) -> str:
    """The path of a file that holds a program's text."""
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    return str(file)
