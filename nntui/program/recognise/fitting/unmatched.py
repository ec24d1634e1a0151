"""UnmatchedError: a part of a program that was read, and that no preset computes."""

from nntui.program.recognise.description import Spot


class UnmatchedError(Exception):
    """The message is a clause; ``spot`` is where the program does it."""

    def __init__(self, reason: str, spot: Spot | None = None) -> None:
        super().__init__(reason)
        self.reason, self.spot = reason, spot
