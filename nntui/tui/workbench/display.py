"""Hands every panel of the workbench what it shows."""

from nntui.timeline import Snapshot
from nntui.tui.panels.branches_panel import BranchesPanel, lines_of
from nntui.tui.panels.content import BranchesContent, StatusContent
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.message_line import MessageContent, MessageLine
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.status_line import StatusLine
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.workbench.arrangement import arrange, fit, shows_output
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

    def show(self, note: str | None, *, anew: bool = False) -> bool:
        """Hand out what is new, with another ``note`` unless it is None; whether anything is.

        With ``anew`` all of it counts as new.
        """
        bench, view = self._bench, self._bench.view
        run, control = bench.run_shown, bench.control
        theirs = None if view.overlaid is None else view.overlaid.update
        shown = (
            *(view, run.branch, run.update, run.head, theirs),
            *(control.state, control.trains_on, control.player.speed, control.time_left),
        )
        if note is None and shown == self._shown and not anew:
            return False
        self._shown, snapshot = shown, Snapshot.of(run)
        plot = bench.panel(LossPlot)
        with plot.app.batch_update():
            arrange(plot.screen, view, run, short=bench.is_short)
            self._show_status(snapshot, note)
            plot.content = self.feed.plot(snapshot, view, running=control.running)
            bench.panel(Heatmap).content = self.feed.heatmap(snapshot, view)
            self._show_outputs(snapshot)
            bench.panel(Timeline).snapshot = snapshot
            bench.panel(StoryPanel).done = view.steps_done
            bench.panel(NetworkPanel).show(run.preset, run.seed)
            self._list_branches()
            self.fit()
        return True

    def fit(self) -> None:
        """Give every panel the rows that it needs, as far as there are so many."""
        fit(self._bench.panel(LossPlot).screen, self._bench.view, short=self._bench.is_short)

    def _show_status(self, snapshot: Snapshot, note: str | None) -> None:
        run, control = self._bench.run_shown, self._bench.control
        self.note = self.note if note is None else note
        self._bench.panel(StatusLine).content = StatusContent(
            snapshot,
            run.preset.goal,
            control.state,
            self.note,
            control.player.speed_text,
            control.time_left,
            control.trains_on,
            len(run.tree.branches),
        )
        self._bench.panel(MessageLine).content = self._message()

    def _message(self) -> MessageContent:
        """The note, and the story's next step where another panel has all the room.

        What is being edited needs the rows itself.
        """
        bench, view = self._bench, self._bench.view
        steps, done = bench.scenario.story.steps, view.steps_done
        edited = bench.panel(NetworkPanel).has_focus_within
        if view.zoomed in (None, StoryPanel) or done >= len(steps) or edited:
            return MessageContent(self.note)
        return MessageContent(self.note, done + 1, steps[done].do, steps[done].see)

    def fit_outputs(self) -> None:
        """Give the output panel a picture that fits its new size."""
        self._show_outputs(Snapshot.of(self._bench.run_shown))

    def _show_outputs(self, snapshot: Snapshot) -> None:
        bench = self._bench
        if shows_output(bench.view, bench.run_shown, short=bench.is_short):
            panel = bench.panel(OutputPanel)
            panel.content = self.feed.output(snapshot, bench.view, bench.unit, panel)

    def _list_branches(self) -> None:
        bench, run = self._bench, self._bench.run_shown
        panel = bench.panel(BranchesPanel)
        if len(run.tree.branches) > 1 or panel.content.listed:
            lines = lines_of(run.tree, run.branch, bench.view.overlaid)
            compact = bench.is_short and bench.view.zoomed is None
            panel.content = BranchesContent(lines, compact)
