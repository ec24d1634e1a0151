"""The process of one visitor: the app, on a browser's terminal, confined."""

import os
import sys

from nntui.serving.confinement import confine
from nntui.tui.terminal.profile import TRUECOLOR, Profile

FRAMES = 10
"""Pictures a second while something is trained: a class shares one machine."""

LOOK = 1.0
"""Seconds between two looks whether the server is still there."""


def main() -> int:
    """Run the app until its visitor leaves; returns its exit code."""
    profile = Profile(frames=FRAMES, colours=TRUECOLOR, animated=False, remote=True)
    profile.prepare(os.environ)
    from nntui.tui.app import NNTUI
    from nntui.tui.launch import HAND_OVER
    from nntui.tui.signals import leave_on_signals

    server = os.getppid()

    class Visited(NNTUI):
        """The app that ends when its server has gone, also where that could not say so."""

        def on_load(self) -> None:
            """Look for the server from time to time."""
            self.set_interval(LOOK, self._look)

        def _look(self) -> None:
            if os.getppid() != server:
                self.exit()

    app = Visited(profile=profile, visitor=True)
    sys.setswitchinterval(HAND_OVER)
    leave_on_signals(app)
    confine()
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
