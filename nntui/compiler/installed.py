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


def is_wanted() -> bool:
    """Whether to compile where nothing is said: if it is installed, unless ``NNTUI_PLAYER=numpy``."""
    return is_installed() and os.environ.get(VARIABLE) != "numpy"
