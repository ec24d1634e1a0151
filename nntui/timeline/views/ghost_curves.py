"""Ghost curves: the losses of all other branches, drawn faintly behind the current one."""

from dataclasses import dataclass

from nntui.timeline.history.branch import Branch
from nntui.timeline.views.curve import Overlay
from nntui.timeline.views.first_difference import last_shared_update

MOST = 12
"""Ghosts that are drawn; of more, only the newest."""


@dataclass(frozen=True, eq=False)
class Ghosts:
    """The curves to draw, of ``count`` branches that have one."""

    curves: tuple[Overlay, ...] = ()
    count: int = 0

    @property
    def text(self) -> str:
        """How many there are, in words; empty without any."""
        if not self.count:
            return ""
        drawn = len(self.curves)
        of = f" of {self.count:,}" if drawn < self.count else ""
        return f"{drawn}{of} other branch{'es' if self.count > 1 else ''}"


def ghosts_of(branch: Branch, branches: list[Branch], overlaid: Branch | None) -> Ghosts:
    """The curves of ``branches`` from where they fork from ``branch``, the newest last.

    Left out are ``branch``, the one that is ``overlaid``, and those without a loss of their own.
    """
    found = []
    for each in branches:
        if each is branch or each is overlaid:
            continue
        first, epochs = (
            each.epoch_at(update) for update in (last_shared_update(branch, each), each.update)
        )
        if epochs > first:
            found.append(Overlay(each.losses, first, epochs))
    return Ghosts(tuple(found[-MOST:]), len(found))
