"""Confines a process for good: it reads the files that it is made of, writes none, starts nothing.

It is the second lock behind an app that offers a visitor nothing of the kind: an audit hook, which
Python never takes back (`sys.addaudithook`).  Behind it stands a bound on memory.
"""

import os
import sys
import sysconfig
from errno import EACCES
from pathlib import Path
from typing import Any

import nntui
from nntui.presets.text_files import close_files

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

MEMORY = 4 << 30
"""Bytes of addresses; a visitor's process uses a tenth of that."""
REFUSED = "a visitor opens no files"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_SYSTEM = ("/proc/cpuinfo", "/proc/meminfo", "/proc/self/cgroup", "/sys/devices/system/cpu")
"""What NumPy and Python ask about the machine."""
_TERMINALS = ("/usr/share/terminfo", "/usr/lib/terminfo", "/lib/terminfo", "/etc/terminfo")
_TIMES = ("/usr/share/zoneinfo", "/etc/localtime")
_CHANGES = frozenset(
    (
        *("os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.link", "os.symlink"),
        *("os.truncate", "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr"),
        *("shutil.copyfile", "shutil.move", "shutil.rmtree", "shutil.make_archive"),
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile"),
        *("socket.connect", "socket.bind", "socket.getaddrinfo", "webbrowser.open"),
    )
)
"""Audit events of what a visitor's process has no need of."""
_LISTS = frozenset(("os.listdir", "os.scandir", "glob.glob", "os.walk"))


def confine() -> None:
    """Confine this process from now on; what it may not raises PermissionError."""
    close_files(REFUSED)
    inside = _own_places()

    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        least = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
        resource.setrlimit(resource.RLIMIT_AS, (least, most))

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int):
                return
            place = _real(path)
            if place != os.devnull and (flags & _WRITING or not _within(place, inside)):
                raise PermissionError(EACCES, REFUSED)
        elif event in _LISTS:
            if not _within(_real(arguments[0] or "."), inside):
                raise PermissionError(EACCES, REFUSED)
        elif event in _CHANGES:
            raise PermissionError(EACCES, f"{REFUSED} and connections, and starts nothing")

    sys.addaudithook(watch)


def _own_places() -> tuple[str, ...]:
    """The folders of Python, of its packages and of nntui, and what is asked of the system."""
    named = ("stdlib", "platstdlib", "purelib", "platlib")
    own = [sysconfig.get_path(name) for name in named]
    own += [sysconfig.get_path(name, vars={"base": sys.base_prefix}) for name in named]
    package = Path(nntui.__file__).resolve().parent
    own += [str(package), str(package.parent / "presets")]
    places = (*own, *_SYSTEM, *_TERMINALS, *_TIMES, "/dev/urandom")
    return tuple(dict.fromkeys(os.path.realpath(each) for each in places))


def _real(path: Any) -> str:
    return os.path.realpath(os.fsdecode(path))


def _within(place: str, folders: tuple[str, ...]) -> bool:
    return any(place == each or place.startswith(each + os.sep) for each in folders)
