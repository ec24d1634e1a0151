"""Hands every panel of the workbench what it shows."""

from nntui.timeline import Snapshot
from nntui.tui.panels.branches_panel import BranchesPanel, lines_of
from nntui.tui.panels.content import BranchesContent, StatusContent
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.status_line import StatusLine
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.workbench.arrangement import arrange
from nntui.tui.workbench.bench import Bench
from nntui.tui.workbench.feed import Feed


class Display:
    """Brings the panels up to date with the run and the view; nothing else writes to them.

    The Why panel is the exception: its diagnosis is made in the background, by `Diagnosing`.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.feed = Feed(bench.run_shown)
        self.note = ""
        """What the status line says of what just happened."""
        self._shown: tuple[object, ...] = ()

    def show(self, note: str | None) -> bool:
        """Hand out what is new, with another ``note`` unless it is None; whether anything is."""
        bench, view = self._bench, self._bench.view
        run, control = bench.run_shown, bench.control
        theirs = None if view.overlaid is None else view.overlaid.update
        shown = (
            *(view, run.branch, run.update, run.head, theirs),
            *(control.state, control.trains_on, control.player.speed),
        )
        if note is None and shown == self._shown:
            return False
        self._shown, snapshot = shown, Snapshot.of(run)
        plot = bench.panel(LossPlot)
        with plot.app.batch_update():
            arrange(plot.screen, view, run)
            self._show_status(snapshot, note)
            plot.content = self.feed.plot(snapshot, view, running=control.running)
            bench.panel(Heatmap).content = self.feed.heatmap(snapshot, view)
            self._show_outputs(snapshot)
            bench.panel(Timeline).snapshot = snapshot
            bench.panel(StoryPanel).done = view.steps_done
            bench.panel(NetworkPanel).show(run.preset, run.seed)
            self._list_branches()
        return True

    def _show_status(self, snapshot: Snapshot, note: str | None) -> None:
        run, control = self._bench.run_shown, self._bench.control
        status = self._bench.panel(StatusLine)
        self.note = self.note if note is None else note
        status.content = StatusContent(
            snapshot,
            run.preset.goal,
            control.state,
            self.note,
            control.player.speed_text,
            control.trains_on,
            len(run.tree.branches),
        )
        if note is not None and status.size:
            self._say_all_of(note)
        elif note is not None:
            status.call_after_refresh(self._say_all_of, note)

    def _say_all_of(self, note: str) -> None:
        """Say ``note`` apart where its line has no room: it may be an answer to a question."""
        status = self._bench.panel(StatusLine)
        if not status.fits(note):
            status.notify(note, markup=False)

    def fit_outputs(self) -> None:
        """Give the output panel a picture that fits its new size."""
        self._show_outputs(Snapshot.of(self._bench.run_shown))

    def _show_outputs(self, snapshot: Snapshot) -> None:
        view = self._bench.view
        if view.output.visible:
            panel = self._bench.panel(OutputPanel)
            panel.content = self.feed.output(snapshot, view, self._bench.unit, panel)

    def _list_branches(self) -> None:
        bench, run = self._bench, self._bench.run_shown
        panel = bench.panel(BranchesPanel)
        if len(run.tree.branches) > 1 or panel.content.listed:
            lines = lines_of(run.tree, run.branch, bench.view.overlaid)
            compact = bench.is_short and bench.view.zoomed is None
            panel.content = BranchesContent(lines, compact)
