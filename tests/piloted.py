"""The app under a pilot: its workbench, its status, what it shows, and waiting for it."""

import asyncio
from collections.abc import Callable

from textual.pilot import Pilot

from nntui.tui.panels.status_line import StatusLine
from nntui.tui.workbench.workbench import Workbench

SIZES = [(60, 16), (80, 24), (120, 40), (200, 60)]


def bench(pilot: Pilot[None]) -> Workbench:
    """The workbench, which must be the screen in front."""
    screen = pilot.app.screen
    assert isinstance(screen, Workbench)
    return screen


def status(pilot: Pilot[None]) -> StatusLine:
    """The status line of the workbench."""
    return bench(pilot).query_one(StatusLine)


def shown(pilot: Pilot[None]) -> str:
    """The characters on the screen, line by line."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait until ``holds``; AssertionError after some 40 seconds."""
    # No pilot.pause() here: it waits for an idle process, and one that trains is never idle.
    for _ in range(8000):
        await asyncio.sleep(0.005)
        if holds():
            return
    raise AssertionError("it never came to hold")
