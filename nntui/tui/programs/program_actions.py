"""What can be done with a program: by the action's name, the handler that does it."""

import ast
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.core.errors import ConfigError
from nntui.presets.preset import Preset
from nntui.program.answer import ProgramFinding
from nntui.program.checking import HIGHEST_SEED
from nntui.program.control.loading.source_file import read_program
from nntui.program.debugging.program_branch import ProgramBranch
from nntui.program.debugging.program_run import absolute
from nntui.program.debugging.seen import ProgramEvent
from nntui.program.program_error import ProgramError
from nntui.tui.actions import fill_keys
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.panel import Copied
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.programs.panels.array_heatmap import ArrayHeatmap
from nntui.tui.programs.panels.findings_panel import FindingsPanel
from nntui.tui.programs.panels.printed_panel import PrintedPanel
from nntui.tui.programs.panels.source_panel import SourcePanel
from nntui.tui.programs.panels.variables_panel import VariablesPanel
from nntui.tui.screens.ask import Ask, AskNumber, read_number
from nntui.tui.screens.choose import Choose

if TYPE_CHECKING:
    from nntui.tui.programs.program_screen import ProgramScreen

FARTHEST = 10**12
RUNNING = (
    *("one_update", "one_back", "one_epoch", "many_epochs", "run", "jump", "to_start", "to_head"),
    *("previous_event", "next_event", "when", "checkpoint", "last_checkpoint", "fork", "rerun"),
    *("next_seed", "choose_seed", "restart", "take", "preset"),
)
"""Actions that run the program, or need one that runs."""
HUNDRED = 100


class ProgramActions:
    """The actions on one screen."""

    def __init__(self, screen: "ProgramScreen") -> None:
        self._screen = screen
        control = screen.control
        self.handlers: dict[str, Callable[..., None]] = {
            "one_update": lambda: control.step(1),
            "one_back": self._one_back,
            "one_epoch": lambda: control.epochs(1),
            "many_epochs": lambda: control.epochs(HUNDRED),
            "run": self._run,
            "jump": self._jump,
            "to_start": lambda: control.go_to(0, "update 0"),
            "to_head": lambda: control.go_to(screen.seen.head, "at the head"),
            "previous_event": lambda: self._to_event(-1),
            "next_event": lambda: self._to_event(1),
            "when": self._when,
            "checkpoint": self._checkpoint,
            "last_checkpoint": self._last_checkpoint,
            "interrupt": self._interrupt,
            "fork": self._fork,
            "rerun": self._rerun,
            "branches": self._branches,
            "next_seed": lambda: self._seed((screen.run_shown.seed + 1) % (HIGHEST_SEED + 1)),
            "choose_seed": self._choose_seed,
            "restart": lambda: self._anew(screen.run_shown.branch.seed, "update 0 again"),
            "heatmap": self._next_array,
            "variables": lambda: self._bring(VariablesPanel),
            "output": lambda: self._bring(PrintedPanel),
            "why": lambda: self._bring(FindingsPanel),
            "recent": self._recent,
            "log_scale": self._log_scale,
            "zoom": self._zoom,
            "unzoom": lambda: screen.look(replace(screen.view, zoomed=None)),
            "next_panel": self._next_panel,
            "take": self._take,
            "copy": self._copy,
            "preset": self._preset,
            "save": self._save,
            "resume": screen.resume,
            "again": self._again,
            "library": screen.leave,
            "help": screen.explain,
            "manual": screen.open_manual,
        }

    def perform(self, action: str) -> None:
        """Do what ``action`` names, with the number behind it if there is one."""
        name, _, number = action.partition(" ")
        if name in RUNNING and self._screen.run_shown.is_kept:
            self._screen.tell(fill_program_keys("nothing has run: {again} runs it again first"))
            return
        handler = self.handlers[name]
        if number:
            handler(int(number))
        else:
            handler()

    # Moving.

    def _one_back(self) -> None:
        if self._screen.run_shown.update == 0:
            self._screen.tell("there is nothing before update 0")
        else:
            self._screen.control.step(-1)

    def _run(self) -> None:
        control, seen = self._screen.control, self._screen.seen
        if control.halt():
            self._screen.tell(
                fill_keys("pausing at the next update; {run} runs on")
                + "; I ends an update that takes too long"
            )
        elif seen.problem:
            self._screen.tell(seen.problem)
        elif seen.ended_here or (seen.ending is not None and seen.update >= seen.head):
            self._screen.tell(fill_keys("the program has ended here; {one_back} goes back"))
        else:
            control.play()
            self._screen.tell(fill_keys("running; {run} pauses"))

    def _interrupt(self) -> None:
        self._screen.control.interrupt()
        self._screen.tell("interrupted")

    def _jump(self, update: int | None = None) -> None:
        if update is not None:
            self._screen.control.go_to(update)
            return
        head = self._screen.seen.head
        hint = f"Known so far: 0 to {head:,}. A later update is made first."
        question = AskNumber("Go to update", hint, 0, FARTHEST)
        self._screen.ask(question, lambda to: None if to is None else self._jump(to))

    def _to_event(self, by: int) -> None:
        seen = self._screen.seen
        ahead = [
            each
            for each in seen.events
            if (each.by > seen.update if by > 0 else each.by < seen.update)
        ]
        if not ahead:
            where = "beyond here" if by > 0 else "before here"
            self._screen.tell(f"no event {where}")
            return
        event = ahead[0] if by > 0 else ahead[-1]
        self._screen.control.go_to(event.by, _event_text(event))

    def _when(self) -> None:
        """Ask when something was; every answer is a jump."""
        seen, control = self._screen.seen, self._screen.control
        record = self._screen.run_shown.branch.record
        control.halt()

        def below(loss: float | None) -> None:
            if loss is None:
                return
            at = record.shown.last_below(loss, record.points(seen.head))
            if at is None:
                self._screen.tell(f"the loss was never below {loss:g}")
            else:
                control.go_to(record.update_of(at + 1), f"last below {loss:g}")

        def answered(chosen: int | None) -> None:
            if chosen == 0:
                question = Ask("When was the loss last below", "A loss, such as 0.01.", read_number)
                self._screen.ask(question, below)
            elif chosen is not None:
                event = seen.events[chosen - 1]
                control.go_to(event.by, _event_text(event))

        texts = [f"{_event_text(each)} (update {each.by:,})" for each in seen.events]
        title = f"When, up to update {seen.head:,}, ..."
        texts.insert(0, "was the loss last below ...?")
        self._screen.ask(Choose(title, texts, "Enter goes there"), answered)

    def _checkpoint(self) -> None:
        run = self._screen.run_shown
        self._screen.control.ask(
            "setting a checkpoint", run.checkpoint, lambda _: f"checkpoint at update {run.update:,}"
        )

    def _last_checkpoint(self) -> None:
        seen = self._screen.seen
        before = [each for each in seen.checkpoints if each < seen.update]
        what = "checkpoint" if before else "no checkpoint:"
        update = before[-1] if before else 0
        self._screen.control.go_to(update, f"{what} update {update:,}")

    # Branches.

    def _anew(self, seed: int | None, note: str) -> None:
        run = self._screen.run_shown
        self._screen.control.ask("beginning anew", lambda: run.anew(seed), lambda _: note)

    def _seed(self, seed: int) -> None:
        self._anew(seed, f"seed {seed}, in place of the program's own seeds")

    def _choose_seed(self, seed: int | None = None) -> None:
        if seed is not None:
            self._seed(seed)
            return
        hint = f"It seeds NumPy and random; now {self._screen.run_shown.seed}."
        question = AskNumber("Start with seed", hint, 0, HIGHEST_SEED)
        self._screen.ask(question, lambda to: None if to is None else self._seed(to))

    def _fork(self) -> None:
        seen, run = self._screen.seen, self._screen.run_shown
        self._screen.control.halt()
        if not self._is_ready():
            return
        example = next((each.name for each in seen.variables if not each.shape), "learning_rate")
        hint = (
            f"name=value, such as {example}=0.1: a variable that lives here, from this update "
            "on; or line N: old -> new, an edit of the source, from update 0 on."
        )

        def read(text: str) -> tuple[str, Any]:
            return read_change(text, run.branch.texts[run.file])

        def answered(change: tuple[str, Any] | None) -> None:
            if change is None:
                return
            name, value = change
            if name == "":
                parted = f"an edit, from update 0 of {run.branch.name}"
                self._with_texts({run.file: value}, "edit", parted)
                return
            self._screen.control.ask(
                f"forking with {name} = {value}",
                lambda: run.fork(name, value),
                lambda branch: f"A is {branch.name}, from update {branch.forked_at:,}; B as it was",
            )

        self._screen.ask(Ask(f"Fork at update {seen.update:,}", hint, read), answered)

    def _with_texts(self, texts: dict[str, str], name: str, parted: str) -> None:
        run = self._screen.run_shown
        self._screen.control.ask(
            "running the other text to this update",
            lambda: run.with_texts(texts, run.free_name(name), parted),
            self._joined,
        )

    def _joined(self, branch: ProgramBranch) -> str:
        if branch.problem:
            return branch.problem
        other = self._screen.run_shown.overlaid
        against = "" if other is None else f"; B is {other.name}"
        return f"A is {branch.name}, at update {branch.update:,}{against}"

    def edited_texts(self) -> tuple[dict[str, str], str | None]:
        """What the files hold now, where that is not what is shown; and what is new about it."""
        run = self._screen.run_shown
        stamp = run.stamp
        try:
            texts = run.edited_texts()
        except ProgramError as error:
            return {}, str(error)
        if not texts or run.stamp == stamp:
            return texts, None
        names = ", ".join(map(os.path.basename, texts))
        return texts, fill_program_keys(f"{names} was edited; {{rerun}} runs it to this update")

    def _rerun(self) -> None:
        texts, problem = self.edited_texts()
        if texts:
            self._with_texts(texts, "edited", f"the file as edited, beside {self._name()}")
        else:
            nothing = "the file is as it is shown: edit it, then this key runs it"
            self._screen.tell(problem or nothing)

    def _name(self) -> str:
        return self._screen.run_shown.branch.name

    def _branches(self) -> None:
        if len(self._screen.seen.branches) < 2:
            self._screen.tell(fill_keys("one branch so far; {fork} makes another"))
        else:
            self._bring(BranchesPanel)

    def serve_branch(self, action: str, number: int) -> None:
        """Do what the branches panel wants done with a branch."""
        run, control = self._screen.run_shown, self._screen.control
        branch = next((each for each in run.branches if each.number == number), None)
        if branch is None:
            return
        if action in ("select", "overlay", "delete") and branch is run.branch:
            self._screen.tell("that branch is on the screen already")
        elif action == "select":
            control.ask(f"going to {branch.name}", lambda: run.show(branch), lambda _: "")
        elif action == "overlay":
            run.overlaid = None if run.overlaid is branch else branch
            control.ask("overlaying", lambda: None, lambda _: "")
        elif action == "pin":
            branch.pinned = not branch.pinned
            control.ask("pinning", lambda: None, lambda _: "")
        elif action == "delete":
            if branch.pinned or branch is run.branches[0]:
                why = "it is pinned" if branch.pinned else "it is the program as it was opened"
                self._screen.tell(f"not deleted: {why}")
            else:
                control.ask("deleting", lambda: run.delete(branch), lambda _: "deleted")
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

    # Mending.

    def serve_finding(self, action: str, finding: ProgramFinding | None) -> None:
        """Do what is wanted of a finding."""
        if action == "fix":
            self._mend()
        elif finding is not None and finding.line is not None:
            screen = self._screen
            source = screen.query_one(SourcePanel)
            file = absolute(finding.file or screen.seen.file, screen.seen.file)
            if file in {each.file for each in screen.seen.files}:
                screen.look(replace(screen.view, file=file, line=finding.line))
                source.show_line(finding.line)
            if action == "go":
                screen.set_focus(source)

    def _is_ready(self) -> bool:
        if self._screen.seen.check is None or self._screen.seen.problem:
            self._screen.tell(self._screen.seen.problem or "the program is still being checked")
            return False
        return True

    def _mend(self) -> None:
        """Look for the mend, and run it as a branch as far as this one."""
        run = self._screen.run_shown
        if not self._is_ready():
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
            return self._joined(branch)

        self._screen.control.ask("looking for a mend", mend, answered)

    def _take(self) -> None:
        """Write the mend: as a diff, or the mended file, under another name."""
        run = self._screen.run_shown
        if not self._is_ready():
            return
        path = Path(run.request.path)
        mended_here = run.branch.name.startswith("mended")

        def answered(chosen: int | None) -> None:
            if chosen is None:
                return
            self._screen.control.ask(
                "looking for a mend", lambda: self._written(chosen == 0, path), lambda said: said
            )

        first = run.branches[0].texts
        own = "this branch's text" if mended_here or run.branch.texts != first else "mend"
        texts = [f"the {own} as a diff", f"the {own} as a file"]
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
        if not self._is_ready():
            return

        def found(preset: Preset) -> str:
            screen.recognised(preset)
            return f"the workbench has the preset of {os.path.basename(run.request.path)}"

        # It takes seconds to import, and is seldom asked for.
        def look() -> Preset:
            from nntui.program.debugging.counterpart import counterpart

            return counterpart(run.request)

        screen.control.ask("looking for a preset that computes the same", look, found)

    # Sessions.

    def show_kept(self, note: str) -> None:
        """Say that what is seen was kept, and how the file on disk differs from it."""
        run, screen = self._screen.run_shown, self._screen
        difference = run.difference()
        hint = fill_program_keys("as it was saved; nothing has run; {again} runs it again")
        if difference:
            hint = f"{hint}; the file on disk differs"
            screen.shown.finding_note = f"The file on disk is not what was kept:\n{difference}"
        screen.shown.show(run.seen(), "; ".join(each for each in (note, hint) if each))

    def _again(self) -> None:
        """Ask which text is to run, behind its path and what differs."""
        run, screen = self._screen.run_shown, self._screen
        if not run.is_kept:
            screen.tell("it has run; this key is for what a session has kept")
            return
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
                self._with_texts({run.file: text}, "on disk", "the file as it is now")

        arguments = " ".join(run.request.arguments)
        title = f"Run {run.request.path} {arguments}".rstrip()
        screen.ask(Choose(title, texts, "Enter runs it, Esc does not"), answered)

    def _save(self) -> None:
        keeper = self._screen.keeper

        def saved(path: Path | None) -> str:
            return f"saved as {path.stem}" if path else "nothing to save yet"

        self._screen.control.ask("saving", keeper.save, saved)

    # Viewing.

    def _bring(self, kind: type[Any]) -> None:
        screen = self._screen
        view = screen.view.with_aside(kind)
        if view.zoomed is not None:
            view = replace(view, zoomed=kind)
        screen.look(view)
        screen.set_focus(screen.query_one(kind))

    def _next_array(self) -> None:
        """The next array; the first time the panel is only brought into sight."""
        screen, view = self._screen, self._screen.view
        if screen.query_one(ArrayHeatmap).has_class("-aside"):
            self._bring(ArrayHeatmap)
            return
        lineless = not screen.seen.seen.on(view.file or screen.seen.file, view.line)
        by = 2 if lineless and view.array % (len(screen.seen.seen.parameters) + 1) == 0 else 1
        screen.look(replace(view, array=view.array + by, turn=0))

    def _recent(self) -> None:
        view = self._screen.view
        self._screen.look(replace(view, recent=not view.recent))

    def _log_scale(self) -> None:
        view = self._screen.view
        self._screen.look(replace(view, log_axis=not view.log_axis))

    def _zoom(self) -> None:
        screen, view = self._screen, self._screen.view
        panel = screen.focused_panel
        if view.zoomed is not None or panel is None or isinstance(panel, Timeline):
            screen.look(replace(view, zoomed=None))
        else:
            note = fill_keys("{zoom} shows all panels")
            screen.look(replace(view, zoomed=type(panel)), note)

    def _next_panel(self) -> None:
        screen = self._screen
        panels = screen.shown_panels
        focused = screen.focused_panel
        at = panels.index(focused) + 1 if focused in panels else 0
        following = panels[at % len(panels)]
        if screen.view.zoomed is not None:
            if isinstance(following, Timeline):
                following = panels[(at + 1) % len(panels)]
            screen.look(replace(screen.view, zoomed=type(following)))
        following.focus()

    def _copy(self) -> None:
        panel = self._screen.focused_panel
        text = panel.copied() if isinstance(panel, Copied) else ""
        if text:
            self._screen.app.copy_to_clipboard(text)
        self._screen.tell("copied" if text else "nothing to copy here")


def read_change(text: str, source: str) -> tuple[str, Any]:
    """``name=value``, or an edit ``line N: old -> new`` as an empty name and the edited source.

    Raises ConfigError for what is neither.
    """
    head, colon, rest = text.partition(":")
    words = head.split()
    if colon and len(words) == 2 and words[0] == "line" and words[1].isdigit():
        return "", edited_line(source, int(words[1]), rest)
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ConfigError("", "name=value, such as lr=0.1; or line 12: 0.5 -> 0.1")
    try:
        read = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ConfigError("", f"{value.strip()} is no number, and no list of numbers") from None
    if isinstance(read, (list, tuple)):
        try:
            read = np.array(read, float)
        except (ValueError, TypeError):
            raise ConfigError("", "a list of numbers, such as [[1, 2], [3, 4]]") from None
    if not isinstance(read, (int, float, str, np.ndarray)):
        raise ConfigError("", "a number, or a list of numbers")
    return name.strip(), read


def edited_line(source: str, number: int, change: str) -> str:
    """``source`` with ``old -> new`` in one line; raises ConfigError if it has no ``old``."""
    old, arrow, new = change.partition("->")
    old, new = old.strip(), new.strip()
    lines = source.split("\n")
    if not arrow or not old:
        raise ConfigError("", "line N: old -> new, such as line 12: 0.5 -> 0.1")
    if not 1 <= number <= len(lines) or old not in lines[number - 1]:
        raise ConfigError("", f"line {number} has no {old}")
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        raise ConfigError("", f"line {number} would be no Python then") from None
    return text


def free_path(path: Path) -> Path:
    """``path``, or with a number where there is such a file already."""
    found, number = path, 2
    while found.exists():
        found, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return found


def fill_program_keys(text: str) -> str:
    """``text`` with ``{rerun}`` and its like replaced by the keys of a program's actions."""
    from nntui.tui.actions import PROGRAM

    for action in PROGRAM:
        text = text.replace(f"{{{action.name}}}", action.key)
    return text


def _event_text(event: ProgramEvent) -> str:
    if event.after < event.by - 1:
        return f"{event.text}, after update {event.after:,}"
    return event.text
