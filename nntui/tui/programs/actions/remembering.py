"""Sessions of a program: saved, and run again where that is said."""

from pathlib import Path

from nntui.program.control.loading.source_file import read_program
from nntui.tui.actions import fill_program_keys
from nntui.tui.programs.actions.forking import Forking
from nntui.tui.programs.actions.handlers import Handlers
from nntui.tui.programs.program_bench import ProgramBench
from nntui.tui.screens.dialogs.choose import Choose


class Remembering:
    """The actions on what was kept."""

    def __init__(self, screen: ProgramBench, forking: Forking) -> None:
        self._screen, self._forking = screen, forking
        self.handlers: Handlers = {
            "save": self._save,
            "resume": screen.resume,
            "edit": self._rerun,
        }

    def show_kept(self, note: str) -> None:
        """Say that what is seen was kept, and how the file on disk differs from it."""
        run, screen = self._screen.run_shown, self._screen
        difference = run.difference()
        hint = fill_program_keys("as it was saved; nothing has run; {edit} runs it again")
        if difference:
            hint = f"{hint}; the file on disk differs"
            screen.note_findings(f"The file on disk is not what was kept:\n{difference}")
        screen.look(screen.view, "; ".join(each for each in (note, hint) if each))

    def _rerun(self) -> None:
        """Run the file as edited; of a session, ask which text is to run again."""
        if self._screen.run_shown.is_kept:
            self._run_kept()
        else:
            self._forking.run_edited()

    def _run_kept(self) -> None:
        """Ask which text is to run, behind its path and what differs."""
        run, screen = self._screen.run_shown, self._screen
        difference = run.difference()
        texts = ["the text that was kept"]
        if difference.startswith("---"):
            lines = difference.splitlines()
            counts = [sum(x.startswith(s) and not x.startswith(3 * s) for x in lines) for s in "+-"]
            texts.append(f"the file as it is now (+{counts[0]} -{counts[1]} lines)")

        def answered(chosen: int | None) -> None:
            if chosen == 0:
                screen.control.ask("running it again", run.run_again, lambda said: said)
            elif chosen == 1:
                text = read_program(run.request.path).text
                self._forking.with_texts({run.file: text}, "on disk", "the file as it is now")

        arguments = " ".join(run.request.arguments)
        title = f"Run {run.request.path} {arguments}".rstrip()
        screen.ask(Choose(title, texts, "Enter runs it, Esc does not"), answered)

    def _save(self) -> None:
        keeper = self._screen.keeper

        def saved(path: Path | None) -> str:
            return f"saved as {path.stem}" if path else "nothing to save yet"

        self._screen.control.ask("saving", keeper.save, saved)
