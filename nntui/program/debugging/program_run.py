"""A person's program under the debugger: its branches, and the cursor that moves through one.

Nothing here knows a screen.  Every call may take as long as the program does: one thread makes
them, and `snapshot_of_run` hands out what there is to see as one frozen value.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from nntui.program.checking import CheckRequest
from nntui.program.control.loading.source_file import read_program
from nntui.program.control.travel.timeline import FOREVER, Change, InterruptedTravelError
from nntui.program.debugging.branch_tree import BranchTree
from nntui.program.debugging.files_on_disk import FilesOnDisk
from nntui.program.debugging.insight import Insight, insight
from nntui.program.debugging.loops_of_text import line_in, loop_option
from nntui.program.debugging.program_branch import ProgramBranch
from nntui.program.debugging.seen import (
    ProgramEvent,
    UpdateSeen,
)
from nntui.program.debugging.sessions.keeping import branch_of, kept_branch
from nntui.program.debugging.sessions.kept_records import KeptProgram
from nntui.program.debugging.sessions.program_session import Numbers, ProgramSession
from nntui.program.debugging.variables import Variables
from nntui.program.mending.unified_diff import diff_of
from nntui.program.program_error import ProgramError


class ProgramRun(BranchTree):
    """The program of ``request``, which is read now and run by `open`.

    Raises ProgramError for what is no program to look at.
    """

    def __init__(self, request: CheckRequest) -> None:
        for problem in request.problems():
            raise ProgramError(problem)
        source = read_program(request.path)
        first = ProgramBranch(0, "main", request, {source.path: source.text}, request.seed)
        self._set_up(request, source.path, [first], first)

    @classmethod
    def from_session(cls, session: ProgramSession) -> "ProgramRun":
        """The program of a saved session, as it was seen; nothing runs before `run_again`."""
        kept, numbers = session.program, session.numbers
        run = cls.__new__(cls)
        branches: list[ProgramBranch] = []
        for at, each in enumerate(kept.branches):
            parent = None if each.parent is None else branches[each.parent]
            branches.append(branch_of(each, at, parent, kept.request, numbers))
        active = branches[kept.active]
        run._set_up(kept.request, kept.file, branches, active)
        run.overlaid = None if kept.overlaid is None else branches[kept.overlaid]
        run.files.compare_anew()
        return run

    def _set_up(
        self,
        request: CheckRequest,
        file: str,
        branches: list[ProgramBranch],
        shown: ProgramBranch,
    ) -> None:
        super().__init__(branches, shown)
        self.request, self.file = request, file
        self._insights: dict[tuple[tuple[str, str], ...], Insight] = {}
        self.progress: Callable[[str], None] = lambda note: None
        """Called in the thread that asks, with what is being done now."""
        self._variables: tuple[object, Variables] = (None, Variables((), ""))
        self.files = FilesOnDisk(request.path, file, shown.texts)
        self.compares = False
        """Whether the overlaid branch is brought to the same update and looked at."""
        self._other: UpdateSeen | None = None

    @property
    def is_kept(self) -> bool:
        """Whether what is seen is what a session has kept: nothing has run."""
        return self.branch.kept is not None

    def run_again(self) -> str:
        """Run the branch of a session again to where it was left; whether that is the same state.

        The text that was kept runs, with its arguments and seed.
        """
        branch = self.branch
        kept = branch.kept
        if kept is None:
            return "it runs already"
        branch.problem = ""
        branch.wake()
        self._begin(branch)
        if branch.problem:
            return branch.problem
        reached = branch.seek(kept.update)
        now = branch.variables().state_hash
        if reached < kept.update:
            return f"another run: it ended at update {reached:,}, not {kept.update:,}"
        if not kept.variables.state_hash:
            return "no hash was kept to compare with"
        same = now == kept.variables.state_hash
        return (
            f"the same state as when it was saved: {now}"
            if same
            else f"another state: {now}, not {kept.variables.state_hash}: another machine or NumPy?"
        )

    def difference(self) -> str:
        """The diff from the text on the screen to the file on disk.

        It is empty where a branch has that very text: a mend is no edit of the file.
        """
        try:
            text = read_program(self.request.path).text
        except ProgramError as error:
            return str(error)
        shown = self.branch.texts[self.file]
        known = {branch.texts.get(self.file) for branch in self.branches}
        return "" if text in known else diff_of({self.file: shown}, {self.file: text})

    def keep(self) -> tuple[KeptProgram, Numbers]:
        """All that a session keeps: it asks the program nothing."""
        request, numbers = self.request, Numbers()
        branches = []
        for each in self.branches:
            known = each.kept.variables if each.kept is not None else Variables((), "")
            if each.kept is None and self._variables[0] == self._place(each):
                known = self._variables[1]
            parent = None if each.parent is None else self.branches.index(each.parent)
            branches.append(kept_branch(each, parent, known, numbers))
        return KeptProgram(
            os.path.abspath(request.path),
            self.file,
            request.arguments,
            request.seed,
            request.loop,
            request.loss,
            request.parameters,
            request.allow_effects,
            self.branches.index(self.branch),
            None if self.overlaid is None else self.branches.index(self.overlaid),
            tuple(branches),
        ), numbers

    @staticmethod
    def _place(branch: ProgramBranch) -> object:
        """What decides the variables."""
        timeline = branch.timeline
        return timeline, branch.update, None if timeline is None else timeline.ending

    # Opening.

    def open(self) -> None:
        """Check the program, and run it up to its first update; a `problem` says what is amiss."""
        self._begin(self.branch)

    def _begin(self, branch: ProgramBranch) -> None:
        try:
            if branch.insight is None:
                known = self._insight(branch.texts)
                branch.texts = {**branch.texts, **self._neighbours(known, branch.texts)}
                branch.learn(known)
            if not branch.is_stepped:
                self.progress("no loop of updates was found: the program runs to its end")
            branch.start()
            if not branch.is_stepped:
                assert branch.insight is not None
                check = branch.insight.check
                helps = check.option or loop_option(branch.texts[self.file])
                hint = f"; what would help: {helps}" if helps else ""
                branch.problem = f"{check.reason or 'no loop was found to be stepped'}{hint}"
        except ProgramError as error:
            branch.problem = str(error)
        except InterruptedTravelError:
            branch.problem = "interrupted before it came to its first update, or to its end"

    def _neighbours(self, known: Insight, texts: Mapping[str, str]) -> dict[str, str]:
        """The other files of the program: what they hold now is what they hold for its branches."""
        found = {}
        for file in known.files:
            if os.path.realpath(file) not in {os.path.realpath(each) for each in texts}:
                with suppress(ProgramError):
                    found[file] = read_program(file).text
        self.files.add(found)
        return found

    def _insight(self, texts: Mapping[str, str]) -> Insight:
        key = tuple(sorted(texts.items()))
        if key not in self._insights:
            request, first = self.request, self.branches[0].texts
            if request.loop is not None and texts[self.file] != first[self.file]:
                line = line_in(texts[self.file], first[self.file], request.loop)
                request = replace(request, loop=line)
            self._insights[key] = insight(request, texts)
        return self._insights[key]

    @property
    def has_epochs(self) -> bool:
        """Whether there is a loop around the updates."""
        return self.branch.insight is not None and self.branch.insight.epoch_loop is not None

    @property
    def has_ended(self) -> bool:
        """Whether the program of the branch on the screen has come to its end."""
        return self.branch.timeline is not None and self.branch.timeline.ending is not None

    # Moving.

    @property
    def update(self) -> int:
        """Where the cursor stands."""
        return self.branch.update

    def seek(self, update: int, seconds: float | None = None) -> int:
        """Go to ``update``; the overlaid branch stays where it is."""
        return self.branch.seek(max(update, 0), seconds)

    def epoch(self, seconds: float | None = None) -> int:
        """Go to where the next epoch begins; without epochs, one update on."""
        known = self.branch.insight
        if known is None or known.epoch_loop is None:
            return self.seek(self.update + 1, seconds)
        starts = self.branch.record.starts
        later = next((each for each in starts if each > self.update), None)
        if later is not None:
            return self.seek(later, seconds)
        return self.branch.seek(FOREVER, seconds, epoch=True)

    def stop(self) -> None:
        """From another thread: stop moving at the next update."""
        if self.branch.timeline is not None:
            self.branch.timeline.stop()

    def interrupt(self) -> None:
        """From another thread: end the update that is being made; the cursor goes back."""
        if self.branch.timeline is not None:
            self.branch.timeline.interrupt()

    def look(self) -> UpdateSeen:
        """Record the update at the cursor; where branches are compared, that of B too."""
        found = self.branch.look()
        other = self.overlaid
        self._other = None
        if self.compares and other is not None and other.kept is None and not other.problem:
            other.seek(self.update)
            self._other = other.look()
        return found

    def locate(self, event: ProgramEvent) -> ProgramEvent:
        """Go to the very update of ``event``; see `ProgramBranch.locate`."""
        return self.branch.locate(event) or event

    def next_event(self) -> ProgramEvent | None:
        """Go to the first event beyond the cursor; None, and it stays, where there is none."""
        update = self.update
        for event in self.branch.events:
            if event.by > update and (found := self.branch.locate(event, beyond=update)):
                return found
        self.seek(update)
        return None

    def beside(self, branch: ProgramBranch) -> None:
        """Show ``branch`` at this update, with what was shown overlaid."""
        update = self.update
        self.switch(branch, self.branch)
        if branch.kept is None:
            branch.seek(update)

    def checkpoint(self) -> None:
        """Set a checkpoint at the cursor."""
        self.branch.checkpoints.add(self.update)

    # Branches.

    def show(self, branch: ProgramBranch) -> None:
        """Put ``branch`` on the screen, and what was there as B if there was a B.

        A branch that a session has kept runs again, if the one before has.
        """
        again = not self.is_kept
        self.switch(branch, None if self.overlaid is None else self.branch)
        if again and branch.kept is not None:
            self.run_again()
        elif again:
            branch.seek(branch.update)

    def _add(self, branch: ProgramBranch, overlaid: ProgramBranch | None, update: int) -> None:
        self.add(branch, overlaid)
        self._begin(branch)
        if not branch.problem:
            branch.seek(update)

    def fork(self, name: str, value: Any) -> ProgramBranch:
        """A branch on which the variable ``name`` has another value from the cursor on.

        Raises ProgramError if there is no such variable, or it does not take the value.
        """
        before, update = self.branch, self.update
        before.value(name)
        change = Change(update, name, value)
        branch = ProgramBranch(
            self.count,
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}",
            self.request,
            before.texts,
            before.seed,
            before.insight,
            (*[each for each in before.changes if each.update <= update], change),
            before,
            update,
            f"{name} = {value}, from {update:,} of {before.name}",
        )
        self._add(branch, before, update)
        return branch

    def with_texts(self, texts: Mapping[str, str], name: str, parted: str) -> ProgramBranch:
        """A branch that runs other ``texts``, by file, from the start to the same update.

        It is overlaid on the one that was shown.
        """
        before = self.branch
        if before.problem and self.overlaid is not None:
            before = self.overlaid  # an edit that did not run shows no update to go to
        update = before.update
        branch = ProgramBranch(
            self.count,
            name,
            self.request,
            {**before.texts, **texts},
            before.seed,
            parent=None,
            parted=parted,
        )
        self._add(branch, before, update)
        return branch

    def anew(self, seed: int | None) -> ProgramBranch:
        """A branch from update 0 with the same text, from ``seed``."""
        before = self.branch
        name = f"seed {seed}" if seed != before.seed else f"{before.name} again"
        branch = ProgramBranch(
            self.count,
            self.free_name(name),
            self.request,
            before.texts,
            seed,
            before.insight,
            parted=f"from update 0 of {self.text_of.name}",
        )
        self._add(branch, before, 0)
        return branch

    # The file.

    def edited_texts(self) -> dict[str, str]:
        """By file, what the program's files hold now, where no branch runs that text.

        Raises ProgramError, once, if one was edited and is no program any more.
        """
        return self.files.edited(self.branches[0].texts, [each.texts for each in self.branches])

    def branch_of_files(self) -> ProgramBranch | None:
        """The branch that runs what the files hold now: the one on the screen if it does."""
        texts = self.files.texts
        running = [each for each in self.branches if {**each.texts, **texts} == each.texts]
        plain = [each for each in running if not each.changes] or running
        return self.branch if self.branch in running else next(iter(plain), None)

    # Mending.

    def mend(self) -> tuple[str, Mapping[str, str]]:
        """A diff that mends what was proven, and the mended texts by file; both may be empty.

        It looks for them as long as the request's time allows.
        """
        branch = self.branch
        found = insight(replace(self.request, diff=True), branch.texts)
        return found.check.diff or "", found.mended

    def diff_of_branch(self) -> str:
        """The difference between the program as it was opened and the text of this branch."""
        return diff_of(self.branches[0].texts, self.branch.texts)

    # What is seen.

    @property
    def other(self) -> UpdateSeen | None:
        """The update of the overlaid branch, where both are compared."""
        return self._other if self.compares else None

    def variables(self) -> Variables:
        """Those of the branch on the screen; the program is asked where they may have changed."""
        branch, place = self.branch, self._place(self.branch)
        if branch.kept is not None:
            self._variables = None, branch.kept.variables
        elif self._variables[0] != place:
            self._variables = place, branch.variables()
        return self._variables[1]
