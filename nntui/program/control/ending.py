"""How a program ended: at its end, by `sys.exit`, by an exception, or stopped by nntui."""

import os
import sys
import traceback
from collections.abc import Collection
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

END, EXIT, CRASH, REFUSED, DIED = "end", "exit", "crash", "refused", "died"
OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of what runs inside a program."""
INSTALLED_AS = {
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "cv2": "opencv-python",
    "PIL": "Pillow",
    "yaml": "PyYAML",
    "bs4": "beautifulsoup4",
    "mpl_toolkits": "matplotlib",
}
"""What to install for a module whose package has another name."""


@dataclass(frozen=True)
class Ending:
    """How a program ended, and where.

    ``kind`` is ``end``, ``exit``, ``crash``, ``refused`` (an effect) or ``died`` (its process was
    killed); ``message`` is one line, the program's own last one for a crash; ``file`` and ``line``
    are the innermost place in the program itself.
    """

    kind: str
    code: int
    """The exit code, as the program alone would have given it to the shell."""
    message: str = ""
    file: str | None = None
    line: int | None = None
    hint: str = ""
    """What would help, as a clause."""

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, as they are sent."""
        return asdict(self)


def exit_ending(error: SystemExit) -> Ending:
    """The ending by ``sys.exit(...)``; a text as its argument was printed by the caller."""
    code = error.code
    if code is None:
        return Ending(EXIT, 0)
    if isinstance(code, int):
        return Ending(EXIT, code & 0xFF)
    return Ending(EXIT, 1, _line(str(code)))


def crash_ending(error: BaseException, files: Collection[str], hint: str = "") -> Ending:
    """The ending by an exception that the program did not catch."""
    file, line = last_place(error.__traceback__, files)
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno
    return Ending(CRASH, 1, message_of(error), file, line, hint or _missing(error))


def message_of(error: BaseException) -> str:
    """The last line that Python prints of an exception."""
    try:
        lines = traceback.format_exception_only(type(error), error)
    except Exception:  # a __str__ of the program's own that fails
        lines = [type(error).__name__]
    if isinstance(error, SyntaxError):
        return _line(lines[-1])
    return _line(lines[0])


def last_place(
    trace: TracebackType | None, files: Collection[str]
) -> tuple[str | None, int | None]:
    """File and line of the innermost frame of ``trace`` in one of ``files``."""
    place: tuple[str | None, int | None] = None, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            place = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return place


def from_program(trace: TracebackType | None, files: Collection[str]) -> TracebackType | None:
    """``trace`` from the program's first frame on, without frames of ours."""
    frames: list[TracebackType] = []
    at = trace
    while at is not None:
        name = at.tb_frame.f_code.co_filename
        if name in files or (frames and not name.startswith(OURS)):
            frames.append(at)
        at = at.tb_next
    kept: TracebackType | None = None
    for each in reversed(frames):
        kept = TracebackType(kept, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return kept


def _missing(error: BaseException) -> str:
    """The command that installs a module that is missing."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    top = error.name.partition(".")[0]
    if top in sys.modules or top in sys.stdlib_module_names:
        return ""
    return f"install it with: {sys.executable} -m pip install {INSTALLED_AS.get(top, top)}"


def _line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[0].strip()[:1000] if lines else ""
