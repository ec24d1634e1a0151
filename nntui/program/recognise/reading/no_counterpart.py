"""What is raised when a part of a program has no counterpart in a preset."""

from nntui.program.record.node import Node


class NoCounterpartError(Exception):
    """A part that no preset has; the message is a clause, ``place`` where it is (-1: nowhere)."""

    def __init__(self, reason: str, node: Node | None = None) -> None:
        super().__init__(reason)
        self.reason, self.place = reason, _place(node)


def _place(node: Node | None) -> int:
    """The nearest place at or before ``node``."""
    while node is not None:
        if node.place >= 0:
            return node.place
        node = node.inputs[-1] if node.inputs else None
    return -1
