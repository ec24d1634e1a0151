"""nntui: a playground and debugger for small neural networks in a terminal.

The names of the library are imported on first use, so that the command line starts quickly.
"""

TYPE_CHECKING = False  # as type checkers know it; importing typing would take most of the time
if TYPE_CHECKING:
    from typing import Any

    from nntui.core.errors import ConfigError
    from nntui.presets import Preset, load_preset
    from nntui.program.program import Program
    from nntui.sweeps import SweepResult, sweep
    from nntui.timeline import Run, load_session

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "Preset",
    "Program",
    "Run",
    "SweepResult",
    "__version__",
    "load_preset",
    "load_session",
    "sweep",
]

_HOMES = {
    "ConfigError": "nntui.core.errors",
    "Preset": "nntui.presets",
    "Program": "nntui.program.program",
    "Run": "nntui.timeline",
    "SweepResult": "nntui.sweeps",
    "load_preset": "nntui.presets",
    "load_session": "nntui.timeline",
    "sweep": "nntui.sweeps",
}


def __getattr__(name: str) -> "Any":
    if name not in _HOMES:
        raise AttributeError(f"module 'nntui' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
