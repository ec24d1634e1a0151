"""The workbench: one scenario, its panels, and everything that can be done with its run."""

from collections.abc import Coroutine

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from nntui.presets.preset import Preset
from nntui.presets.schema import HIGHEST_SEED
from nntui.timeline import Run
from nntui.timeline.ending import BUDGET, DIVERGED, TARGET, Ending
from nntui.tui.actions import WORKBENCH, bindings
from nntui.tui.player import ARRIVED, Player
from nntui.tui.screens.ask import AskNumber
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.sized import SizedScreen
from nntui.tui.widgets.heatmap import Heatmap
from nntui.tui.widgets.key_bar import KeyBar
from nntui.tui.widgets.loss_plot import LossPlot
from nntui.tui.widgets.network import NetworkPanel
from nntui.tui.widgets.panel import Panel, TextPanel
from nntui.tui.widgets.status import DIVERGED as SHOWN_DIVERGED
from nntui.tui.widgets.status import PAST, PAUSED, RUNNING, StatusLine, loss_text
from nntui.tui.widgets.story import StoryPanel

FRAMES_PER_SECOND = 15
MANY_EPOCHS = 100
FARTHEST = 10**12
"""The highest update that can be asked for; years away, but still a number that fits."""


class Workbench(SizedScreen):
    """The screen of one scenario."""

    DEFAULT_CSS = """
    Workbench #left { width: 1fr; }
    Workbench #right { width: 42%; min-width: 28; max-width: 72; }
    Workbench LossPlot { height: 2fr; min-height: 5; }
    Workbench Heatmap { height: 3fr; min-height: 6; }
    Workbench NetworkPanel { height: auto; max-height: 50%; }
    Workbench StoryPanel { height: 1fr; }
    """
    BINDINGS = bindings(WORKBENCH)

    class Left(Message):
        """The user wants to go back to the library."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self._preset = preset
        self._playing: Worker[None] | None = None
        self._open(preset.seed)

    def _open(self, seed: int) -> None:
        self.run_shown = Run(self._preset, seed)
        self.player = Player(self.run_shown, Ending.of(self.run_shown))

    def compose(self) -> ComposeResult:
        """Status above, plots left, texts right, keys below."""
        yield StatusLine(self._preset)
        with Horizontal():
            with Vertical(id="left"):
                yield LossPlot(self._preset.goal.loss)
                yield Heatmap()
            with Vertical(id="right"):
                yield NetworkPanel(self._preset)
                yield StoryPanel(self._preset.story)
        yield KeyBar(WORKBENCH)
        yield self.too_small()

    def on_mount(self) -> None:
        """Show update 0; the story has the focus, because one reads it first."""
        self._frames = self.set_interval(1 / FRAMES_PER_SECOND, self._show, pause=True)
        self.query_one(StoryPanel).focus()
        self._show("press space to run, u for one update")

    def on_unmount(self) -> None:
        """Stop training."""
        self._pause()

    def _show(self, note: str | None = None) -> None:
        """Hand the panels a new snapshot."""
        snapshot = self.run_shown.snapshot()
        status = self.query_one(StatusLine)
        with self.app.batch_update():
            status.snapshot = snapshot
            status.speed = self.player.speed_text
            status.state = self._state()
            if note is not None:
                status.note = note
            self.query_one(LossPlot).snapshot = snapshot
            self.query_one(Heatmap).snapshot = snapshot

    def _state(self) -> str:
        run = self.run_shown
        if self.running:
            return RUNNING
        if run.divergence is not None:
            return SHOWN_DIVERGED
        return PAST if run.update < run.head else PAUSED

    @property
    def running(self) -> bool:
        """Whether the run is being trained right now."""
        return self._playing is not None

    def _play(self, training: Coroutine[None, None, str], note: str) -> None:
        self._pause()
        self._playing = self.run_worker(self._played(training), exclusive=True, group="play")
        self._frames.resume()
        self._show(note)

    async def _played(self, training: Coroutine[None, None, str]) -> None:
        reason = await training
        self._playing = None
        self._frames.pause()
        self._show(self._ended(reason))

    def _pause(self) -> bool:
        """Stop training, between two updates; whether it was going on."""
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.cancel()
            self._frames.pause()
        return playing is not None

    def _ended(self, reason: str) -> str:
        run, goal = self.run_shown, self._preset.goal
        if reason == DIVERGED and run.divergence is not None:
            return run.divergence.what
        if reason == TARGET:
            return f"stopped: loss {loss_text(run.loss)} reached {goal.loss:g}"
        if reason == BUDGET:
            return f"budget spent: {goal.epochs:,} epochs"
        return ""

    def _train_to(self, target: int) -> None:
        """Train to ``target``: at once if that is quick, else with the keyboard kept alive."""
        self._pause()
        if self.player.slice(target):
            self._show(self._ended(DIVERGED if self.run_shown.divergence else ARRIVED))
        else:
            self._play(self.player.go_to(target), f"training to update {target:,}")

    def _seek(self, update: int, note: str) -> None:
        self._pause()
        self.run_shown.seek(update)
        self._show(note)

    def _start(self, seed: int | None) -> None:
        if seed is not None:
            self._pause()
            self._open(seed)
            self._show(f"new weights from seed {seed}")

    def action_one_update(self) -> None:
        """Make one update."""
        self._train_to(self.run_shown.update + 1)

    def _train_epochs(self, epochs: int) -> None:
        run, per_epoch = self.run_shown, self._preset.configuration.updates_per_epoch
        self._train_to(run.update - run.position + epochs * per_epoch)

    def action_one_epoch(self) -> None:
        """Train to the end of the epoch."""
        self._train_epochs(1)

    def action_many_epochs(self) -> None:
        """Train many epochs."""
        self._train_epochs(MANY_EPOCHS)

    def action_run(self) -> None:
        """Run, or pause."""
        if self._pause():
            self._show("")
        elif self.run_shown.divergence is not None:
            self._show("diverged: go back, or take another seed")
        else:
            self._play(self.player.play(), "space pauses")

    def action_one_back(self) -> None:
        """Go one update back."""
        if self.run_shown.update == 0:
            self._pause()
            self._show("there is nothing before update 0")
        else:
            self._seek(self.run_shown.update - 1, "one update back")

    def action_checkpoint(self) -> None:
        """Set a checkpoint."""
        update = self.run_shown.set_checkpoint()
        self._show(f"checkpoint at update {update:,}")

    def action_last_checkpoint(self) -> None:
        """Go back to the last checkpoint."""
        update = self.run_shown.checkpoint_before()
        what = "checkpoint" if update in self.run_shown.checkpoints else "no checkpoint:"
        self._seek(update, f"{what} update {update:,}")

    def action_jump(self) -> None:
        """Ask for an update and go there."""
        self._pause()
        self._show("")
        head = self.run_shown.head
        hint = f"Trained so far: 0 to {head:,}. A later update is trained first."
        ask = AskNumber("Go to update", hint, 0, FARTHEST)
        self.app.push_screen(ask, lambda update: self._jump(update))

    def _jump(self, update: int | None) -> None:
        if update is None:
            return
        if update <= self.run_shown.head:
            self._seek(update, "")
        else:
            self._train_to(update)

    def action_next_seed(self) -> None:
        """Take the next seed."""
        self._start((self.run_shown.seed + 1) % (HIGHEST_SEED + 1))

    def action_choose_seed(self) -> None:
        """Ask for a seed."""
        hint = f"The seed of the first weights; now {self.run_shown.seed}."
        self.app.push_screen(AskNumber("Start with seed", hint, 0, HIGHEST_SEED), self._start)

    def action_restart(self) -> None:
        """Go to update 0."""
        self._seek(0, f"update 0 of seed {self.run_shown.seed}")

    def action_faster(self) -> None:
        """Run faster."""
        self.player.change_speed(1)
        self._show()

    def action_slower(self) -> None:
        """Run slower."""
        self.player.change_speed(-1)
        self._show()

    def action_log_scale(self) -> None:
        """Switch the loss axis."""
        plot = self.query_one(LossPlot)
        plot.log_axis = not plot.log_axis

    def action_zoom(self) -> None:
        """Show the focused panel alone, or all."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused)

    def action_library(self) -> None:
        """Back to the library."""
        self._pause()
        self.post_message(self.Left())

    def action_help(self) -> None:
        """Explain the focused panel."""
        panel: Widget | None = self.focused
        if isinstance(panel, (Panel, TextPanel)):
            title, explained = str(panel.border_title), panel.explained
        else:
            title, explained = "The workbench", "Tab moves the focus; ? explains that panel."
        self.app.push_screen(HelpScreen(title, explained, WORKBENCH))
