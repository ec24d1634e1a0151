"""A person's own program, unchanged: run under control, checked, and its wrong line named.

The names are imported on first use: parts of this package run inside the program's interpreter,
and load no more than they need there.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nntui.program.answer import ProgramCheck
    from nntui.program.checking import check
    from nntui.program.program_error import ProgramError

__all__ = ["ProgramCheck", "ProgramError", "check"]

_HOMES = {
    "ProgramCheck": "nntui.program.answer",
    "ProgramError": "nntui.program.program_error",
    "check": "nntui.program.checking",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nntui.program' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
