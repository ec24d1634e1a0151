"""The workbench's actions on branches: fork, change, re-seed, switch, overlay, rename, delete."""

from collections.abc import Callable
from time import monotonic

from nntui.core.errors import ConfigError
from nntui.presets.preset import Preset
from nntui.presets.schema import HIGHEST_SEED
from nntui.presets.variations import variations
from nntui.timeline import Run
from nntui.timeline.edits import Edits
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.tree import LONGEST_NAME
from nntui.timeline.views.compare import DIFFERENCE, A, B
from nntui.timeline.views.curve import Overlay
from nntui.timeline.views.first_difference import (
    FirstDifference,
    first_difference,
    last_shared_update,
)
from nntui.tui.actions import fill_keys
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import Overlaid
from nntui.tui.screens.ask import Ask, AskNumber
from nntui.tui.screens.change_dialog import AskChange, Changes
from nntui.tui.workbench.training_screen import TrainingScreen

AGAIN = 1.0
"""Seconds after which a difference that was not found is looked for again."""


class Branching(TrainingScreen):
    """Everything that makes, shows or takes away branches."""

    other: Run | None = None
    """The overlaid branch, at the update of the run on the screen or as near as it goes."""
    _unused: Branch | None = None
    """What the last new seed or restart began; it goes if the next comes before any update."""
    _searched: tuple[object, float, FirstDifference | None] = ((), 0.0, None)
    """Between which branches a difference was looked for, when to look again, what was found."""

    def __init__(self, preset: Preset, run: Run | None = None) -> None:
        super().__init__(preset, run)
        self.edits = Edits()

    def action_fork(self) -> None:
        """Ask what to change in a new branch from here on."""
        self._ask_change("Fork at", self._fork)

    def action_change(self) -> None:
        """Ask what to change from here on."""
        self._ask_change("Change from", self._change)

    def _ask_change(self, title: str, then: Callable[[Changes | None], None]) -> None:
        if self.stop_to_ask():
            run = self.run_shown
            if run.divergence is not None:
                self.show("diverged: go back first, then change something")
                return
            words = f"{title} update {run.update:,}"
            ask = AskChange(
                words, lambda changes: run.check_changes(**changes), list(variations(run.preset))
            )
            self.app.push_screen(ask, then)

    def _fork(self, changes: Changes | None) -> None:
        if changes is None:
            self.show("")
        else:
            before = self.run_shown
            branch, update, note = before.branch, before.update, f"forked at {before.update:,}"
            self._to_branch(before.fork(**changes).branch, branch, note)
            self.edits.began(before, branch, update, changes)

    def _change(self, changes: Changes | None) -> None:
        run = self.run_shown
        if changes is None:
            self.show("")
        elif run.update < run.head:
            self._fork(changes)
        else:
            self.edits.make(run, changes)
            said = ", ".join(f"{key} = {value}" for key, value in changes.items())
            self.show(f"from update {run.update:,} on: {said}")

    def _to_branch(self, branch: Branch, overlaid: Branch | None, note: str = "") -> None:
        """Show ``branch`` where its cursor was left, with another one overlaid."""
        self.pause()
        run = self.run_shown
        if branch is not run.branch:
            run.switch(branch)
        self._overlay(overlaid if overlaid in run.tree.branches else None)
        against = "" if self.other is None else f"; B is {self.other.branch.name}"
        self.show(note or f"A is {branch.name}{against}")

    def start(self, seed: int | None) -> None:
        """A new branch from the first weights of ``seed``."""
        if seed is not None:
            self._anew({"seed": seed}, f"new weights from seed {seed}")

    def _anew(self, changes: Changes, note: str) -> None:
        """A branch from update 0, with all that was changed up to the cursor."""
        self.pause()
        run = self.run_shown
        changes = {**run.changed, **changes}
        if run.branch is run.tree.root and run.tree.is_untouched(run.branch):
            # Nothing is lost, and a branch without a single update is in the way.
            run.change(**changes)
            self.show(note)
            return
        known = run.tree.beginning(run.branch, changes) if "seed" in changes else None
        if known is not None:
            known.left_at = 0
        first, unused = Run.on(run.tree, run.branch, 0), self._unused
        self._unused = known or first.fork(**changes).branch
        self._to_branch(self._unused, None, note)
        if unused not in (None, self._unused) and run.tree.is_untouched(unused):
            # Who goes from seed to seed until one looks right has no use for the others.
            run.tree.delete(unused)
            self.show(note)

    def action_next_seed(self) -> None:
        """Take the next seed."""
        self.start((self.run_shown.seed + 1) % (HIGHEST_SEED + 1))

    def action_choose_seed(self) -> None:
        """Ask for a seed."""
        if self.stop_to_ask():
            hint = f"The seed of the first weights; now {self.run_shown.seed}."
            self.app.push_screen(
                AskNumber("Start with seed", hint, 0, HIGHEST_SEED), self._choose_seed
            )

    def _choose_seed(self, seed: int | None) -> None:
        self.start(seed)
        if seed is not None:
            self.acted(f"choose_seed {seed}")

    def action_many_seeds(self) -> None:
        """Train many other seeds, and open one of them if it is chosen."""
        # The sweeps take a tenth of the start to import, and are seldom asked for.
        from nntui.tui.screens.seeds import SeedsScreen

        if self.stop_to_ask():
            run = self.run_shown
            self.app.push_screen(SeedsScreen(run.preset, run.seed, run.changed), self.start)

    def action_restart(self) -> None:
        """A new branch from update 0, the same seed."""
        self._anew({}, f"update 0 of seed {self.run_shown.seed}")

    def action_branches(self) -> None:
        """Give the branches the focus."""
        panel = self.query_one(BranchesPanel)
        if len(self.run_shown.tree.branches) < 2:
            self.show(fill_keys("one branch so far; {fork} makes another"))
        else:
            panel.focus()

    def on_branches_panel_wanted(self, message: BranchesPanel.Wanted) -> None:
        """Do what is wanted of a branch."""
        branch, run = message.branch, self.run_shown
        match message.action:
            case "select" if branch is run.branch:
                self.show("that branch is on the screen already")
            case "select":
                self._to_branch(branch, None if self.other is None else run.branch)
            case "overlay" if branch is run.branch:
                self.show("that branch is A, on the screen; choose another one as B")
            case "overlay":
                shown = self.other is not None and self.other.branch is branch
                self._overlay(None if shown else branch)
                self.show("")
            case "pin":
                branch.pinned = not branch.pinned
                self.show(f"{branch.name} is {'pinned' if branch.pinned else 'unpinned'}")
            case "rename":
                self._ask_name(branch)
            case "delete":
                self._ask_delete(branch)

    def _ask_name(self, branch: Branch) -> None:
        tree = self.run_shown.tree

        def rename(name: str | None) -> None:
            if name is not None:
                tree.rename(branch, name)
            self.show("")

        hint = f"A name of 1 to {LONGEST_NAME} characters."
        ask = Ask(
            f"Rename {branch.name}", hint, lambda name: tree.checked_name(branch, name), branch.name
        )
        self.app.push_screen(ask, rename)

    def _ask_delete(self, branch: Branch) -> None:
        tree, run = self.run_shown.tree, self.run_shown
        going = tree.descendants(branch)
        pinned = next((each for each in going if each.pinned), None)
        if run.branch in going or branch is tree.root or pinned is not None:
            why = "everything comes from it" if branch is tree.root else "it is on the screen"
            if pinned is not None:
                why = f"{pinned.name} is pinned"
            self.show(f"not deleted: {why}")
            return
        many = f"{branch.name} and {len(going) - 1} from it" if len(going) > 1 else branch.name

        def read(text: str) -> bool:
            answer = text.strip().lower()
            if answer not in ("y", "yes", "n", "no"):
                raise ConfigError("", "y deletes, n keeps it")
            return answer.startswith("y")

        def delete(wanted: bool | None) -> None:
            if wanted and self.other is not None and self.other.branch in going:
                self._overlay(None)
            if wanted:
                tree.delete(branch)
            self.show("deleted" if wanted else "")

        self.app.push_screen(
            Ask(f"Delete {many}?", "y deletes it for good, n keeps it.", read), delete
        )

    def _overlay(self, branch: Branch | None) -> None:
        run = self.run_shown
        self.other = None
        if branch is not None and branch is not run.branch:
            self.other = Run.on(run.tree, branch, min(run.update, branch.update))
        self.query_one(Heatmap).shown = A

    def action_compare(self) -> None:
        """Show A, B, or A minus B in the heatmap."""
        heatmap = self.query_one(Heatmap)
        if self.other is None or heatmap.snapshot is None or heatmap.other is None:
            self.show(fill_keys("no branch is overlaid; {branches}, then o overlays one"))
            return
        kinds = [A, B, DIFFERENCE] if heatmap.comparable else [A, B]
        at = kinds.index(heatmap.shown) if heatmap.shown in kinds else -1
        heatmap.shown = kinds[(at + 1) % len(kinds)]
        names = {A: self.run_shown.branch.name, B: self.other.branch.name}
        self.show(f"heatmap of {heatmap.shown}" + f" {names.get(heatmap.shown, '')}".rstrip())

    def overlaid(self) -> Overlaid | None:
        """What the loss plot draws of the other branch."""
        if self.other is None:
            return None
        mine, theirs = self.run_shown.branch, self.other.branch
        text = self._difference(mine, theirs)
        first = theirs.epoch_at(last_shared_update(mine, theirs))
        overlay = Overlay(theirs.losses, first, len(theirs.losses))
        return Overlaid(overlay, theirs.name, text)

    def _difference(self, mine: Branch, theirs: Branch) -> str:
        """Where the two differ: looked for once, and again where more was trained in vain."""
        pair = mine.stretches, theirs.stretches
        known, due, found = self._searched
        if known != pair or found is None:
            found = first_difference(mine, theirs)
        elif found.update is None and self._may_differ(found) and monotonic() >= due:
            found = first_difference(mine, theirs, found.searched_to)
        else:
            return found.text
        # While nothing is trained, the search goes on with every look.
        self._searched = (pair, monotonic() + (AGAIN if self.running else 0.0), found)
        return found.text

    def _may_differ(self, found: FirstDifference) -> bool:
        """Whether both branches go on beyond what was compared."""
        return self.other is not None and found.searched_to < min(
            self.run_shown.branch.update, self.other.branch.update
        )
