"""Whether llvmlite, which compiles, is installed in a version that has what is used of it."""

import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

NEEDED = Path("binding", "newpassmanagers.py")
"""A module that llvmlite has since version 0.44."""
VARIABLE = "NNTUI_PLAYER"
"""The environment variable that says, if it is ``numpy``, not to compile unasked."""


@lru_cache(maxsize=1)
def is_installed() -> bool:
    """Whether updates can be compiled; nothing is imported to find out."""
    found = find_spec("llvmlite")
    places = found.submodule_search_locations if found is not None else None
    return any(Path(place, NEEDED).exists() for place in places or ())


def is_wanted() -> bool:
    """Whether to compile if nothing is said: it is installed, and not ``NNTUI_PLAYER=numpy``."""
    return is_installed() and os.environ.get(VARIABLE) != "numpy"
