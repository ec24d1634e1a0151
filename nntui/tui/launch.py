"""Starting the app: what it needs of the terminal is checked before anything is drawn."""

import os
import sys

from nntui.core.errors import ConfigError
from nntui.presets.preset import Preset

HEADLESS = "nntui run, sweep, presets, show, list and bench do not"


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


def launch(preset: Preset | None) -> int:
    """Run the app on ``preset``, or on the library; returns the exit code.

    Raises ConfigError if the terminal cannot show it.
    """
    _check_terminal()
    from nntui.tui.screens.sized import LEAST_HEIGHT, LEAST_WIDTH, TOO_SMALL

    assert sys.__stderr__ is not None
    size = os.get_terminal_size(sys.__stderr__.fileno())
    if size.columns < LEAST_WIDTH or size.lines < LEAST_HEIGHT:
        raise ConfigError("", f"{TOO_SMALL}; this one has {size.columns} and {size.lines}")
    from nntui.tui.app import NNTUI
    from nntui.tui.signals import leave_on_signals

    app = NNTUI(preset)
    leave_on_signals(app)
    app.run()
    return app.return_code or 0
