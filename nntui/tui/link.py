"""The line to the terminal: whether it has carried what was sent, so that nothing queues up.

A slow terminal shows in writes that block.  Over SSH they do not, because buffers on the way take
megabytes; there the terminal is asked for its cursor behind every frame, and its answers tell how
far the frames have come.  A terminal that does not answer is not asked again.
"""

import sys
from collections import deque
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from textual.driver import Driver
from textual.events import CursorPosition
from textual.message import Message

WINDOW = 4096
"""Bytes under way that are no reason to wait."""
PATIENCE, FIRST_PATIENCE = 5.0, 2.0
"""Seconds after which an answer is given up; before the first one, that is the end of asking."""
PARTING = 1.0
"""Seconds for the last answers, which would be typed into the shell otherwise."""
ASK = "\x1b[6n"


class Link:
    """Counts what goes to the terminal, and what has come there."""

    def __init__(self, *, asks: bool) -> None:
        self.asks = asks
        """Whether the terminal is asked how far it is."""
        self._given = self._taken = 0
        self._rest_until = 0.0
        self._under_way: deque[tuple[float, int]] = deque()
        self._has_answered = False

    @property
    def busy(self) -> bool:
        """Whether another frame would have to wait for the ones before."""
        now = monotonic()
        if self._given > self._taken or now < self._rest_until:
            return True
        if self._under_way and now - self._under_way[0][0] > self._patience:
            self.asks &= self._has_answered
            self._under_way.clear()
        return sum(size for _, size in list(self._under_way)) >= WINDOW

    @property
    def _patience(self) -> float:
        return PATIENCE if self._has_answered else FIRST_PATIENCE

    def frame(self, text: str) -> str:
        """``text`` as it is to be sent, noted as under way."""
        if not self.asks:
            return text
        self._under_way.append((monotonic(), len(text)))
        return text + ASK

    def give(self, text: str) -> None:
        """Note that ``text`` waits to be written."""
        self._given += len(text)

    def take(self, text: str, seconds: float) -> None:
        """Note that ``text`` was written, which took ``seconds``."""
        # As long a rest lets the buffers of the pseudo-terminal run empty: a key's answer has
        # to go through them.
        self._rest_until = monotonic() + min(seconds, 1.0)
        self._taken += len(text)

    def answer(self) -> None:
        """Note that the terminal has shown the oldest frame under way."""
        self._has_answered = True
        with suppress(IndexError):
            self._under_way.popleft()

    def settle(self) -> None:
        """Wait for the answers still to come, but not for ever."""
        deadline = monotonic() + PARTING
        while self.asks and self._has_answered and self._under_way and monotonic() < deadline:
            sleep(0.01)


class _Output:
    """A file that tells a link what it was given to write."""

    def __init__(self, file: Any, link: Link) -> None:
        self._file, self._link = file, link

    def write(self, text: str) -> None:
        started = monotonic()
        try:
            self._file.write(text)
            self._file.flush()
        except OSError:
            pass  # The terminal has gone; a signal says so too, and ends the app.
        finally:
            self._link.take(text, monotonic() - started)

    def flush(self) -> None:
        """Nothing is kept back."""

    def fileno(self) -> int:
        return int(self._file.fileno())


def linked(base: type[Driver], link: Link) -> type[Driver]:
    """``base``, telling ``link`` what it writes and what the terminal answers."""
    if sys.platform == "win32":
        return base

    class Linked(base):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._file: Any = _Output(vars(self)["_file"], link)

        def write(self, data: str) -> None:
            link.give(data)
            super().write(data)

        def process_message(self, message: Message) -> None:
            if isinstance(message, CursorPosition):
                link.answer()
            else:
                super().process_message(message)

        def disable_input(self) -> None:
            link.settle()
            super().disable_input()

    return Linked
