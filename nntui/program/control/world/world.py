"""The world of a program: streams, input, plots, files, seeds and effects, put in their places."""

import atexit
import builtins
import io
import os
import sys
import warnings
from collections.abc import Callable, Collection
from contextlib import suppress

from nntui.program.control.world.captured_output import (
    CapturedOutput,
    EmptyInput,
    answer_nothing,
    text_stream,
)
from nntui.program.control.world.effects import Effects, Refused
from nntui.program.control.world.file_functions import FileFunctions
from nntui.program.control.world.parting import Parting
from nntui.program.control.world.scratch_files import ScratchFiles
from nntui.program.control.world.seeding import Seeding
from nntui.program.control.world.stubs import finders


class World:
    """What the program in ``folder`` meets instead of the world; kept in the folder ``scratch``."""

    def __init__(
        self,
        scratch: str,
        folder: str,
        files: Collection[str],
        seed: int | None,
        refuse: Callable[[Refused], None],
        allow_effects: bool,
    ) -> None:
        self._folder = folder
        self._streams: tuple[io.TextIOWrapper, ...] = ()
        self.output = CapturedOutput(os.path.join(scratch, "output"), 1)
        self.errors = CapturedOutput(os.path.join(scratch, "errors"), 2)
        self.files = ScratchFiles(scratch)
        self.seeding = Seeding(seed)
        self._effects = Effects(self.files, files, refuse, allow_effects)

    def install(self) -> None:
        """Change this process; nothing changes it back."""
        sys.dont_write_bytecode = True
        atexit._clear()  # what this process would do at its end is not for the program to do
        # From Python 3.12 on, forking warns of the threads of the linear algebra library, which
        # ends them before a fork.
        warnings.filterwarnings("ignore", r".* is multi-threaded, use of fork", DeprecationWarning)
        self._streams = text_stream(self.output), text_stream(self.errors)
        streams = EmptyInput(), *self._streams
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        builtins.input = answer_nothing
        first, last = finders()
        sys.meta_path.insert(0, first)
        sys.meta_path.append(last)
        self.seeding.install()
        FileFunctions(self.files).install()
        self._effects.install()

    def part(self) -> Parting:
        """In front of a fork: what it needs to go on with files of its own."""
        return self.files.part()

    def flush(self, at_end: bool = False) -> None:
        """Move what was printed to the captured output.

        Streams of the program's own are asked ``at_end`` only, as by Python: they may do anything.
        """
        for now, ours in zip((sys.stdout, sys.stderr), self._streams, strict=True):
            with suppress(Exception):
                if at_end or type(now) is io.TextIOWrapper:
                    now.flush()
            with suppress(Exception):
                ours.flush()

    def hint(self, error: BaseException) -> str:
        """What would help against ``error``, as a clause; empty if nothing is known."""
        if not isinstance(error, OSError):
            return ""
        name = self.files.beside(self._folder)
        if name is None:
            return ""
        return f"{name} is in the program's folder: run it from there, with cd {self._folder}"
