"""The workbench's actions on the diagnosis: why it does not learn, and what happens with a fix."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from time import perf_counter
from typing import Any

from textual.worker import Worker

from nntui.core.errors import ConfigError
from nntui.diagnosis.experiments.fix_branch import branch_with
from nntui.diagnosis.finding import Diagnosis, Finding
from nntui.diagnosis.observation import Observation, observe
from nntui.presets.preset import Preset
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.termination import BUDGET, Termination
from nntui.tui.actions import fill_keys
from nntui.tui.panels.status_line import loss_text
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.why_panel import Item, WhyPanel, concerned, explained
from nntui.tui.screens.choose import Choose
from nntui.tui.screens.explain import ExplainScreen
from nntui.tui.workbench import background_experiments
from nntui.tui.workbench.background import in_process, in_thread
from nntui.tui.workbench.background_experiments import Tried
from nntui.tui.workbench.viewing import Viewing

REST = 1 / 3
"""Seconds between two diagnoses, at least; as long as the last one took, where that is more."""
TRIED = "tried"
"""How the training of a fix ends."""


def _diagnosed(observation: Observation) -> Diagnosis:
    # The rules take their time to import, and are not needed before somebody asks.
    from nntui.diagnosis import diagnose

    return diagnose.diagnose(observation)


def _ended(branch: Branch) -> str:
    """Whether the head of ``branch`` reached the goal."""
    solved = "solved" if branch.solved else "not solved"
    return "diverged" if branch.divergence is not None else solved


class Diagnosing(Viewing):
    """Diagnoses the run at its cursor while the Why panel is seen, and tries what mends it."""

    _looking: Worker[None] | None = None
    _known: tuple[object, ...] = ()
    """Where the last diagnosis was made."""
    _fixed: tuple[str, Branch] | None = None
    """The fix that was last tried, in words, and its branch."""
    _experimenting: Worker[None] | None = None
    _tried: Mapping[Preset, Tried] = {}
    """What experiments told, by the preset that they were made on."""

    @property
    def why(self) -> WhyPanel:
        """The Why panel."""
        return self.query_one(WhyPanel)

    @property
    def failed(self) -> bool:
        """Whether training has come to its end, and the goal is not reached."""
        branch = self.run_shown.branch
        return not (self.running or branch.solved) and Termination().reason(branch) is not None

    def ended(self, reason: str) -> str:
        """How training ended, in words; where that is disappointing, with the key that asks why."""
        if reason == TRIED:
            return self._verdict()
        hint = "; {why} says why" if reason == BUDGET and self.failed else ""
        return super().ended(reason) + fill_keys(hint)

    def action_why(self) -> None:
        """Show what is wrong, or the story."""
        panel, shown = self.why, not self.has_class("-why")
        had_focus = self.focused is panel
        if shown or had_focus:
            self.action_unzoom()
        self.set_class(shown, "-why")
        if shown:
            panel.focus()
        elif had_focus:
            self.query_one(StoryPanel).focus()
        self._mark(panel.chosen if shown else None)
        self.show("")

    def action_output(self) -> None:
        """Show the outputs, or what they took the place of; a small screen has room for one."""
        if self.has_class("-short") and self.has_class("-why"):
            self.action_why()
            if self.shows_outputs:
                return
        super().action_output()

    @property
    def _is_seen(self) -> bool:
        """Whether anybody sees the panel: else nothing is diagnosed."""
        front = self.app.screen
        return (
            self.has_class("-why")
            and (front is self or front.is_modal)
            and self.query_one(WhyPanel).is_on_screen
        )

    @property
    def _place(self) -> tuple[object, ...]:
        """What decides the diagnosis."""
        run = self.run_shown
        return run.branch, run.branch.stretches, run.update

    def on_screen_resume(self) -> None:
        """Catch up with what was done meanwhile."""
        self.look_why()

    def look_why(self) -> None:
        """Have the run diagnosed as it is now, if that is seen and is not known yet."""
        if not self._is_seen:
            return
        self.why.mended = self._outcome()
        self.why.tried = self._tried.get(self.run_shown.preset, Tried())
        if self._place != self._known and (self._looking is None or self._looking.is_finished):
            self._looking = self.run_worker(self._look(), group="why")

    async def _look(self) -> None:
        """Diagnose, one at a time, until nothing is new: the latest state is always the next."""
        while self._is_seen and self._place != self._known:
            run, place, started = self.run_shown, self._place, perf_counter()
            self.why.awaited = True
            found = await in_thread(partial(_diagnosed, observe(run)))
            self._known = place
            with self.app.batch_update():
                if self.run_shown.branch is place[0]:
                    self.why.diagnosis = found
                self.why.awaited = self._place != place
            await asyncio.sleep(max(REST, perf_counter() - started))
        self.why.awaited = False

    def on_why_panel_wanted(self, message: WhyPanel.Wanted) -> None:
        """Do what is wanted of a finding, or of a fix that was tried."""
        item = message.item
        match message.action:
            case "look":
                self.look_why()
            case "mark":
                self._mark(item)
            case "point":
                self._mark(item)
                self.heatmap.bring_into_view()
            case "explain" if item is not None:
                self.app.push_screen(ExplainScreen(*explained(item)))
            case "try_all":
                self._try_all()
            case "go" if isinstance(item, Finding):
                self._go_to(item)
            case "fix" if isinstance(item, Finding):
                self._choose_fix(item)
            case _ if item is not None and not isinstance(item, Finding):
                # Its effect was measured from update 0 on.
                self._apply(item.fix, item.changes, None)

    def _mark(self, item: Item | None) -> None:
        """Point at the units that a finding is about."""
        layers = self.run_shown.preset.configuration.layers
        self.heatmap.concerned = (
            concerned(item, layers) if isinstance(item, Finding) else frozenset()
        )

    def _go_to(self, finding: Finding) -> None:
        if finding.first_update is None:
            self.show("it is not known since when")
        else:
            note = f"since here: {finding.rule.title}; {{to_head}} goes to the head"
            self.seek(finding.first_update, fill_keys(note))

    def _choose_fix(self, finding: Finding) -> None:
        """Try the fix, or ask which of several."""
        fixes = finding.fixes

        def chosen(at: int | None) -> None:
            if at is not None:
                self._apply(fixes[at].text, fixes[at].changes, finding.first_update)

        if not fixes:
            self.show("no fix is known; the experiments may find one")
        elif len(fixes) == 1:
            chosen(0)
        elif self.app.screen is self:
            self.app.push_screen(Choose("Try which fix?", [each.text for each in fixes]), chosen)

    def _apply(self, text: str, changes: Mapping[str, Any], since: int | None) -> None:
        """Make a branch of a fix, overlay it, and train it as far as A, or to its own end."""
        run = self.run_shown
        self.pause()
        if not changes:
            self.show(f"no key of the preset can do that: {text}")
            return
        try:
            branch = branch_with(run, changes, since)
        except ConfigError as error:
            self.show(str(error))
            return
        if branch is run.branch:
            self.show("that is this branch")
            return
        self._fixed = text, branch
        self._overlay(branch)
        if branch.update < run.head or (not run.head and Termination().reason(branch) is None):
            note = fill_keys("trains B; {run} stops")
            self.play(partial(self._bring, branch, run.head), note, endless=True)
            self.player.follows = False
        else:
            self.show(self._verdict())

    async def _bring(self, branch: Branch, target: int) -> str:
        """Train ``branch`` up to ``target``; up to its own end where A is not trained at all."""
        if target:
            await self.player.bring(branch, target)
        else:
            await self.player.finish(branch)
        return TRIED

    def _verdict(self) -> str:
        """What came of the fix, in two words."""
        return "" if self._fixed is None else f"B: {_ended(self._fixed[1])}"

    def _outcome(self) -> str:
        """What comes of the fix in the branch that is overlaid, beside the run on the screen."""
        if self._fixed is None or self.other is None or self.other.branch is not self._fixed[1]:
            return ""
        text, branch = self._fixed
        return (
            f"{text}: {_ended(branch)} at update {branch.update:,}, loss {loss_text(branch.loss)} "
            f"(A {loss_text(self.run_shown.branch.loss)})"
        )

    def _try_all(self) -> None:
        """Begin the experiments on the preset at the cursor, or cancel those that are made."""
        working = self._experimenting
        if working is not None and not working.is_finished:
            working.cancel()
            self._tried = {
                preset: Tried("cancelled", False, tried.trials) if tried.going else tried
                for preset, tried in self._tried.items()
            }
            self.look_why()
            return
        run = self.run_shown
        self._experimenting = self.run_worker(
            self._experiment(run.preset, run.seed), group="experiments"
        )

    async def _experiment(self, preset: Preset, seed: int) -> None:
        self._tell(preset, Tried("begun", going=True))
        work = background_experiments.on(preset, seed)
        try:
            async with aclosing(in_process(work)) as told:
                async for tried in told:
                    self._tell(preset, tried)
        except ChildProcessError as error:
            self._tell(preset, Tried(f"no experiments: {error}"))

    def _tell(self, preset: Preset, tried: Tried) -> None:
        self._tried = {**self._tried, preset: tried}
        self.look_why()
