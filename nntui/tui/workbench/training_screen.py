"""The screen that everything in the workbench stands on: a run, its player, and what is shown."""

from collections.abc import Callable, Coroutine
from functools import partial

from textual.signal import Signal
from textual.worker import Worker

from nntui.presets.preset import Preset
from nntui.timeline import Run
from nntui.timeline.history.termination import BUDGET, DIVERGED, TARGET
from nntui.tui.actions import fill_keys
from nntui.tui.panels.status_line import DIVERGED as SHOWN_DIVERGED
from nntui.tui.panels.status_line import PAST, PAUSED, REPLAYING, RUNNING
from nntui.tui.screens.sized import SizedScreen
from nntui.tui.terminal.backpressure import ThriftyApp
from nntui.tui.workbench.player import ARRIVED, Player

Training = Callable[[], Coroutine[None, None, str]]
"""Trains when awaited, and says how that ended."""


class TrainingScreen(SizedScreen):
    """A run on the screen, trained by a player; subclasses give it panels and actions."""

    def __init__(self, preset: Preset, run: Run | None = None) -> None:
        super().__init__()
        self._preset = preset
        self.playing: Worker[None] | None = None
        """What trains in the background."""
        self.said_at_the_end = ""
        """How the last training ended, in words; empty where it was stopped or just arrived."""
        self._endless = False
        self.run_shown = Run(preset) if run is None else run
        self.player = Player(self.run_shown)
        self.moved: Signal[Run] = Signal(self, "moved")
        """Published whenever the run is shown as it is now."""

    def on_mount(self) -> None:
        """Frames are drawn only while something is trained."""
        assert isinstance(self.app, ThriftyApp)
        self._frames = self.set_interval(1 / self.app.profile.frames, self._frame, pause=True)

    def _frame(self) -> None:
        """Show the run, if the terminal has shown what it got before."""
        assert isinstance(self.app, ThriftyApp)
        if not self.app.line_is_busy:
            self.show()

    def on_unmount(self) -> None:
        """Stop training."""
        self.pause()

    def show(self, note: str | None = None) -> None:
        """Show the run as it is now; ``note`` says in a few words what just happened.

        There are no panels here, and so there is nothing to show yet.
        """

    def acted(self, action: str) -> None:
        """Note an action that was performed, such as ``one_epoch`` or ``jump 300``."""

    @property
    def state(self) -> str:
        """What the status line says of the run."""
        run = self.run_shown
        if run.update < run.head and not (self.running and self.player.follows):
            return PAST
        if self.running:
            return REPLAYING if self.player.replays else RUNNING
        return PAUSED if run.divergence is None else SHOWN_DIVERGED

    @property
    def running(self) -> bool:
        """Whether anything is being trained right now."""
        return self.playing is not None

    @property
    def trains_on(self) -> bool:
        """Whether the head is trained while the cursor stays in the past."""
        return self.running and not self.player.follows

    def play(self, train: Training, note: str, *, endless: bool = False) -> None:
        """Train in the background; ``endless`` if that goes on wherever the cursor is moved."""
        self.pause()
        self._endless = endless
        self.playing = self.run_worker(partial(self._played, train), exclusive=True, group="play")
        self._frames.resume()
        self.show(note)

    async def _played(self, train: Training) -> None:
        reason = await train()
        self.playing = None
        self._frames.pause()
        self.said_at_the_end = self.ended(reason)
        self.show(self.said_at_the_end)

    def pause(self) -> bool:
        """Stop training, between two updates; whether it was going on."""
        playing, self.playing = self.playing, None
        self.said_at_the_end = ""
        if playing is not None:
            playing.cancel()
            self._frames.pause()
        self.player.follows = True
        return playing is not None

    def ended(self, reason: str) -> str:
        """How training ended, in words."""
        line = self.player.line
        if reason == DIVERGED and line.divergence is not None:
            return line.divergence.what
        if reason == TARGET:
            return f"stopped: {line.preset.goal.loss:g} is reached"
        if reason == BUDGET:
            return f"budget spent: {line.preset.goal.epochs:,} epochs"
        return ""

    def train_to(self, target: int, note: str = "") -> None:
        """Train to ``target``: at once if that is quick, else with the keyboard kept alive.

        Where all of it is known and the head is trained, only the cursor moves.
        """
        if self.trains_on and target <= self.run_shown.head:
            self.seek(target, note)
            return
        self.pause()
        if self.player.slice(target):
            self.said_at_the_end = self.ended(DIVERGED if self.run_shown.divergence else ARRIVED)
            self.show(self.said_at_the_end or note)
        else:
            note = fill_keys(f"on the way to update {target:,}; {{run}} stops")
            self.play(partial(self.player.go_to, target), note)

    def seek(self, update: int, note: str = "") -> None:
        """Take the cursor to ``update``; what is trained at the head goes on meanwhile."""
        run, player = self.run_shown, self.player
        if not (self.running and self._endless and update <= run.head) or player.replays:
            self.pause()
        run.approach(update)
        player.follows = True
        if not self.running:
            self.train_to(update, note)
        elif player.slice(update):
            player.follows = run.update == run.head
            self.show(note)
        else:
            self.pause()
            self.train_to(update, note)

    def stop_to_ask(self) -> bool:
        """Pause; False if there is a question on the screen already."""
        if self.pause():
            self.show(fill_keys("paused to ask; {run} goes on"))
        return self.app.screen is self

    def change_run(self, run: Run, note: str) -> None:
        """Show another run, with the same speed."""
        self.pause()
        self.run_shown = run
        self.player.open(run)
        self.show(note)
