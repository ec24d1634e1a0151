"""Starting the app: what it needs of the terminal is checked before anything is drawn."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from nntui.core.errors import ConfigError
from nntui.presets.preset import Preset

HEADLESS = "nntui run, sweep, export, presets, show, list, sessions and bench do not"


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
    encoding = (sys.__stderr__.encoding or "").lower().replace("-", "")
    if encoding != "utf8":
        raise ConfigError(
            "",
            f"the app draws with UTF-8, and this terminal's locale says {encoding}; "
            "start it with PYTHONUTF8=1 if the terminal can show it",
        )


def launch(preset: Preset | None, session: Path | None = None) -> int:
    """Run the app on ``preset``, on a saved session, or on the library; returns the exit code.

    Raises ConfigError if the terminal cannot show it, or if the session cannot be read.
    """
    _check_terminal()
    from nntui.tui.screens.sized import LEAST_HEIGHT, LEAST_WIDTH, TOO_SMALL

    assert sys.__stderr__ is not None
    size = os.get_terminal_size(sys.__stderr__.fileno())
    if size.columns < LEAST_WIDTH or size.lines < LEAST_HEIGHT:
        raise ConfigError("", f"{TOO_SMALL}; this one has {size.columns} and {size.lines}")
    from nntui.tui.app import NNTUI
    from nntui.tui.signals import leave_on_signals

    app = NNTUI(preset, session)
    leave_on_signals(app)
    try:
        app.run()
    finally:
        said = app.save_all()
        # After a dropped connection there is nobody to read it.
        with suppress(OSError):
            print("".join(f"nntui: {line}\n" for line in said), end="", file=sys.__stderr__)
    return app.return_code or 0
