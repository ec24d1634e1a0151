"""Diagnoses a person's program: the program as a subject, and experiments with it.

The names are imported on first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nntui.program.why.explaining import why
    from nntui.program.why.program_answer import ProgramAnswer

__all__ = ["ProgramAnswer", "why"]

_HOMES = {
    "ProgramAnswer": "nntui.program.why.program_answer",
    "why": "nntui.program.why.explaining",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nntui.program.why' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
