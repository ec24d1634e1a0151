"""Branches of the program: forks, other seeds, the edited file, and the list of them."""

import os
from typing import Any

from nntui.core.errors import ConfigError
from nntui.program.checking import HIGHEST_SEED
from nntui.program.debugging.program_branch import ProgramBranch
from nntui.program.program_error import ProgramError
from nntui.tui.actions import fill_keys, fill_program_keys
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.programs.actions.fork_text import read_change
from nntui.tui.programs.actions.handlers import Handlers
from nntui.tui.programs.program_bench import ProgramBench
from nntui.tui.screens.dialogs.ask import Ask, AskNumber


class Forking:
    """The actions that make branches, and go from one to another."""

    def __init__(self, screen: ProgramBench) -> None:
        self._screen = screen
        self._broken = ""
        """Why the file on disk cannot be run, if it cannot."""
        self.handlers: Handlers = {
            "fork": self._fork,
            "branches": self._branches,
            "next_seed": lambda: self._seed((screen.run_shown.seed + 1) % (HIGHEST_SEED + 1)),
            "choose_seed": self._choose_seed,
            "restart": lambda: self._anew(screen.run_shown.branch.seed, "update 0 again"),
        }

    def _anew(self, seed: int | None, note: str) -> None:
        run = self._screen.run_shown
        self._screen.control.ask("beginning anew", lambda: run.anew(seed), lambda _: note)

    def _seed(self, seed: int) -> None:
        self._anew(seed, f"seed {seed}, in place of the program's own seeds")

    def _choose_seed(self, seed: int | None = None) -> None:
        if seed is not None:
            self._seed(seed)
            return
        now = self._screen.seen.seed
        hint = (
            f"It seeds NumPy and random; now {'the program seeds itself' if now is None else now}."
        )
        question = AskNumber("Start with seed", hint, 0, HIGHEST_SEED)
        self._screen.ask(question, lambda to: None if to is None else self._seed(to))

    def _fork(self) -> None:
        seen, run = self._screen.seen, self._screen.run_shown
        self._screen.control.halt()
        if not self._screen.is_ready:
            return
        numbers = [each for each in seen.variables if not each.shape]
        # A rate rather than a counter: it is what is changed most often.
        numbers.sort(key=lambda each: each.text.lstrip("-").isdigit())
        example = next((f"{each.name}={each.text}" for each in numbers), "learning_rate=0.1")
        hint = (
            f"name=value, such as {example} (as it is now): a variable that lives here, from this "
            "update on; or line N: old -> new, an edit of the source, from update 0 on."
        )

        def read(text: str) -> tuple[str, Any]:
            return read_change(text, run.branch.texts[run.file])

        def answered(change: tuple[str, Any] | None) -> None:
            if change is None:
                return
            name, value = change
            if name == "":
                before = run.branch.texts[run.file].split("\n")
                pairs = enumerate(zip(before, value.split("\n"), strict=False), start=1)
                line = next((at for at, (old, new) in pairs if old != new), 0)
                parted = f"an edit, from update 0 of {run.text_of.name}"
                self.with_texts({run.file: value}, f"line {line} edited", parted)
                return
            self._screen.control.ask(
                f"forking with {name} = {value}",
                lambda: run.fork(name, value),
                lambda branch: f"A is {branch.name}, from update {branch.forked_at:,}; B as it was",
            )

        self._screen.ask(Ask(f"Fork at update {seen.update:,}", hint, read), answered)

    def with_texts(self, texts: dict[str, str], name: str, parted: str) -> None:
        """A branch that runs other texts to the same update."""
        run = self._screen.run_shown
        self._screen.control.ask(
            "running the other text to this update",
            lambda: run.with_texts(texts, run.free_name(name), parted),
            self.joined,
        )

    def joined(self, branch: ProgramBranch) -> str:
        """What came of a branch with another text."""
        if branch.problem:
            return ""  # the status says it
        other = self._screen.run_shown.overlaid
        against = "" if other is None else f"; B is {other.name}"
        return f"A is {branch.name}, at update {branch.update:,}{against}"

    def edited_texts(self) -> tuple[dict[str, str], str | None]:
        """What the files hold now, where that is not what is shown; and what is new about it."""
        run = self._screen.run_shown
        stamp = run.files.stamp
        try:
            texts = run.edited_texts()
        except ProgramError as error:
            self._broken = str(error)
            return {}, self._broken
        if run.files.stamp != stamp:
            self._broken = ""
        if not texts or run.files.stamp == stamp:
            return texts, None
        names = ", ".join(map(os.path.basename, texts))
        return texts, fill_program_keys(f"{names} was edited; {{edit}} runs it to this update")

    def run_edited(self) -> None:
        """Run the edited file to this update, as a branch."""
        texts, problem = self.edited_texts()
        run = self._screen.run_shown
        known = None if texts or problem or self._broken else run.branch_of_files()
        if texts:
            self.with_texts(texts, "edited", f"the file as edited, beside {self._name()}")
        elif known is not None and known is not run.branch:
            self._screen.control.ask(
                f"going to {known.name}",
                lambda: run.beside(known),
                lambda _: f"A is {known.name}, whose text the file has again; B is as it was",
            )
        else:
            nothing = "the file is as it is shown: edit it, then this key runs it"
            self._screen.tell(problem or self._broken or nothing)

    def _name(self) -> str:
        return self._screen.run_shown.branch.name

    def _branches(self) -> None:
        if len(self._screen.seen.branches) < 2:
            self._screen.tell(fill_keys("one branch so far; {fork} makes another"))
        else:
            self._screen.bring(BranchesPanel)

    def serve_branch(self, action: str, number: int) -> None:
        """Do what the branches panel wants done with a branch."""
        run, control = self._screen.run_shown, self._screen.control
        branch = next((each for each in run.branches if each.number == number), None)
        if branch is None:
            return
        if action in ("select", "overlay", "delete") and branch is run.branch:
            self._screen.tell("that branch is on the screen already")
        elif action == "select":
            note = f"A is {branch.name}"
            control.ask(f"going to {branch.name}", lambda: run.show(branch), lambda _: note)
        elif action == "overlay":
            run.overlaid = None if run.overlaid is branch else branch
            note = f"B is {branch.name}" if run.overlaid is branch else "no branch is overlaid"
            control.ask("overlaying", lambda: None, lambda _: note)
        elif action == "pin":
            branch.pinned = not branch.pinned
            note = f"{branch.name} is {'pinned' if branch.pinned else 'no longer pinned'}"
            control.ask("pinning", lambda: None, lambda _: note)
        elif action == "delete":
            if branch.pinned or branch is run.branches[0]:
                why = "it is pinned" if branch.pinned else "it is the program as it was opened"
                self._screen.tell(f"not deleted: {why}")
            else:
                note = f"{branch.name} is deleted"
                control.ask("deleting", lambda: run.delete(branch), lambda _: note)
        elif action == "rename":
            self._rename(branch)

    def _rename(self, branch: ProgramBranch) -> None:
        def read(text: str) -> str:
            if not 0 < len(text.strip()) <= 40:
                raise ConfigError("", "A name of 1 to 40 characters.")
            return text.strip()

        def answered(name: str | None) -> None:
            if name is not None:
                branch.name = name
                self._screen.control.ask("renaming", lambda: None, lambda _: "")

        question = Ask(f"Rename {branch.name}", "A name of 1 to 40 characters.", read, branch.name)
        self._screen.ask(question, answered)
