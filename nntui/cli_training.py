"""Training on the command line, and graceful interruption by signals.

Imports what it needs when it trains, so that help is instant.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from nntui.cli_output import erase_progress, progress_is_seen

if TYPE_CHECKING:
    from nntui.timeline import Run
    from nntui.timeline.history.termination import Termination

SLICE = 0.1
"""Seconds between two checks for Ctrl+C, and between two updates of the progress line."""


def exit_if(interrupted: list[int]) -> None:
    """Exit with 128 plus the signal's number, as programs ended by a signal do."""
    if interrupted:
        click.get_current_context().exit(128 + interrupted[0])


def train(training: "Run", termination: "Termination", interrupted: list[int]) -> str:
    """Train until ``termination`` and return its reason, or ``interrupted`` after a signal."""
    from time import monotonic

    from nntui.timeline.history.time_slices import TimeSlicer

    announce_compiler(training.player)

    slicer, shown, reason, due = TimeSlicer(), progress_is_seen(), None, 0.0
    while (reason := termination.reason(training)) is None and not interrupted:
        stop = termination.stop_at(training)
        slicer.train(training, termination.budget(training), SLICE, stop)
        if shown and monotonic() >= due:
            share = training.update / max(termination.budget(training), 1)
            click.echo(f"\r{share:4.0%}  epoch {training.epoch:,}", err=True, nl=False)
            due = monotonic() + SLICE
    erase_progress()
    return reason or "interrupted"


def announce_compiler(player: str) -> None:
    """Say at the first use ever what the compiler does, where somebody reads it."""
    from nntui.compiler.object_cache import cache_folder

    if player == "compiled" and progress_is_seen() and not cache_folder().exists():
        click.echo(
            f"nntui: compiling the update for this processor; kept in {cache_folder()}", err=True
        )


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Collect SIGINT, SIGTERM and SIGHUP in the yielded list; a second one raises at once.

    The second signal raises KeyboardInterrupt.
    """
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    with _handled(note):
        yield seen


@contextmanager
def ended_by_signals(patient: Callable[[], bool] = lambda: False) -> Iterator[list[int]]:
    """Let SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt inside, and then exit.

    What is under way is left through its ``finally``, so it can end the processes it started.
    While ``patient`` holds the first signal is only noted, in the list that is yielded.
    """
    seen: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        seen.append(number)
        if len(seen) > 1 or not patient():
            raise KeyboardInterrupt

    with _handled(interrupt):
        try:
            yield seen
        except KeyboardInterrupt:
            erase_progress()
            exit_if(seen)
            raise


@contextmanager
def _handled(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Call ``handler`` for SIGINT, SIGTERM and SIGHUP, except for one that is ignored, as by nohup.

    At the end they are as they were before.
    """
    import signal

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {each: signal.getsignal(each) for each in known}
    handled = {each: usual for each, usual in before.items() if usual is not signal.SIG_IGN}
    for each in handled:
        signal.signal(each, handler)
    try:
        yield
    finally:
        for each, usual in handled.items():
            signal.signal(each, usual)
