"""What a program without a loop that learns does instead, as far as it shows why none was found."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.judge.probing.search import Found, Search
from nntui.program.judge.update.recorded_update import Recording

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

KINDS = {"c": "complex numbers", "O": "Python objects"}
"""By the kind of an array: what is in it that is not differentiated."""


def arrays_not_differentiated(execution: "Execution") -> dict[str, list[str]]:
    """By what they hold (see `KINDS`), the arrays at the top of the program's modules."""
    found: dict[str, list[str]] = {}
    for module in execution.modules.values():
        for name, value in list(vars(module).items()):
            if isinstance(value, np.ndarray) and value.dtype.kind in KINDS:
                found.setdefault(KINDS[value.dtype.kind], []).append(name)
    return found


def changing_loop(
    execution: "Execution", lines: tuple[int, ...], seconds: float
) -> dict[str, Any] | None:
    """File and line of the innermost loop that changes numbers at all, and their ``names``.

    ``lines`` restricts it to the loops that begin there; None if there is none.
    """

    def search(reply: "Reply") -> None:
        def on_found(found: Found) -> None:
            loop = execution.places.loops[found.loop]
            reply({"file": loop.file, "line": loop.line, "names": found.learning})

        def on_end() -> None:
            if searched.best is not None:
                on_found(searched.best)
            reply({})

        searched = Search(execution, on_found, lambda *_: {}, lines=lines, learn=_changed)
        execution.on_end = on_end
        searched.begin()

    found = execution.analyse(search, seconds)
    return found if "names" in found else None


def _changed(recording: Recording) -> list[str]:
    return list(recording.changed)
