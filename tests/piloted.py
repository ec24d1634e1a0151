"""The app under a pilot: its workbench, its status, what it shows, and waiting for it."""

import asyncio
from collections.abc import Callable
from time import process_time

from textual.pilot import Pilot

from nntui.presets import Preset
from nntui.timeline import Run
from nntui.tui.panels.content import StatusContent
from nntui.tui.panels.status_line import StatusLine
from nntui.tui.workbench.screen import WorkbenchScreen

SIZES = [(60, 16), (80, 24), (120, 40), (200, 60)]


def bench(pilot: Pilot[None]) -> WorkbenchScreen:
    """The workbench, which must be the screen in front."""
    screen = pilot.app.screen
    assert isinstance(screen, WorkbenchScreen)
    return screen


def status(pilot: Pilot[None]) -> StatusContent:
    """What the status line of the workbench says."""
    content = bench(pilot).query_one(StatusLine).content
    assert content is not None
    return content


def shown(pilot: Pilot[None]) -> str:
    """The characters on the screen, line by line."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def reached(preset: Preset, seed: int, update: int) -> str:
    """The hash of a run that went straight to ``update``."""
    run = Run(preset, seed)
    run.step(update)
    return run.state_hash


TURNS = 240
"""Turns of the event loop in which a key has its effect while training takes every other."""
TIMER = 0.02
"""Seconds; longer than Textual lets pass between two pictures."""
ROUNDS = 50
WORK = 0.001
"""Seconds of computing that are more than doing nothing."""


async def drained(*ignored: object) -> bool:
    """Wait until nothing in the event loop is ready to go on; False where something always is."""
    ready, quiet = asyncio.get_running_loop()._ready, 0
    for _ in range(TURNS):
        await asyncio.sleep(0)
        quiet = 0 if ready else quiet + 1
        if quiet == 3:
            return True
    return False


async def settled(*ignored: object) -> None:
    """Wait until the app has done all that it can, its short timers included.

    Textual takes a process for idle that has computed little in 20 ms: so has one that other
    processes keep from computing.
    """
    for _ in range(ROUNDS):
        before = process_time()
        await asyncio.sleep(TIMER)
        if not await drained() or process_time() - before < WORK:
            return


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait until ``holds``; AssertionError after some 40 seconds."""
    # No pilot.pause() here: it waits for an idle process, and one that trains is never idle.
    for _ in range(8000):
        await asyncio.sleep(0.005)
        if holds():
            return
    raise AssertionError("it never came to hold")
