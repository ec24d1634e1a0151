"""How a process of a program replies to the one that waits for it: once, and then it ends."""

import os
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from nntui.program.control import wire

LONGEST_TRACEBACK = 8000


class Replying:
    """A process that somebody waits for: the parent of a fork, or the host."""

    def __init__(self) -> None:
        self._reply: Callable[[dict[str, Any]], None] | None = None
        self._descriptor: int | None = None

    @property
    def is_fork(self) -> bool:
        """Whether it is a fork that its parent waits for."""
        return self._descriptor is not None

    @property
    def is_awaited(self) -> bool:
        """Whether there is anybody to reply to."""
        return self._reply is not None

    def reply_to(self, descriptor: int) -> None:
        """This is a fork now, and its parent reads from the other end of ``descriptor``."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._reply = lambda answer: wire.send(descriptor, answer)

    def answer_with(self, send: Callable[[dict[str, Any]], None]) -> None:
        """Send by ``send`` what this process, which is no fork of ours, replies."""
        self._reply = send

    def reply(self, answer: dict[str, Any]) -> NoReturn:
        """Give ``answer`` to the process that waits for this one, and end."""
        status = 0
        try:
            if self._reply is not None:
                self._reply(answer)
        except wire.GoneError:
            status = 1
        except (TypeError, ValueError, MemoryError) as error:
            with suppress(Exception):
                assert self._reply is not None
                self._reply({"error": "failed", "message": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(status)

    def fail(self, error: BaseException) -> NoReturn:
        """Reply that the analysis itself has failed."""
        lines = traceback.format_exception(error)
        message = f"{type(error).__name__}: {error}"
        kind = "memory" if isinstance(error, MemoryError) else "failed"
        self.reply(
            {"error": kind, "message": message, "traceback": "".join(lines)[-LONGEST_TRACEBACK:]}
        )
