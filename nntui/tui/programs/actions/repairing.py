"""The findings of a program: to their lines, mended as branches, written as files; its preset."""

import os
from dataclasses import replace
from pathlib import Path

from nntui.presets.preset import Preset
from nntui.program.answer import ProgramFinding
from nntui.program.debugging.margin import absolute
from nntui.program.debugging.program_branch import ProgramBranch
from nntui.tui.programs.actions.forking import Forking
from nntui.tui.programs.actions.handlers import Handlers
from nntui.tui.programs.panels.source_panel import SourcePanel
from nntui.tui.programs.program_bench import ProgramBench
from nntui.tui.screens.dialogs.choose import Choose


class Repairing:
    """The actions on what is wrong, and on the preset that computes the same."""

    def __init__(self, screen: ProgramBench, forking: Forking) -> None:
        self._screen, self._forking = screen, forking
        self.handlers: Handlers = {
            "mend": self._mend,
            "take": self._take,
            "preset": self._preset,
        }

    def serve_finding(self, action: str, finding: ProgramFinding | None) -> None:
        """Do what is wanted of a finding."""
        if finding is not None and finding.line is not None:
            screen = self._screen
            source = screen.panel(SourcePanel)
            file = absolute(finding.file or screen.seen.file, screen.seen.file)
            if file in {each.file for each in screen.seen.files}:
                screen.look(replace(screen.view, file=file, line=finding.line))
                source.show_line(finding.line)
            if action == "go":
                screen.set_focus(source)

    def _mend(self) -> None:
        """Look for the mend, and run it as a branch as far as this one."""
        run = self._screen.run_shown
        if not self._screen.is_ready:
            return
        if self._screen.seen.check is not None and self._screen.seen.check.ok is not False:
            self._screen.tell("nothing is proven wrong: there is nothing to mend")
            return

        def mend() -> ProgramBranch | None:
            _, texts = run.mend()
            if not texts:
                return None
            name = run.free_name("mended")
            head = run.branch.head
            branch = run.with_texts(texts, name, f"the mend of {run.branch.name}")
            if not branch.problem:
                branch.seek(head)
            return branch

        def answered(branch: ProgramBranch | None) -> str:
            if branch is None:
                return "no mend was found that can be written as source"
            return self._forking.joined(branch)

        self._screen.control.ask("looking for a mend", mend, answered)

    def _take(self) -> None:
        """Write the mend: as a diff, or the mended file, under another name."""
        run = self._screen.run_shown
        if not self._screen.is_ready:
            return
        path = Path(run.request.path)
        mended_here = run.branch.name.startswith("mended")

        def answered(chosen: int | None) -> None:
            if chosen is None:
                return
            self._screen.control.ask(
                "looking for a mend", lambda: self._written(chosen == 0, path), lambda said: said
            )

        first, check = run.branches[0].texts, self._screen.seen.check
        if run.branch.texts == first and check is not None and check.ok is not False:
            self._screen.tell("nothing is proven wrong: there is no mend to write")
            return
        own = "this branch's text" if mended_here or run.branch.texts != first else "the mend"
        texts = [f"{own} as a diff", f"{own} as a file"]
        self._screen.ask(Choose(f"Write, beside {path.name}:", texts), answered)

    def _written(self, as_diff: bool, path: Path) -> str:
        """Write the text of this branch, or the mend where it is the program as it was opened."""
        run = self._screen.run_shown
        first, shown = run.branches[0].texts, run.branch.texts
        texts = {file: text for file, text in shown.items() if first.get(file) != text}
        if texts:
            diff = run.diff_of_branch()
        else:
            diff, mended = run.mend()
            texts = dict(mended)
        if not texts:
            return "no mend was found that can be written as source"
        if as_diff:
            wanted = {path.with_name(f"{path.stem}-mended.diff"): diff}
        else:
            names = (path.with_name(Path(file).name) for file in texts)
            wanted = {
                name.with_name(f"{name.stem}-mended.py"): text
                for name, text in zip(names, texts.values(), strict=True)
            }
        written = []
        for target, text in wanted.items():
            free = free_path(target)
            try:
                free.write_text(text, encoding="utf-8")
            except OSError as error:
                return f"not written: {error.strerror}"
            written.append(os.path.relpath(free))
        return f"written: {', '.join(written)}"

    def _preset(self) -> None:
        """Open the preset that computes the same in the workbench."""
        run, screen = self._screen.run_shown, self._screen
        if not self._screen.is_ready:
            return

        def found(preset: Preset) -> str:
            screen.recognised(preset)
            name = os.path.basename(run.request.path)
            return f"the workbench has the preset of {name} as it is on the disk"

        # It takes seconds to import, and is seldom asked for.
        def look() -> Preset:
            from nntui.program.debugging.counterpart import counterpart

            return counterpart(run.request)

        screen.control.ask("looking for a preset that computes the same", look, found)


def free_path(path: Path) -> Path:
    """``path``, or with a number where there is such a file already."""
    found, number = path, 2
    while found.exists():
        found, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return found
