"""Makes what the panels show from the run, the branch that is overlaid on it, and the view."""

from time import monotonic

from nntui.timeline import Run, Snapshot
from nntui.timeline.history.branch import Branch
from nntui.timeline.microscope.next_update import Ahead
from nntui.timeline.views.compare import compare_outputs
from nntui.timeline.views.curve import Overlay
from nntui.timeline.views.first_difference import (
    FirstDifference,
    first_difference,
    last_shared_update,
)
from nntui.timeline.views.ghost_curves import Ghosts, ghosts_of
from nntui.timeline.views.grid import GridSource
from nntui.timeline.views.measurements import REPORTED, Measurements
from nntui.timeline.views.outputs import output_kinds
from nntui.tui.panels.content import HeatmapContent, OutputContent
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.plot_content import Overlaid, PlotContent
from nntui.tui.workbench.view import WorkbenchView

AGAIN = 1.0
"""Seconds after which a difference that was not found is looked for again."""


class Feed:
    """Keeps only what would be slow to make again; what is seen is for the view to say."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._other: Run | None = None
        self._ahead: tuple[Ahead, Ahead] | None = None
        self._measures: Measurements | None = None
        self._searched: tuple[object, float, FirstDifference | None] = ((), 0.0, None)
        """Between which branches a difference was looked for, when to look again, what it is."""

    def other(self, view: WorkbenchView) -> Run | None:
        """The overlaid branch at the update of the run, or as near as it goes."""
        run, branch = self._run, view.overlaid
        if branch is None:
            self._other = None
        elif self._other is None or self._other.branch is not branch:
            self._other = Run.on(run.tree, branch, min(run.update, branch.update))
        return self._other

    def heatmap(self, snapshot: Snapshot, view: WorkbenchView) -> HeatmapContent:
        """What the heatmap shows; the update that follows is made only where it is seen."""
        other = self.other(view)
        if not view.heatmap.kind.ahead:
            self._ahead = None
            mine = GridSource(snapshot)
            theirs = None if other is None else GridSource(self._there(other))
        else:
            self._ahead = ours, its = self._ahead or (Ahead(), Ahead())
            mine = GridSource(snapshot, ours.of(self._run.state))
            theirs = None
            if other is not None:
                there = self._there(other)
                theirs = GridSource(there, its.of(other.state))
        return HeatmapContent(view.heatmap, mine, theirs)

    def _there(self, other: Run) -> Snapshot:
        """``other`` at the update of the run, or as near as it goes."""
        other.seek(min(self._run.update, other.head))
        return Snapshot.of(other)

    def plot(self, snapshot: Snapshot, view: WorkbenchView, *, running: bool) -> PlotContent:
        """What the plot shows; while the run is ``running``, fewer states are measured."""
        mine, theirs, goal = self._run.branch, view.overlaid, self._run.preset.goal.loss
        overlaid = None if theirs is None else self._overlaid(mine, theirs, running=running)
        if view.plot.plot is REPORTED:
            self._measures = None
            branches = self._run.tree.branches
            ghosts = ghosts_of(mine, branches, theirs) if view.plot.ghosts else Ghosts()
            floor = view.plot.floor
            holds = floor is not None and floor.of == mine.stretches
            bound = (floor.loss, mine.epoch_at(floor.since)) if floor and holds else None
            return PlotContent(view.plot, snapshot, goal, overlaid, ghosts=ghosts, floor=bound)
        measures = self._measures = self._measures or Measurements()
        along = measures.along(mine, fine=not running)
        beside = () if theirs is None else measures.beside(mine, theirs, fine=not running)
        return PlotContent(view.plot, snapshot, goal, overlaid, along, beside)

    def _overlaid(self, mine: Branch, theirs: Branch, *, running: bool) -> Overlaid:
        first = theirs.epoch_at(last_shared_update(mine, theirs))
        overlay = Overlay(theirs.losses, first, theirs.epoch_at(theirs.update))
        return Overlaid(overlay, theirs.name, self._difference(mine, theirs, running=running))

    def _difference(self, mine: Branch, theirs: Branch, *, running: bool) -> str:
        """Where the two differ: looked for once, and again where more was trained in vain."""
        pair = mine.stretches, theirs.stretches
        known, due, found = self._searched
        if known != pair or found is None:
            found = first_difference(mine, theirs)
        elif (
            found.update is None
            and found.searched_to < min(mine.update, theirs.update)
            and monotonic() >= due
        ):
            found = first_difference(mine, theirs, found.searched_to)
        else:
            return found.text
        # While nothing is trained, the search goes on with every look.
        self._searched = (pair, monotonic() + (AGAIN if running else 0.0), found)
        return found.text

    def output(
        self,
        snapshot: Snapshot,
        view: WorkbenchView,
        unit: tuple[int, int],
        panel: OutputPanel,
    ) -> OutputContent:
        """A picture of the outputs that fits ``panel``; of ``unit`` where the view wants that."""
        run, other = self._run, self.other(view)
        offered = output_kinds(run)
        what = view.output.what if view.output.what in offered else offered[0]
        if other is not None:
            self._there(other)
        return OutputContent(
            *compare_outputs(run, other, what, unit, panel.cells, view.heatmap.shown)
        )
