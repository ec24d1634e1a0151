"""What ends a command with one line in place of a traceback, and what that line says."""

import errno
import os
import sys

import click

BAD_INPUT = 2
"""The exit code."""
WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""Errors of the system that come from writing the output, if no file is named."""
NO_MEMORY = "there is not enough memory for this network and its data"


def in_one_line(error: Exception) -> str | None:
    """What to say of bad input, or of what the system lacks; None if ``error`` is a defect."""
    from nntui.core.errors import ConfigError
    from nntui.program.program_error import ProgramError

    match error:
        case click.ClickException():
            return error.format_message()
        case ConfigError() | ProgramError():
            return str(error)
        case MemoryError():
            return NO_MEMORY
        case OSError():
            return _of_system(error)
        case RuntimeError():
            return _of_workers(error)
        case ImportError() if "shared object" in str(error):
            # NumPy puts many lines of advice in front of what the loader said.
            return f"a library cannot be loaded: {_last_line(str(error))}"
    return None


def _of_system(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if error.errno == errno.ENOMEM:
        return NO_MEMORY
    return f"{'cannot write the output' if error.errno in WRITING else 'refused'}: {error.strerror}"


def _of_workers(error: RuntimeError) -> str | None:
    from concurrent.futures import BrokenExecutor

    if isinstance(error, BrokenExecutor):
        return "a worker process was killed, perhaps for want of memory"
    if "start new thread" in str(error):
        return "no thread can be started: too many processes run, or there is not enough memory"
    return None


def complain(message: str) -> int:
    """Print ``message`` as one line on standard error, as far as that can be written."""
    from nntui.core.errors import one_line

    if sys.stderr is not None:
        try:
            print("nntui:", one_line(" ".join(message.split())), file=sys.stderr, flush=True)
        except OSError:  # a full disk; what waits in the stream must not fail again at the exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return BAD_INPUT


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1].removeprefix("Original error was: ")
