"""Actions on branches: fork, change, re-seed, restart, switch, overlay, rename, delete."""

from collections.abc import Callable
from dataclasses import replace

from nntui.core.errors import ConfigError
from nntui.presets.editing.entries import Changes
from nntui.presets.preset_table import in_brief
from nntui.presets.schema import HIGHEST_SEED
from nntui.presets.variations import variations
from nntui.timeline import Run
from nntui.timeline.edits import Edits
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.tree import LONGEST_NAME
from nntui.timeline.views.compare import DIFFERENCE, A, B
from nntui.tui.actions import fill_keys
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.screens.dialogs.ask import Ask, AskNumber
from nntui.tui.screens.dialogs.change_dialog import AskChange
from nntui.tui.workbench.bench import Bench, Handlers


class Branching:
    """Makes, shows and takes away branches."""

    def __init__(self, bench: Bench, edits: Edits) -> None:
        """``edits`` remembers what was changed, so that it can be undone."""
        self._bench, self._edits = bench, edits
        self._unused: Branch | None = None
        """What the last new seed or restart began; it goes if the next comes before any update."""
        self.handlers: Handlers = {
            "fork": lambda: self._ask_change("Fork at", self.fork),
            "change": lambda: self._ask_change("Change from", self.change),
            "next_seed": lambda: self.start((bench.run_shown.seed + 1) % (HIGHEST_SEED + 1)),
            "choose_seed": self._choose_seed,
            "many_seeds": self._many_seeds,
            "restart": self._restart,
            "branches": self._focus,
            "compare": self._compare,
        }

    @property
    def _run(self) -> Run:
        return self._bench.run_shown

    def _ask_change(self, title: str, then: Callable[[Changes | None], None]) -> None:
        if self._bench.stop_to_ask():
            run = self._run
            if run.divergence is not None:
                self._bench.show("diverged: go back first, then change something")
                return
            words = f"{title} update {run.update:,}"
            ask = AskChange(
                words, lambda changes: run.check_changes(**changes), list(variations(run.preset))
            )
            self._bench.ask(ask, then)

    def fork(self, changes: Changes | None) -> None:
        """Begin a branch here with ``changes``, overlaid on what it parts from."""
        if changes is None:
            self._bench.show("")
        else:
            before = self._run
            branch, update, note = before.branch, before.update, f"forked at {before.update:,}"
            self.switch(before.fork(**changes).branch, branch, note)
            self._edits.began(before, branch, update, changes)

    def change(self, changes: Changes | None) -> None:
        """Make ``changes`` from the cursor on; in the past, that forks."""
        run = self._run
        if changes is None:
            self._bench.show("")
        elif run.update < run.head:
            self.fork(changes)
        else:
            self._edits.make(run, changes)
            said = ", ".join(f"{key} = {in_brief(value)}" for key, value in changes.items())
            self._bench.show(f"from update {run.update:,} on: {said}")

    def switch(self, branch: Branch, overlaid: Branch | None, note: str = "") -> None:
        """Show ``branch`` where its cursor was left, with another one overlaid."""
        self._bench.control.pause()
        run = self._run
        if branch is not run.branch:
            run.switch(branch)
        known = overlaid in run.tree.branches and overlaid is not run.branch
        view = self._bench.view.with_overlay(overlaid if known else None)
        against = "" if view.overlaid is None else f"; B is {view.overlaid.name}"
        self._bench.look(view, note or f"A is {branch.name}{against}")

    def start(self, seed: int | None) -> None:
        """A new branch from the first weights of ``seed``."""
        if seed is not None:
            self._anew({"seed": seed}, f"new weights from seed {seed}")

    def _restart(self) -> None:
        """A branch from update 0 with the same seed, unless this one is that already."""
        run = self._run
        note = f"update 0 of seed {run.seed}"
        if run.tree.is_untouched(run.branch) and not run.branch.forked_at:
            self._bench.control.pause()
            self._bench.show(f"{note}: nothing was trained yet")
        else:
            self._anew({}, note)

    def _anew(self, changes: Changes, note: str) -> None:
        """A branch from update 0, with all that was changed up to the cursor."""
        self._bench.control.pause()
        run = self._run
        changes = {**run.changed, **changes}
        if run.branch is run.tree.root and run.tree.is_untouched(run.branch):
            # Nothing is lost, and a branch without a single update is in the way.
            run.change(**changes)
            self._bench.show(note)
            return
        known = run.tree.beginning(run.branch, changes) if "seed" in changes else None
        if known is not None:
            known.left_at = 0
        first, unused = Run.on(run.tree, run.branch, 0), self._unused
        self._unused = known or first.fork(**changes).branch
        self.switch(self._unused, None, note)
        if unused not in (None, self._unused) and run.tree.is_untouched(unused):
            # Who goes from seed to seed until one looks right has no use for the others.
            run.tree.delete(unused)
            self._bench.show(note)

    def _choose_seed(self, seed: int | None = None) -> None:
        """Take the first weights of ``seed``, or ask for it."""
        if seed is not None:
            self.start(seed)
        elif self._bench.stop_to_ask():
            hint = f"The seed of the first weights; now {self._run.seed}."
            question = AskNumber("Start with seed", hint, 0, HIGHEST_SEED)
            self._bench.ask(question, self._seed_answered)

    def _seed_answered(self, seed: int | None) -> None:
        if seed is not None:
            self._bench.perform(f"choose_seed {seed}")

    def _many_seeds(self) -> None:
        """Train many other seeds, and open one of them if it is chosen."""
        # The sweeps take a tenth of the start to import, and are seldom asked for.
        from nntui.tui.screens.seeds import SeedsScreen

        if self._bench.stop_to_ask():
            run = self._run
            self._bench.ask(SeedsScreen(run.preset, run.seed, run.changed), self.start)

    def _focus(self) -> None:
        if len(self._run.tree.branches) < 2:
            self._bench.show(fill_keys("one branch so far; {fork} makes another"))
        else:
            self._bench.panel(BranchesPanel).focus()

    def serve(self, action: str, branch: Branch) -> None:
        """Do what the branches panel wants done with a branch; see `BranchesPanel.Wanted`."""
        run, view = self._run, self._bench.view
        match action:
            case "select" if branch is run.branch:
                self._bench.show("that branch is on the screen already")
            case "select":
                self.switch(branch, None if view.overlaid is None else run.branch)
            case "overlay" if branch is run.branch:
                self._bench.show("that branch is A, on the screen; choose another one as B")
            case "overlay":
                overlaid = None if view.overlaid is branch else branch
                self._bench.look(view.with_overlay(overlaid), "")
            case "pin":
                branch.pinned = not branch.pinned
                self._bench.show(f"{branch.name} is {'pinned' if branch.pinned else 'unpinned'}")
            case "rename":
                self._ask_name(branch)
            case "delete":
                self._ask_delete(branch)

    def _ask_name(self, branch: Branch) -> None:
        tree = self._run.tree

        def rename(name: str | None) -> None:
            if name is not None:
                tree.rename(branch, name)
            self._bench.show("")

        hint = f"A name of 1 to {LONGEST_NAME} characters."
        ask = Ask(
            f"Rename {branch.name}", hint, lambda name: tree.checked_name(branch, name), branch.name
        )
        self._bench.ask(ask, rename)

    def _ask_delete(self, branch: Branch) -> None:
        tree, run = self._run.tree, self._run
        going = tree.descendants(branch)
        pinned = next((each for each in going if each.pinned), None)
        if run.branch in going or branch is tree.root or pinned is not None:
            why = "everything comes from it" if branch is tree.root else "it is on the screen"
            if pinned is not None:
                why = f"{pinned.name} is pinned"
            self._bench.show(f"not deleted: {why}")
            return
        many = f"{branch.name} and {len(going) - 1} from it" if len(going) > 1 else branch.name

        def read(text: str) -> bool:
            answer = text.strip().lower()
            if answer not in ("y", "yes", "n", "no"):
                raise ConfigError("", "y deletes, n keeps it")
            return answer.startswith("y")

        def delete(wanted: bool | None) -> None:
            view = self._bench.view
            if wanted:
                tree.delete(branch)
            view = view.with_overlay(None) if wanted and view.overlaid in going else view
            self._bench.look(view, "deleted" if wanted else "")

        self._bench.ask(Ask(f"Delete {many}?", "y deletes it for good, n keeps it.", read), delete)

    def _compare(self) -> None:
        """Show A, B, or A minus B in the heatmap."""
        view, content = self._bench.view, self._bench.panel(Heatmap).content
        if view.overlaid is None or content is None or content.theirs is None:
            self._bench.show(fill_keys("no branch is overlaid; {branches}, then o overlays one"))
            return
        comparable = content.compared(DIFFERENCE).shown == DIFFERENCE
        kinds, shown = [A, B, DIFFERENCE] if comparable else [A, B], view.heatmap.shown
        at = kinds.index(shown) if shown in kinds else -1
        shown = kinds[(at + 1) % len(kinds)]
        names = {A: self._run.branch.name, B: view.overlaid.name}
        note = f"heatmap of {shown}" + f" {names.get(shown, '')}".rstrip()
        self._bench.look(replace(view, heatmap=replace(view.heatmap, shown=shown)), note)
