"""Travels through the updates of a program: forward by running it, back to sleeping copies of it.

The running process leaves a sleeping fork of itself every now and then.  The further back they are,
the fewer are kept.  To go back, the nearest copy in front of the update is copied once more, and
runs up to it.  Where there are no forks, the program runs again from its start.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from nntui.program.control import forks, wire
from nntui.program.control.client import Host, Task, end_process
from nntui.program.control.ending import DIED, REFUSED, Ending
from nntui.program.control.travel.copies import Copies, Process
from nntui.program.program_error import ProgramError

INTERVAL, LONGEST_INTERVAL = 0.1, 0.5
"""Seconds between copies: many times what one costs, and more when the program runs for long."""
SHARE = 0.02
"""Of the time that it has run, the interval is at least that part, up to the longest."""
FOREVER = 1 << 62


@dataclass(frozen=True)
class Change:
    """A variable that gets another value at an update, and so for the rest of the run."""

    update: int
    name: str
    value: Any


class InterruptedTravelError(Exception):
    """Somebody has killed the process of a travel, which then is where it began."""


@dataclass
class Timeline:
    """The updates of the program of ``task``, whose ``loops`` name one loop or none.

    `update` is where it stands, `head` the last update that was reached, and `ending` says how the
    program ended behind it, if it did.
    """

    task: Task
    changes: tuple[Change, ...] = ()
    """In the order of their updates."""
    on_series: Callable[[dict[str, Any]], None] | None = None
    """Takes what updates leave behind as they are made, or made again; see `Series.take`."""
    copies_wanted: bool = field(default_factory=forks.available)
    update: int = -1
    head: int = -1
    ending: Ending | None = None
    refused: dict[str, Any] | None = None
    _host: Host | None = None
    _current: Process | None = None
    _seeds: tuple[int | None, bool] = (None, False)
    """Those of the process that ran last."""
    _copies: Copies = field(default_factory=Copies)
    _whole: tuple[str, str] = ("", "")
    """What was printed when the program had ended."""
    _interrupted: bool = False
    _to_epoch: bool = False
    _final: bool = False
    """Whether the head is the state behind the loop."""

    def start(self, update: int = 0) -> None:
        """Run up to the first update; `ending` is set if the program ends without one."""
        self._interrupted, self._to_epoch = False, False
        self._begin()
        self._go(update, None)

    def seek(self, update: int, seconds: float | None = None, *, epoch: bool = False) -> int:
        """Go to ``update``, or to the last one in front of it; where it stands now.

        After ``seconds`` it stops at the next update on the way; with ``epoch`` where an epoch
        begins.  An interruption (any exception) leaves it where it was.
        """
        self._interrupted, self._to_epoch = False, epoch
        update = max(update, 0)
        if self.ending is not None:
            update = min(update, self.head)
        if update == self.update and self._current is not None:
            return self.update
        before = self.update
        try:
            self._go(update, seconds)
            if self._current is None and self.head >= 0:
                self._go(self.head, None)
        except BaseException:
            self._abandon()
            self.update = before
            raise
        return self.update

    def stop(self) -> None:
        """Ask a `seek` in another thread to stop at the next update."""
        current = self._current
        if current is not None:
            with suppress(wire.GoneError, OSError):
                current.send({"do": "stop"})

    def interrupt(self) -> None:
        """End a `seek` in another thread at once, in the middle of an update."""
        current, self._interrupted = self._current, True
        if current is None:
            return
        if current.number:
            end_process(current.number)
        elif current.line is not None:  # it has not come to its first update
            with suppress(OSError):
                current.line.shutdown(socket.SHUT_RDWR)

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """What the program, where it stands, answers to ``command``."""
        for attempt in (1, 2):
            process = self._present()
            try:
                process.send(command)
                return process.receive()
            except wire.GoneError:
                self._abandon()
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def text(self, stream: int = 0, *, whole: bool = False) -> str:
        """What was printed up to here, or in the ``whole``; ``stream`` 1 is standard error."""
        if whole:
            return self._whole[stream]
        return "" if self._current is None else self._text(self._current, stream)

    def tail(self, most: int) -> str:
        """The last ``most`` bytes of what was printed up to here."""
        if self.ending is not None and self.update == self.head:
            return self._whole[0][-most:]
        return "" if self._current is None else self._text(self._current, 0, most)

    def _text(self, process: Process, stream: int, most: int | None = None) -> str:
        """What ``process`` has printed."""
        if self._host is None:
            return ""
        path = os.path.join(self._host.scratch, ("output", "errors")[stream])
        try:
            with open(path, "rb") as file:
                begin = 0 if most is None else max(process.written[stream] - most, 0)
                file.seek(begin)
                return file.read(process.written[stream] - begin).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    @property
    def ended_here(self) -> bool:
        """Whether the program has left its loop for good where it stands."""
        return self._final and self.update == self.head

    @property
    def has_left(self) -> bool:
        """Whether the program has left its loop for good, at the head."""
        return self._final

    @property
    def printed_bytes(self) -> int:
        """How much was printed up to here."""
        return 0 if self._current is None else self._current.written[0]

    @property
    def seeds(self) -> tuple[int | None, bool]:
        """The seed that nntui set, and whether the program had set none."""
        return self._seeds if self._current is None else self._current.seeds

    @property
    def session(self) -> int:
        """The number of the session that all processes of the program are in."""
        assert self._host is not None
        return self._host.number

    def processes(self) -> list[int]:
        """The numbers of the program's processes, but the host's."""
        current = [] if self._current is None else [self._current]
        return [each.number for each in [*self._copies, *current]]

    def close(self) -> None:
        """End all processes."""
        self._copies.clear()
        if (current := self._let_go()) is not None:
            current.close()
        if self._host is not None:
            self._host.close()
            self._host = None

    # Moving.

    def _begin(self) -> None:
        """Start the program anew."""
        self.close()
        self._host = Host(self.task)
        self._host.start("travel", pipes=not self.copies_wanted)
        if self.copies_wanted:
            line = self._host.own_line()
            self._current = Process(line, line.fileno(), line.fileno())
        else:
            self._current = Process(None, self._host.reader, self._host.writer)
        self._current.on_series = self.on_series
        self.update = -1

    def _depart(self, update: int) -> None:
        """Stand at the nearest place up to ``update``: where it is, at a copy, or at the start.

        A process that stands at an update becomes a copy when it is left.
        """
        current, best = self._current, self._copies.nearest(update)
        if current is not None:
            ahead = best is not None and current.update < best.update
            if current.update <= update and not ahead:
                return
            if current.update >= 0 and self.copies_wanted:
                self._copies.keep(current)
            else:
                current.close()
            self._let_go()
        while best is not None:
            try:
                best.send({"do": "copy"})
                answer = best.receive()
                if "copy" in answer:
                    self._current = best.received_copy(answer)
                    self.update = best.update
                    return
            except (wire.GoneError, OSError):  # somebody has killed it
                pass
            self._copies.drop(best)
            best = self._copies.nearest(update)
        self._begin()

    def _go(self, update: int, seconds: float | None) -> None:
        """Stand at ``update``; or nowhere, if the program has ended on the way."""
        for attempt in (1, 2):
            self._depart(update)
            try:
                if self._make_changes(update) and self.update < update:
                    self._run_to(update, seconds, careful=attempt == 2)
                return
            except wire.GoneError:  # killed by somebody, or by what the program does
                if self._interrupted:
                    raise InterruptedTravelError from None
                self._lose(final=attempt == 2)

    def _make_changes(self, update: int) -> bool:
        """Make the changes up to ``update`` that are due; False if the program ends before one."""
        while self._current is not None:
            process = self._current
            due = self.changes[process.changed : process.changed + 1]
            if not due or due[0].update > update:
                return True
            if self.update < due[0].update:
                self._run_to(due[0].update, None, careful=False, epoch=False)
                if self.update < due[0].update:
                    return False
                continue
            process.send({"do": "set", "name": due[0].name, "value": due[0].value})
            answer = process.receive()
            if "error" in answer:
                raise ProgramError(str(answer["error"]))
            process.changed += 1
        return False

    def _run_to(
        self, update: int, seconds: float | None, careful: bool, epoch: bool | None = None
    ) -> None:
        """Let the current process run; raises GoneError if it ends without a word.

        If it is ``careful`` it tells every update that it passes, so that it is known where it was.
        """
        process = self._current
        assert process is not None
        command = {
            "do": "go",
            "to": update,
            "last": self._final and update == self.head,
            "interval": INTERVAL if self.copies_wanted else None,
            "seconds": seconds,
            "careful": careful,
            "epoch": self._to_epoch if epoch is None else epoch,
        }
        begun = time.monotonic()
        with suppress(wire.GoneError):  # it may have said already why it cannot run
            process.send(command)
        while True:
            answer = process.receive()
            if "copy" in answer:
                copy = process.received_copy(answer)
                self.update = process.update = copy.update
                self.head = max(self.head, copy.update)
                self._copies.keep(copy)
                run_for = SHARE * (time.monotonic() - begun)
                with suppress(wire.GoneError):  # it may have come to its end meanwhile
                    process.send({"interval": max(INTERVAL, min(run_for, LONGEST_INTERVAL))})
            elif "passed" in answer:
                self.update = process.update = answer["passed"]
                self.head = max(self.head, self.update)
            elif "at" in answer:
                self.update = process.update = answer["at"]
                process.number = answer["pid"]
                self.head = max(self.head, self.update)
                if self.copies_wanted and self.update == 0:
                    self._keep_first(process)
                else:
                    self._copies.look_again()
                return
            elif "error" in answer:
                raise ProgramError(f"the program cannot be run: {answer['message']}")
            else:
                self._has_ended(answer)
                return

    def _keep_first(self, process: Process) -> None:
        """Leave a copy at update 0, so that nothing has to begin anew."""
        if not any(each.update == 0 for each in self._copies):
            process.send({"do": "copy"})
            answer = process.receive()
            if "copy" in answer:  # else it has threads, and runs again from its start
                self._copies.keep(process.received_copy(answer))

    def _has_ended(self, answer: dict[str, Any]) -> None:
        """The program has ended while it ran: ``answer`` says how, and behind which update."""
        process = self._current
        assert process is not None
        self._whole = self._text(process, 0), self._text(process, 1)
        begun = answer["begun"]
        if "refused" in answer:
            self.refused = answer["refused"]
            self.ending = Ending(
                REFUSED, 3, self.refused["what"], self.refused["file"], self.refused["line"]
            )
        else:
            self.ending = Ending(**answer["ended"])
        self._final = answer["left"]
        self.head = begun if self._final else begun - 1
        process.close()
        self._let_go()

    def _lose(self, final: bool) -> None:
        """The running process is gone without a word; ``final``: for the second time."""
        process = self._current
        assert process is not None
        if final and self.ending is None:
            message = "its process was killed, ran out of memory or failed in compiled code"
            if not self.copies_wanted and self._host is not None:
                message = self._host.how_it_ended()
            self.ending = Ending(DIED, 1, message)
            self._whole = self._text(process, 0), self._text(process, 1)
        process.close()
        self._let_go()

    def _let_go(self) -> Process | None:
        """Have no running process any more; the one there was."""
        process, self._current = self._current, None
        if process is not None:
            self._seeds = process.seeds
        return process

    def _present(self) -> Process:
        """The process at `update`; it is made again if it was lost."""
        if self._current is None:
            self._go(self.update, None)
        if self._current is None:
            raise ProgramError("the program's process has ended")
        return self._current

    def _abandon(self) -> None:
        """Kill the running process, wherever it is."""
        process = self._let_go()
        if process is None:
            return
        if self.copies_wanted:
            if process.number:
                end_process(process.number)
            process.close()
            if not process.number:  # nobody else can end it
                self.close()
        elif self._host is not None:
            self._host.close()
            self._host = None
