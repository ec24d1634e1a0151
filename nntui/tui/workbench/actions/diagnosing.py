"""The diagnosis beside the run: made in the background, its fixes tried as branches."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property, partial
from time import perf_counter
from typing import Any

from textual.worker import Worker

from nntui.core.errors import ConfigError
from nntui.diagnosis.experiments.fix_branch import branch_with
from nntui.diagnosis.finding import PROOF, Diagnosis, Finding
from nntui.diagnosis.observation import Observation, observe
from nntui.presets.preset import Preset
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.termination import Termination
from nntui.tui.actions import fill_keys
from nntui.tui.panels.content import ExperimentReport, TriedFix
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.plot_content import ProvenFloor
from nntui.tui.panels.status_line import loss_text
from nntui.tui.panels.why_panel import Item, WhyPanel, explained, units_of
from nntui.tui.screens.dialogs.choose import Choose
from nntui.tui.screens.explain import ExplainScreen
from nntui.tui.workbench import experiments
from nntui.tui.workbench.background import in_process, in_thread
from nntui.tui.workbench.bench import Bench

REST = 1 / 3
"""Seconds between two diagnoses, at least; as long as the last one took, where that is more."""


def _diagnosed(observation: Observation) -> Diagnosis:
    # The rules take their time to import, and are not needed before somebody asks.
    from nntui.diagnosis import diagnose

    return diagnose.diagnose(observation)


def _reached(branch: Branch) -> str:
    """When ``branch`` reached its goal first; where it did not, how far it has come."""
    first = branch.losses.first_at_most(branch.preset.goal.loss)
    at = f"loss {loss_text(branch.loss)} at update {branch.update:,}"
    if branch.divergence is not None:
        return f"diverged at update {branch.update:,}"
    if first is None:
        return f"not solved, {at}"
    return f"the goal was reached at update {branch.end_of(first):,}; {at}"


class Diagnosing:
    """Diagnoses the run at its cursor while the Why panel is seen, and tries what fixes it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._looking: Worker[None] | None = None
        self._known: tuple[object, ...] = ()
        """Where the last diagnosis was made."""
        self._fixed: tuple[str, Branch] | None = None
        """The fix that was last tried, in words, and its branch."""
        self._experimenting: Worker[None] | None = None
        self._experiments: dict[Preset, ExperimentReport] = {}
        """What is known of them, by the preset that they were made on."""

    @cached_property
    def _panel(self) -> WhyPanel:
        return self._bench.panel(WhyPanel)

    def _tell(self, **changes: Any) -> None:
        # A diagnosis may still be under way when the screen is taken apart.
        if self._panel.is_attached:
            self._panel.content = replace(self._panel.content, **changes)

    @property
    def _is_seen(self) -> bool:
        """Whether anybody sees the panel: else nothing is diagnosed."""
        if not (self._bench.view.why and self._panel.is_attached):
            return False
        in_sight = self._bench.is_in_front or self._panel.app.screen.is_modal
        return in_sight and self._panel.is_on_screen

    @property
    def _place(self) -> tuple[object, ...]:
        """What decides the diagnosis."""
        run = self._bench.run_shown
        return run.branch, run.branch.stretches, run.update

    def look(self) -> None:
        """Have the run diagnosed as it is now, if that is seen and is not known yet."""
        if not self._is_seen:
            return
        known = self._experiments.get(self._bench.run_shown.preset, ExperimentReport())
        self._tell(overlaid_fix=self._outcome(), experiments=known)
        if self._place != self._known and (self._looking is None or self._looking.is_finished):
            self._looking = self._bench.work(self._diagnose, "diagnosis")

    async def _diagnose(self) -> None:
        """Diagnose, one at a time, until nothing is new: the latest state is always the next."""
        while self._is_seen and self._place != self._known:
            run, place, started = self._bench.run_shown, self._place, perf_counter()
            self._tell(awaited=True)
            found = await in_thread(partial(_diagnosed, observe(run)))
            self._known = place
            awaited = self._place != place
            if self._bench.run_shown.branch is place[0]:
                self._tell(diagnosis=found, awaited=awaited)
                self._draw_floor(found, place[1])
            else:
                self._tell(awaited=awaited)
            await asyncio.sleep(max(REST, perf_counter() - started))
        self._tell(awaited=False)

    def _draw_floor(self, found: Diagnosis, of: object) -> None:
        """Draw the highest proven floor of the branch with the stretches ``of``."""
        floors = [
            ProvenFloor(
                each.floor, found.update if each.first_update is None else each.first_update, of
            )
            for each in found.findings
            if each.floor is not None and each.rule.klass == PROOF
        ]
        highest, view = max(floors, key=lambda each: each.loss, default=None), self._bench.view
        if highest != view.plot.floor:
            self._bench.look(replace(view, plot=replace(view.plot, floor=highest)))

    def serve(self, action: str, item: Item | None) -> None:
        """Do what the Why panel wants done with a finding or fix; see `WhyPanel.Wanted`."""
        match action:
            case "look":
                self.look()
            case "mark" | "point":
                self._mark(item)
                if action == "point":
                    self._bench.panel(Heatmap).bring_into_view()
            case "explain" if item is not None:
                self._bench.ask(ExplainScreen(*explained(item)))
            case "try_all":
                self._try_all()
            case "go" if isinstance(item, Finding):
                self._go_to(item)
            case "fix" if isinstance(item, Finding):
                self._choose_fix(item)
            case _ if isinstance(item, TriedFix):
                # Its effect was measured from update 0 on.
                self._apply(item.fix, item.changes, None)

    def _mark(self, item: Item | None) -> None:
        """Point at the units that a finding is about."""
        view = self._bench.view
        marked = units_of(item, self._bench.run_shown.preset)
        self._bench.look(replace(view, heatmap=replace(view.heatmap, marked=marked)))

    def _go_to(self, finding: Finding) -> None:
        if finding.first_update is None:
            self._bench.show("onset unknown")
        else:
            note = f"since here: {finding.rule.title}; {{to_head}} goes to the head"
            self._bench.control.seek(finding.first_update, fill_keys(note))

    def _choose_fix(self, finding: Finding) -> None:
        """Try the fix, or ask which of several."""
        fixes = finding.fixes

        def chosen(at: int | None) -> None:
            if at is not None:
                self._apply(fixes[at].text, fixes[at].changes, finding.first_update)

        if not fixes:
            self._bench.show("no fix is known; the experiments may find one")
        elif len(fixes) == 1:
            chosen(0)
        elif self._bench.is_in_front:
            self._bench.ask(Choose("Try which fix?", [each.text for each in fixes]), chosen)

    def _apply(self, text: str, changes: Mapping[str, Any], since: int | None) -> None:
        """Make a branch of a fix, overlay it, and train it as far as A, or to its own end."""
        run, control = self._bench.run_shown, self._bench.control
        control.pause()
        if not changes:
            self._bench.show(f"no key of the preset can do that: {text}")
            return
        try:
            branch = branch_with(run, changes, since)
        except ConfigError as error:
            self._bench.show(str(error))
            return
        if branch is run.branch:
            self._bench.show("that is this branch")
            return
        self._fixed = text, branch
        view, target = self._bench.view.with_overlay(branch), run.head
        if branch.update < target or (not target and Termination().reason(branch) is None):
            self._bench.look(view)

            async def train() -> str:
                # Where A is not trained at all, B is to its own end.
                player = control.player
                await (player.bring(branch, target) if target else player.finish(branch))
                return self._compared(branch)

            control.start(train, fill_keys("trains B; {run} stops"), endless=True, follows=False)
        else:
            self._bench.look(view, self._compared(branch))

    def _compared(self, branch: Branch) -> str:
        """What came of a fix in ``branch``, beside the branch on the screen, in one line."""
        mine = self._bench.run_shown.branch
        return (
            f"B: {_reached(branch)}, with the fix from update {branch.forked_at:,} on; "
            f"A, without: {_reached(mine)}"
        )

    def _outcome(self) -> str:
        """What comes of the fix in the branch that is overlaid, beside the run on the screen."""
        if self._fixed is None or self._bench.view.overlaid is not self._fixed[1]:
            return ""
        text, branch = self._fixed
        mine = self._bench.run_shown.branch
        return (
            f"{text}, from update {branch.forked_at:,} on: {_reached(branch)}. "
            f"A, which goes on without that: {_reached(mine)}."
        )

    def _try_all(self) -> None:
        """Begin the experiments on the preset at the cursor, or cancel those that are made."""
        working = self._experimenting
        if working is not None and not working.is_finished:
            working.cancel()
            for preset, known in self._experiments.items():
                if known.going:
                    self._experiments[preset] = ExperimentReport("cancelled", fixes=known.fixes)
            self.look()
            return
        run = self._bench.run_shown
        task = partial(self._experiment, run.preset, run.seed)
        self._experimenting = self._bench.work(task, "experiments")

    async def _experiment(self, preset: Preset, seed: int) -> None:
        self._note(preset, ExperimentReport("begun", going=True))
        try:
            async with aclosing(in_process(experiments.on(preset, seed))) as reported:
                async for known in reported:
                    self._note(preset, known)
        except ChildProcessError as error:
            self._note(preset, ExperimentReport(f"no experiments: {error}"))

    def _note(self, preset: Preset, known: ExperimentReport) -> None:
        self._experiments[preset] = known
        self.look()
