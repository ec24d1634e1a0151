"""The branches of a program: the one on the screen, the one overlaid, and whose processes live."""

from nntui.program.debugging.program_branch import ProgramBranch

MOST_ALIVE = 2
"""Branches whose processes are kept; the others run again when they are looked at."""


class BranchTree:
    """``branches`` with ``shown`` on the screen."""

    def __init__(self, branches: list[ProgramBranch], shown: ProgramBranch) -> None:
        self.branches = branches
        self.branch = shown
        """The one on the screen."""
        self.overlaid: ProgramBranch | None = None
        self.count = len(branches)
        """How many there were, those that were deleted too: the number of the next."""
        self._alive: list[ProgramBranch] = [shown]

    def add(self, branch: ProgramBranch, overlaid: ProgramBranch | None) -> None:
        """Show a new ``branch``, with another one overlaid."""
        self.count += 1
        self.branches.append(branch)
        self.switch(branch, overlaid)

    def switch(self, branch: ProgramBranch, overlaid: ProgramBranch | None) -> None:
        """Show ``branch`` where its cursor was left, with another one overlaid."""
        self.branch, self.overlaid = branch, None if overlaid is branch else overlaid
        self._alive = [each for each in self._alive if each is not branch] + [branch]
        while len(self._alive) > MOST_ALIVE:
            self._alive.pop(0).close()

    @property
    def seed(self) -> int:
        """The seed of the branch on the screen: nntui's, or 0 where the program's own stand."""
        return self.branch.seeds[0] or 0

    @property
    def text_of(self) -> ProgramBranch:
        """The branch whose text the one on the screen runs, without what forks changed on the way.

        A new run from update 0 begins with that alone.
        """
        branch = self.branch
        while branch.changes and branch.parent is not None:
            branch = branch.parent
        return branch

    def delete(self, branch: ProgramBranch) -> None:
        """Forget a branch that is not on the screen."""
        branch.close()
        self.branches.remove(branch)
        self._alive = [each for each in self._alive if each is not branch]
        for each in self.branches:
            if each.parent is branch:
                each.parent = None
        if self.overlaid is branch:
            self.overlaid = None

    def free_name(self, name: str) -> str:
        """``name``, or with a number where a branch has it already."""
        known = {each.name for each in self.branches}
        number, free = 2, name
        while free in known:
            free, number = f"{name} ({number})", number + 1
        return free

    def close(self) -> None:
        """End all processes."""
        for branch in self.branches:
            branch.close()
