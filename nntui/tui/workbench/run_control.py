"""Plays the run of the workbench in the background, pauses it, and moves its cursor."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Protocol

from textual.worker import Worker

from nntui.core.number_text import number_text
from nntui.timeline import Run
from nntui.timeline.history.termination import BUDGET, DIVERGED, TARGET, Termination
from nntui.tui.actions import fill_keys
from nntui.tui.panels.status_line import DIVERGED as SHOWN_DIVERGED
from nntui.tui.panels.status_line import PAST, PAUSED, REPLAYING, RUNNING
from nntui.tui.workbench.pace import Pace
from nntui.tui.workbench.player import ARRIVED, Player

Task = Callable[[], Coroutine[None, None, str]]
"""Trains when awaited, and says in words how that ended."""


class Stage(Protocol):
    """Where a run is shown while it is trained."""

    def show(self, note: str | None = None) -> None:
        """Show the run as it is now."""

    def draw_frames(self, on: bool) -> None:
        """Begin to show it again and again, or stop."""

    def work(self, task: Callable[[], Coroutine[None, None, None]], group: str) -> Worker[None]:
        """Do ``task`` in the background."""


class RunControl:
    """One run, its player, and whatever is being trained right now."""

    def __init__(self, stage: Stage, run: Run) -> None:
        self._stage, self._run = stage, run
        self.player = Player(run)
        self.training: Worker[None] | None = None
        """What trains in the background."""
        self.ended_with = ""
        """How the last training ended, in words; empty where it was stopped or just arrived."""
        self._endless = False
        self._pace = Pace()

    @property
    def time_left(self) -> str:
        """How long what is trained will take, in words; empty while that is not known."""
        return self._pace.left(self.player.line.update) if self.running else ""

    @property
    def running(self) -> bool:
        """Whether anything is being trained right now."""
        return self.training is not None

    @property
    def trains_on(self) -> bool:
        """Whether the head is trained while the cursor stays in the past."""
        return self.running and not self.player.follows

    @property
    def failed(self) -> bool:
        """Whether training has come to its end, and the goal is not reached."""
        branch = self._run.branch
        return not (self.running or branch.solved) and Termination().reason(branch) is not None

    @property
    def state(self) -> str:
        """What the status line says of the run."""
        run = self._run
        if run.update < run.head and not (self.running and self.player.follows):
            return PAST
        if self.running:
            return REPLAYING if self.player.replays else RUNNING
        return PAUSED if run.divergence is None else SHOWN_DIVERGED

    def start(
        self,
        task: Task,
        note: str,
        *,
        endless: bool = False,
        follows: bool = True,
        target: int | None = None,
    ) -> None:
        """Train in the background, at the head alone unless the cursor ``follows``.

        ``endless`` if that goes on wherever the cursor is moved; ``target`` is the update at
        which it ends, if that is known.
        """
        self.pause()
        self._endless, self.player.follows = endless, follows
        self._pace.begin(self.player.line.update, target)
        self.training = self._stage.work(partial(self._finish, task), "training")
        self._stage.draw_frames(True)
        self._stage.show(note)

    async def _finish(self, task: Task) -> None:
        ended = await task()
        self.training = None
        self._stage.draw_frames(False)
        self.ended_with = ended
        self._stage.show(ended)

    def play(self, note: str, *, follows: bool = True) -> None:
        """Train until the run ends, at the head alone unless the cursor ``follows``."""
        player = self.player

        async def task() -> str:
            return self._ended(await player.play())

        line = self._run if follows else self._run.branch
        over = player.ending.reason(line) is not None
        note = fill_keys("beyond the budget; {run} pauses" if over else note)
        target = None if over else player.ending.budget(line)
        self.start(task, note, endless=True, follows=follows, target=target)

    def pause(self) -> bool:
        """Stop training, between two updates; whether it was going on."""
        worker, self.training = self.training, None
        self.ended_with = ""
        if worker is not None:
            worker.cancel()
            self._stage.draw_frames(False)
        self.player.follows = True
        return worker is not None

    def _ended(self, reason: str) -> str:
        """How training ended, in words; where that is disappointing, with the key that asks why."""
        line, goal = self.player.line, self.player.line.preset.goal
        if reason == DIVERGED and line.divergence is not None:
            return line.divergence.what
        if reason == TARGET:
            return f"stopped: {number_text(goal.loss)} is reached"
        if reason == BUDGET:
            hint = "" if self._run.branch.solved else fill_keys("; {why} says why")
            return f"budget spent: {goal.epochs:,} epochs{hint}"
        return ""

    def train_to(self, target: int, note: str = "") -> None:
        """Train to ``target``: at once if that is quick, else with the keyboard kept alive.

        Where all of it is known and the head is trained, only the cursor moves.
        """
        if self.trains_on and target <= self._run.head:
            self.seek(target, note)
            return
        self.pause()
        if self.player.slice(target):
            reason = DIVERGED if self._run.divergence else ARRIVED
            self.ended_with = self._ended(reason)
            self._stage.show(self.ended_with or note)
            return

        async def task() -> str:
            return self._ended(await self.player.go_to(target)) or note

        note_now = fill_keys(f"on the way to update {target:,}; {{run}} stops")
        self.start(task, note_now, target=target)

    def seek(self, update: int, note: str = "") -> None:
        """Take the cursor to ``update``; what is trained at the head goes on meanwhile."""
        run, player = self._run, self.player
        if not (self.running and self._endless and update <= run.head) or player.replays:
            self.pause()
        run.approach(update)
        player.follows = True
        if not self.running:
            self.train_to(update, note)
        elif player.slice(update):
            player.follows = run.update == run.head
            self._stage.show(note)
        else:
            self.pause()
            self.train_to(update, note)
