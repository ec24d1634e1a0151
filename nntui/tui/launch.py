"""Starting the app: what it needs of the terminal is checked before anything is drawn."""

import gc
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nntui.core.errors import ConfigError
from nntui.players.player_choice import check_player
from nntui.presets.making.csv_columns import CsvColumns
from nntui.presets.preset import Preset
from nntui.tui.terminal.profile import Profile, choose, speaks_utf8

if TYPE_CHECKING:
    from nntui.program.checking import CheckRequest
    from nntui.program.debugging.sessions.program_session import ProgramSession
    from nntui.timeline.sessions.session import Session

HAND_OVER = 0.001
"""Seconds; Python's own are five times as many."""
HEADLESS = "nntui run, sweep, check, why, export and the other commands do not"


def _check_terminal() -> None:
    for stream, name in ((sys.__stdin__, "input"), (sys.__stdout__, "output")):
        if stream is None or not stream.isatty():
            raise ConfigError(
                "", f"the app needs a terminal, and standard {name} is none; {HEADLESS}"
            )
    if sys.__stderr__ is None or not sys.__stderr__.isatty():
        raise ConfigError(
            "", f"the app draws on standard error, which is no terminal here; {HEADLESS}"
        )
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        raise ConfigError(
            "",
            f"the app needs a terminal with a cursor, and TERM is unset or dumb; {HEADLESS}",
        )


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line; what was not is chosen for the connection."""

    fps: int | None = None
    ascii: bool = False
    no_mouse: bool = False
    color: str | None = None
    player: str = "auto"

    def profile(self) -> Profile:
        """How to draw on this terminal."""
        assert sys.__stderr__ is not None
        return choose(
            fps=self.fps,
            ascii_only=self.ascii,
            mouse=not self.no_mouse,
            color=self.color,
            utf8=speaks_utf8(sys.__stderr__.encoding),
        )


def launch(
    preset: Preset | None,
    session: "Session | None" = None,
    options: Options | None = None,
    program: "CheckRequest | ProgramSession | None" = None,
    data: CsvColumns | None = None,
) -> int:
    """Run the app on ``preset``, a saved session, a person's own ``program``, or the library.

    There a preset is made for ``data``, if they are given.

    Returns the exit code.  Raises ConfigError if the terminal cannot show it, and ProgramError for
    what is no program to look at.
    """
    if program is not None:  # its errors come first: they are about what was typed
        from nntui.program.checking import CheckRequest
        from nntui.program.debugging.program_run import ProgramRun

        if isinstance(program, CheckRequest):
            ProgramRun(program)
    check_player((options or Options()).player)
    _check_terminal()
    # Nothing that is made until the app runs becomes garbage: looking for some would take a tenth
    # of the start, and later every look would pass through all of it again.
    gc.disable()
    profile = (options or Options()).profile()
    profile.prepare(os.environ)
    from nntui.tui.screens.sized import LEAST_HEIGHT, LEAST_WIDTH, TOO_SMALL

    assert sys.__stderr__ is not None
    size = os.get_terminal_size(sys.__stderr__.fileno())
    if size.columns < LEAST_WIDTH or size.lines < LEAST_HEIGHT:
        raise ConfigError("", f"{TOO_SMALL}; this one has {size.columns} and {size.lines}")
    from nntui.timeline.sessions import session_folder
    from nntui.tui.app import NNTUI
    from nntui.tui.signals import leave_on_signals

    session_folder.tidy()
    player = (options or Options()).player
    app = NNTUI(preset, session, profile, program, player, data=data)
    gc.freeze()
    gc.enable()
    # The threads that read keys and write frames wait so long for a training that is under way.
    sys.setswitchinterval(HAND_OVER)
    leave_on_signals(app)
    try:
        app.run(mouse=profile.mouse)
    finally:
        said = app.save_all()
        # After a dropped connection there is nobody to read it.
        with suppress(OSError):
            print("".join(f"nntui: {line}\n" for line in said), end="", file=sys.__stderr__)
    return app.return_code or 0
