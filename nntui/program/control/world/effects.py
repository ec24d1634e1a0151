"""Keeps a program from starting processes, connecting, deleting and writing, before it does.

An audit hook (PEP 578) sees each such event first, whoever causes it.  It cannot be removed, and it
ends the process, so that no ``except:`` of the program hides it.  It is there because parts of the
program may run many times, and protects from accidents: neither from malice nor from compiled code
that asks the system itself.
"""

import importlib
import os
import sys
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any

from nntui.program.control import forks
from nntui.program.control.world.scratch_files import WRITING, ScratchFiles


@dataclass(frozen=True)
class Refused:
    """An effect that a program was kept from, and the line of the program that asked for it."""

    event: str
    """The name of the audit event, such as ``os.remove``."""
    what: str
    """A clause: ``deletes data.csv``."""
    file: str | None
    line: int | None

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, as they are sent."""
        return asdict(self)


LOSS_FILE, LOSS_OPTION = "<--loss>", "--loss"
"""The file of a loss that was asked for as an expression, and what it is called."""
PROCESSES = {
    "subprocess.Popen": 1,
    "os.system": 0,
    "os.exec": 0,
    "os.posix_spawn": 0,
    "os.spawn": 1,
    "pty.spawn": 0,
    "os.startfile": 0,
    "webbrowser.open": 0,
    "_winapi.CreateProcess": 1,
}
"""Events that start a process, and which of their arguments says what."""
FORKS = ("os.fork", "os.forkpty")
CONNECTIONS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "urllib.Request": 0,
    "http.client.connect": 1,
    "ftplib.connect": 1,
    "smtplib.connect": 1,
    "imaplib.open": 1,
    "poplib.connect": 1,
}
CHANGES = {
    "os.remove": ("deletes", (0,), 1),
    "os.rmdir": ("deletes the folder", (0,), 1),
    "shutil.rmtree": ("deletes the folder", (0,), 1),
    "os.rename": ("renames", (0, 1), 2),
    "os.mkdir": ("makes the folder", (0,), 2),
    "os.truncate": ("cuts off", (0,), None),
    "os.link": ("links", (1,), 3),
    "os.symlink": ("links", (1,), 2),
    "os.chmod": ("changes the mode of", (0,), 2),
    "os.chown": ("changes the owner of", (0,), 3),
    "os.utime": ("changes the times of", (0,), 3),
    "os.setxattr": ("changes", (0,), None),
    "os.removexattr": ("changes", (0,), None),
}
"""Events that change files: in words, the arguments that are paths, and the open folder's."""
OTHERS = ("open", "os.kill", "os.killpg", "socket.bind", "sqlite3.connect", "ctypes.dlopen")
WATCHED = frozenset([*PROCESSES, *FORKS, *CONNECTIONS, *CHANGES, *OTHERS])


class Effects:
    """Watches one program, whose source files are ``files``; ``refuse`` ends the process."""

    def __init__(
        self,
        scratch: ScratchFiles,
        files: Collection[str],
        refuse: Callable[[Refused], None],
        allow: bool,
    ) -> None:
        self._scratch, self._files, self._refuse, self._allow = scratch, files, refuse, allow

    def install(self) -> None:
        """Watch from here on, in this process and in all its forks."""
        if self._allow:
            return
        watched, check = WATCHED, self._check

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in watched:
                check(event, arguments)

        sys.addaudithook(hook)
        self._watch_spawning()

    def _watch_spawning(self) -> None:
        """`multiprocessing` starts processes by a function that raises no event."""
        try:
            module: Any = importlib.import_module("_posixsubprocess")
        except ImportError:
            return
        original = module.fork_exec

        def fork_exec(*arguments: Any) -> Any:
            self._check("subprocess.Popen", (None, arguments[0]))
            return original(*arguments)

        module.fork_exec = fork_exec

    def _check(self, event: str, arguments: tuple[Any, ...]) -> None:
        if forks.ours:
            return
        what = self._what(event, arguments)
        if what is not None:
            file, line = self._place()
            self._refuse(Refused(event, what[:300], file, line))

    def _what(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        """What the event would do, as a clause; None if that may be done."""
        if event == "open":
            return self._opening(*arguments)
        if event in CHANGES:
            return self._changing(event, arguments)
        if event in PROCESSES:
            return f"starts the process {_command(arguments, PROCESSES[event])}"
        if event in FORKS:
            return "starts a process"
        if event in CONNECTIONS:
            target = _text(arguments, CONNECTIONS[event])
            local = event == "urllib.Request" and target.startswith(("file:", "data:"))
            return None if local else f"connects to {target}"
        if event == "socket.bind":
            return f"listens at {_text(arguments, 1)}"
        if event in ("os.kill", "os.killpg"):
            return None if arguments[0] == os.getpid() else f"sends a signal to {arguments[0]}"
        if event == "sqlite3.connect":
            path = _text(arguments, 0)
            within = path in ("", ":memory:") or self._scratch.holds(path)
            return None if within else f"opens the database {path}"
        if event == "ctypes.dlopen":
            return f"loads the library {_text(arguments, 0)}" if self._asks_itself() else None
        return None

    def _opening(self, path: Any, _mode: Any, flags: Any = 0, *_: Any) -> str | None:
        if not isinstance(flags, int) or not flags & WRITING or isinstance(path, int):
            return None
        return None if self._scratch.holds(path) else f"writes {os.fsdecode(path)}"

    def _changing(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        verb, paths, folder = CHANGES[event]
        descriptor = -1 if folder is None or folder >= len(arguments) else arguments[folder]
        if not isinstance(descriptor, int):
            descriptor = -1
        outside = [arguments[at] for at in paths]
        if all(self._scratch.holds(path, descriptor) for path in outside):
            return None
        return f"{verb} {os.fsdecode(outside[0])}"

    def _place(self) -> tuple[str | None, int | None]:
        """The innermost line of the program itself; none of it for a loss that was asked for."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == LOSS_FILE:
                return LOSS_OPTION, None
            if frame.f_code.co_filename in self._files:
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None, None

    def _asks_itself(self) -> bool:
        """Whether the program loads a library by its own hand, not a package that it imports."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            if not name.startswith(("ctypes", __name__)):
                return frame.f_code.co_filename in self._files
            frame = frame.f_back
        return False


def _command(arguments: tuple[Any, ...], at: int) -> str:
    command = arguments[at] if at < len(arguments) else ""
    if isinstance(command, list | tuple):
        return " ".join(os.fsdecode(each) for each in command)
    return _decoded(command)


def _text(arguments: tuple[Any, ...], at: int) -> str:
    value = arguments[at] if at < len(arguments) else ""
    if isinstance(value, tuple) and len(value) >= 2:
        return f"{_decoded(value[0])}:{value[1]}"
    return _decoded(value)


def _decoded(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)
