"""Starts the host of a program: ``python bootstrap.py``, with any interpreter that has NumPy.

It loads nntui's own packages from their folder and puts no folder on the interpreter's path, so
that the program finds the packages that it would find alone.
"""

from __future__ import annotations  # older interpreters get as far as `unfit`

import importlib
import json
import os
import stat
import struct
import sys
from importlib.util import module_from_spec, spec_from_file_location

OLDEST = (3, 11)


def load(folder: str) -> None:
    """Make the package ``nntui`` importable from ``folder``."""
    spec = spec_from_file_location(
        "nntui", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["nntui"] = module
    spec.loader.exec_module(module)


def unfit() -> str | None:
    """Why this interpreter cannot run a program for nntui, in one line; None if it can."""
    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:2]))
        return f"{sys.executable} is Python {version}; nntui needs {'.'.join(map(str, OLDEST))}"
    try:
        importlib.import_module("numpy")
    except ImportError:
        return f"NumPy is missing; install it with: {sys.executable} -m pip install numpy"
    return None


def channel() -> int:
    """The descriptor to answer on: a socket is one for both directions, pipes are two."""
    return 0 if stat.S_ISSOCK(os.fstat(0).st_mode) else 1


def main() -> None:
    """Serve the process at the other end of standard input."""
    here = os.path.dirname(os.path.abspath(__file__))
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    problem = unfit()
    if problem is not None:
        # A frame of `wire`, by hand: that module imports NumPy.
        text = json.dumps({"problem": problem}).encode()
        first = json.dumps([2, len(text)]).encode()
        frame = bytes([len(first)]) + first + b"[]" + text
        os.write(channel(), struct.pack("<Q", len(frame)) + frame)
        return
    load(os.path.dirname(os.path.dirname(here)))
    from nntui.program.control.host import serve

    serve(channel())


if __name__ == "__main__":
    main()
