"""The connection to the terminal: whether it has taken what was sent, so that nothing queues up.

A slow terminal shows in writes that block.  Over SSH they do not, because buffers on the way take
megabytes; there the terminal is asked for its cursor behind every frame, and its answers tell how
far the frames have come.  As long as it does not answer, no more is sent than a slow line carries.
"""

import codecs
import signal
from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic, sleep
from typing import Any

from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition
from textual.message import Message

WINDOW = 4096
"""Bytes under way that are no reason to wait."""
SLOW_LINE = 20_000
"""Bytes a second that a line is trusted with, whatever is known of it."""
PIECE, LEAST_PIECE = 0.1, 1024
"""Seconds that a frame should take on a slow line, and its bytes at least."""
BLOCKED = 0.1
"""Seconds of a write after which a line is slow: it emptied buffers of some kilobytes meanwhile."""
FAST_LINE = 1_000_000
"""Bytes a second from which frames are sent whole."""
FASTER, SPARED = 1.05, 0.8
"""By how much a slow line is believed to be faster after a frame that did not block; the share of
it that frames take."""
FORGOTTEN = 120.0
"""Seconds after which a line that is not seen to be slow may have become faster."""
PATIENCE = 5.0
"""Seconds after which an answer is given up."""
MOST_ASKED = 30
"""Questions without any answer, after which the terminal is asked no more."""
PARTING, SHORT_PARTING = 1.0, 0.3
"""Seconds for the last answers, which would be typed into the shell otherwise; before any."""
ASK = "\x1b[6n"


class Link:
    """Counts what goes to the terminal, and what has come there."""

    def __init__(self, *, remote: bool) -> None:
        self._remote = self._asks = remote
        self._given = self._taken = 0
        self._rest_until = 0.0
        self._under_way: deque[tuple[float, int]] = deque()
        """When each frame was sent, and its bytes."""
        self._quickest = float("inf")
        """Seconds of the quickest answer: a frame that is answered later took so much longer."""
        self._rate, self._measured = 0.0, 0.0
        """Bytes a second of a slow line, and when that was seen; 0 for other lines."""
        self._answered = False
        self._asked = 0
        self._debt, self._counted = 0.0, monotonic()

    @property
    def busy(self) -> bool:
        """Whether another frame would have to wait for the ones before."""
        now = monotonic()
        if self._given > self._taken or now < self._rest_until:
            return True
        if not self._answered:
            return self._debt - SLOW_LINE * (now - self._counted) >= WINDOW
        if self._under_way and now - self._under_way[0][0] > PATIENCE:
            self._under_way.clear()
        return sum(size for _, size in list(self._under_way)) >= WINDOW

    @property
    def room(self) -> int | None:
        """How many bytes a frame should have at most, about; None for any number.

        On a slow line a key's answer waits for what was sent before.
        """
        rate = self._slow_rate
        return max(int(rate * PIECE), LEAST_PIECE) if rate else None

    @property
    def _slow_rate(self) -> float:
        return self._rate if monotonic() - self._measured < FORGOTTEN else 0.0

    def measure(self, rate: float) -> None:
        """Note that the line was seen to carry ``rate`` bytes a second."""
        rate = max(rate, SLOW_LINE)
        self._rate, self._measured = (rate if rate < FAST_LINE else 0.0), monotonic()

    def frame(self, text: str) -> str:
        """``text`` as it is to be sent, noted as under way."""
        if not self._remote:
            return text
        now = monotonic()
        self._debt = max(self._debt - SLOW_LINE * (now - self._counted), 0.0) + len(text)
        self._counted = now
        self._asked += 1
        self._asks &= self._answered or self._asked <= MOST_ASKED
        if not self._asks:
            return text
        self._under_way.append((now, len(text)))
        return text + ASK

    def renew(self) -> None:
        """Begin anew, after the terminal was left to somebody else: nothing is under way."""
        self._given = self._taken = 0
        self._under_way.clear()

    def give(self, text: str) -> None:
        """Note that ``text`` waits to be written."""
        self._given += len(text)

    def take(self, text: str, seconds: float) -> None:
        """Note that ``text`` was written, which took ``seconds``."""
        # As long a rest lets the buffers of the pseudo-terminal run empty: a key's answer has
        # to go through them.
        rate = self._slow_rate
        if seconds > BLOCKED:
            self.measure(min(len(text) / seconds, rate or FAST_LINE))
        elif rate and len(text) > SPARED * rate * PIECE:
            self.measure(FASTER * rate)
        rate = self._slow_rate
        rest = max(seconds, len(text) / (SPARED * rate)) if rate else seconds
        self._rest_until = monotonic() + min(rest, 1.0)
        self._taken += len(text)

    def answer(self) -> None:
        """Note that the terminal has shown the oldest frame under way."""
        self._answered = True
        if self._under_way:
            sent, size = self._under_way.popleft()
            took = monotonic() - sent
            self._quickest = min(self._quickest, took)
            if size > WINDOW:
                self.measure(size / max(took - self._quickest, 1e-9))

    def settle(self) -> None:
        """Wait for the answers still to come, but not for ever."""
        deadline = monotonic() + (PARTING if self._answered else SHORT_PARTING)
        while self._asks and self._under_way and monotonic() < deadline:
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


def _lenient_decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """A decoder that puts a mark in the place of bytes that it does not know."""
    return partial(codecs.getincrementaldecoder(encoding), "replace")


# A byte of line noise, or an accent in the encoding of another terminal, would end the app.
vars(linux_driver)["getincrementaldecoder"] = _lenient_decoder


class LinkedDriver(LinuxDriver):
    """Textual's driver for terminals, telling `link` what it writes and what is answered."""

    link: Link

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        vars(self)["_file"] = _Output(self._file, self.link)

    def start_application_mode(self) -> None:
        self.link.renew()
        start: Callable[[], None] = super().start_application_mode
        start()

    def write(self, data: str) -> None:
        self.link.give(data)
        super().write(data)

    def process_message(self, message: Message) -> None:
        if isinstance(message, CursorPosition):
            self.link.answer()
        else:
            super().process_message(message)

    def _sigcont_application(self, *arguments: Any) -> None:
        if self._must_signal_resume:
            super()._sigcont_application(*arguments)
        else:
            # Stopped without a warning, it still holds the terminal, but not its picture.
            signal.raise_signal(signal.SIGWINCH)

    def disable_input(self) -> None:
        self.link.settle()
        super().disable_input()


def linked(base: type[Driver], link: Link) -> type[Driver]:
    """``base``, telling ``link`` of the line, where it is the driver for terminals."""
    return type("Linked", (LinkedDriver,), {"link": link}) if base is LinuxDriver else base
