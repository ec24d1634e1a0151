"""Finds the preset that computes what a program computes, proven by running both.

`reading` runs inside the program's process; the rest runs in nntui's.  The names are imported on
first use, so that the program's process loads no more than it needs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nntui.program.recognise.description import Description
    from nntui.program.recognise.recognised import Counterpart, Recognised
    from nntui.program.recognise.showing import show

__all__ = ["Counterpart", "Description", "Recognised", "show"]

_HOMES = {
    "Counterpart": "nntui.program.recognise.recognised",
    "Description": "nntui.program.recognise.description",
    "Recognised": "nntui.program.recognise.recognised",
    "show": "nntui.program.recognise.showing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nntui.program.recognise' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
