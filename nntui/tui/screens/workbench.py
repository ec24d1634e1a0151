"""The workbench: one scenario, its panels, and everything that can be done with its run."""

from collections.abc import Callable, Coroutine
from functools import partial

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from nntui.presets.preset import Preset
from nntui.presets.schema import HIGHEST_SEED
from nntui.timeline import Run
from nntui.timeline.ending import BUDGET, DIVERGED, TARGET
from nntui.tui.actions import WORKBENCH, bindings, fill_keys
from nntui.tui.player import ARRIVED, Player
from nntui.tui.screens.ask import AskNumber
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.seeds import SeedsScreen
from nntui.tui.screens.sized import SizedScreen
from nntui.tui.widgets.heatmap import Heatmap
from nntui.tui.widgets.key_bar import KeyBar
from nntui.tui.widgets.loss_plot import LossPlot
from nntui.tui.widgets.network import NetworkPanel
from nntui.tui.widgets.panel import Panel, TextPanel
from nntui.tui.widgets.status import DIVERGED as SHOWN_DIVERGED
from nntui.tui.widgets.status import PAST, PAUSED, RUNNING, StatusLine
from nntui.tui.widgets.story import StoryPanel

Training = Callable[[], Coroutine[None, None, str]]
"""Trains when awaited, and says how that ended."""

PANELS: tuple[type[Widget], ...] = (StoryPanel, LossPlot, Heatmap, NetworkPanel)
"""In the order in which the focus goes round."""
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
    Workbench.-zoomed #right { width: 1fr; max-width: 100%; }
    Workbench.-zoomed NetworkPanel { height: 1fr; max-height: 100%; }
    """
    BINDINGS = [*bindings(WORKBENCH), Binding("escape", "unzoom", "all panels", show=False)]

    class Left(Message):
        """The user wants to go back to the library."""

        def __init__(self, preset: Preset) -> None:
            super().__init__()
            self.preset = preset

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self._preset = preset
        self._playing: Worker[None] | None = None
        self._shown: tuple[object, ...] = ()
        self.run_shown = Run(preset)
        self.player = Player(self.run_shown)

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
        yield self.size_message()

    def on_mount(self) -> None:
        """Show update 0; the story has the focus, because one reads it first."""
        self._frames = self.set_interval(1 / FRAMES_PER_SECOND, self._show, pause=True)
        self.query_one(StoryPanel).focus()
        self._show(fill_keys("{run} runs, {one_update} steps"))

    def on_unmount(self) -> None:
        """Stop training."""
        self._pause()

    def _show(self, note: str | None = None) -> None:
        """Hand the panels a new snapshot, if there is anything new."""
        run, status = self.run_shown, self.query_one(StatusLine)
        shown = (run, run.update, run.head, self._state(), self.player.speed)
        if note is None and shown == self._shown:
            return
        self._shown, snapshot = shown, run.snapshot()
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

    def _play(self, train: Training, note: str) -> None:
        self._pause()
        self._playing = self.run_worker(partial(self._played, train), exclusive=True, group="play")
        self._frames.resume()
        self._show(note)

    async def _played(self, train: Training) -> None:
        reason = await train()
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
            return f"stopped: {goal.loss:g} is reached"
        if reason == BUDGET:
            return f"budget spent: {goal.epochs:,} epochs"
        return ""

    def _train_to(self, target: int, note: str = "") -> None:
        """Train to ``target``: at once if that is quick, else with the keyboard kept alive."""
        self._pause()
        if self.player.slice(target):
            self._show(self._ended(DIVERGED if self.run_shown.divergence else ARRIVED) or note)
        else:
            self._play(partial(self.player.go_to, target), f"on the way to update {target:,}")

    def _seek(self, update: int, note: str = "") -> None:
        self._pause()
        self.run_shown.approach(update)
        self._train_to(update, note)

    def _start(self, seed: int | None) -> None:
        if seed is not None:
            self._pause()
            self.run_shown = Run(self._preset, seed)
            self.player.open(self.run_shown)
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
            over = self.player.ending.reason(self.run_shown) is not None
            note = "beyond the end; {run} pauses" if over else "{run} pauses"
            self._play(self.player.play, fill_keys(note))

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

    def _stop_to_ask(self) -> bool:
        """Pause; False if there is a question on the screen already."""
        if self._pause():
            self._show(fill_keys("paused to ask; {run} goes on"))
        return self.app.screen is self

    def action_jump(self) -> None:
        """Ask for an update and go there."""
        if not self._stop_to_ask():
            return
        head = self.run_shown.head
        hint = f"Trained so far: 0 to {head:,}. A later update is trained first."
        ask = AskNumber("Go to update", hint, 0, FARTHEST)
        self.app.push_screen(ask, lambda update: self._jump(update))

    def _jump(self, update: int | None) -> None:
        if update is not None:
            self._seek(update)

    def action_next_seed(self) -> None:
        """Take the next seed."""
        self._start((self.run_shown.seed + 1) % (HIGHEST_SEED + 1))

    def action_choose_seed(self) -> None:
        """Ask for a seed."""
        if not self._stop_to_ask():
            return
        hint = f"The seed of the first weights; now {self.run_shown.seed}."
        self.app.push_screen(AskNumber("Start with seed", hint, 0, HIGHEST_SEED), self._start)

    def action_many_seeds(self) -> None:
        """Train many other seeds, and open one of them if it is chosen."""
        if self._stop_to_ask():
            self.app.push_screen(SeedsScreen(self._preset, self.run_shown.seed), self._start)

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

    @property
    def zoomed(self) -> bool:
        """Whether one panel has all the room."""
        return self.has_class("-zoomed")

    def action_zoom(self) -> None:
        """Show the focused panel alone, or all."""
        self._zoom(None if self.zoomed else self.focused)

    def action_unzoom(self) -> None:
        """Show all panels."""
        self._zoom(None)

    def action_next_panel(self) -> None:
        """Move the focus to the next panel; where one is zoomed, the next one is."""
        panels = [self.query_one(kind) for kind in PANELS]
        focused = self.focused
        at = panels.index(focused) + 1 if focused in panels else 0
        following = panels[at % len(panels)]
        if self.zoomed:
            self._zoom(following)
        following.focus()

    def _zoom(self, panel: Widget | None) -> None:
        """Give ``panel`` all the room between status and keys; None gives it back."""
        self.set_class(panel is not None, "-zoomed")
        for kind in PANELS:
            each = self.query_one(kind)
            each.display = panel is None or each is panel
        for column in self.query("#left, #right"):
            column.display = any(each.display for each in column.children)
        if panel is not None:
            self._show(fill_keys("{zoom} shows all panels, {next_panel} the next"))

    def action_library(self) -> None:
        """Back to the library."""
        self._pause()
        self.post_message(self.Left(self._preset))

    def action_help(self) -> None:
        """Explain the focused panel."""
        panel: Widget | None = self.focused
        if isinstance(panel, (Panel, TextPanel)):
            title, explained = str(panel.border_title), panel.explained
        else:
            title, explained = "The workbench", "Tab moves the focus; ? explains that panel."
        self.app.push_screen(HelpScreen(title, explained, WORKBENCH))
