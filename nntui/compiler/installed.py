"""Whether llvmlite, which compiles, is installed in a version that is known to work."""

import os
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

OLDEST = (0, 44)
"""The first version with the passes that are used."""


@lru_cache(maxsize=1)
def is_installed() -> bool:
    """Whether updates can be compiled; nothing is imported to find out."""
    try:
        found = version("llvmlite").split(".")
        return tuple(int(part) for part in found[:2]) >= OLDEST
    except (PackageNotFoundError, ValueError):
        return False


VARIABLE = "NNTUI_PLAYER"
"""The environment variable that says, if it is ``numpy``, not to compile unasked."""


def is_wanted() -> bool:
    """Whether to compile if nothing is said: it is installed, and not ``NNTUI_PLAYER=numpy``."""
    return is_installed() and os.environ.get(VARIABLE) != "numpy"
