"""Moves a program in the background: one thread at a time asks it, and the screen never waits."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

from textual.worker import Worker

from nntui.core.errors import ConfigError
from nntui.program.control.travel.timeline import InterruptedTravelError
from nntui.program.debugging.program_run import ProgramRun
from nntui.program.debugging.seen import ProgramSeen
from nntui.program.debugging.snapshot_of_run import seen_of
from nntui.program.program_error import ProgramError
from nntui.tui.workbench.background import in_thread

GLANCE, RARE = 0.4, 8.0
"""Seconds between two looks at the values on the way, and at least so many times what one took."""
SLICE = 0.1
"""Seconds that a program runs between two pictures."""
FAR = 1 << 60
MOVES = "moving"
"""What it is doing while the cursor is on its way."""
Result = TypeVar("Result")
TROUBLE = (ProgramError, ConfigError, OSError)
"""What a program can do to whoever asks it, beside being interrupted."""


def in_words(error: BaseException) -> str:
    """What happened, for the status line."""
    if isinstance(error, InterruptedTravelError):
        return "interrupted: back to where the move began"
    told = str(error) or type(error).__name__
    # A program must not take the app with it, whatever nntui has not thought of.
    return told if isinstance(error, TROUBLE) else f"nntui failed: {type(error).__name__}: {told}"


class ProgramStage(Protocol):
    """Where a program is shown while it is moved."""

    def take(self, seen: ProgramSeen) -> None:
        """Show what is seen of it now."""

    def tell(self, note: str) -> None:
        """Say what just happened."""

    def work(self, task: Callable[[], Coroutine[None, None, None]]) -> Worker[None]:
        """Do ``task`` in the background."""


@dataclass
class Goal:
    """Where a program is going: to an update, so many updates on, or over so many epochs."""

    update: int | None = None
    by: int = 0
    """Updates, counted from where the cursor is when the move begins."""
    epochs: int = 0
    note: str = ""
    """What is said when it is there."""


class ProgramControl:
    """What a program is doing, and what it is to do next.

    Whatever asks the program waits its turn; a new goal takes the place of the one before.
    """

    def __init__(self, stage: ProgramStage, run: ProgramRun) -> None:
        self._stage, self.run = stage, run
        self._turn = asyncio.Lock()
        self._goal: Goal | None = None
        self.doing = "opening"
        """What is being done, in a word; empty where nothing is."""
        self.running = False
        """Whether the program runs until somebody stops it."""
        self.closed = False
        self._glance_at = 0.0
        self._tasks = 0
        """What waits for its turn, or has it."""

    @property
    def is_busy(self) -> bool:
        """Whether anything is asked of the program, or is about to be."""
        return self._tasks > 0

    def _work(self, task: Callable[[], Coroutine[None, None, None]]) -> None:
        self._tasks += 1

        async def counted() -> None:
            try:
                await task()
            finally:
                self._tasks -= 1

        self._stage.work(counted)

    # Goals.

    def go_to(self, update: int, note: str = "") -> None:
        """Take the cursor to ``update``."""
        self._want(Goal(update=max(update, 0), note=note))

    def step(self, by: int) -> None:
        """Move by some updates, from where an earlier goal ends."""
        goal = self._goal
        if goal is None or goal.epochs or goal.update == FAR:
            self._want(Goal(by=by))
        elif goal.update is None:
            self._want(Goal(by=goal.by + by))
        else:
            self.go_to(goal.update + by)

    def epochs(self, count: int) -> None:
        """Go on by some epochs; those of an earlier goal count too."""
        goal = self._goal
        before = goal.epochs if goal is not None else 0
        self._want(Goal(epochs=before + count))

    def play(self) -> None:
        """Run to the end of the program."""
        self.running = True
        self._want(Goal(update=FAR), running=True)

    def halt(self) -> bool:
        """Stop at the next update; whether it was moving."""
        moving, self._goal = self._goal is not None, None
        self.running = False
        if moving:
            self.run.stop()
        return moving

    def interrupt(self) -> None:
        """End the update that is being made, and go back to where the move began."""
        self._goal, self.running = None, False
        if self.doing:
            self.run.interrupt()

    def _want(self, goal: Goal, *, running: bool = False) -> None:
        first = self._goal is None
        self._goal, self.running = goal, running
        if first:
            self._work(self._move)
        else:
            self.run.stop()

    async def _move(self) -> None:
        """Go to the goal, whatever it has become meanwhile, a slice after the other."""
        async with self._turn:
            self.doing = MOVES
            note = ""
            try:
                while (goal := self._goal) is not None and not self.closed:
                    if goal.update is None and not goal.epochs:
                        goal.update = max(self.run.update + goal.by, 0)
                    arrived = await in_thread(lambda goal=goal: self._slice(goal))  # type: ignore[misc]
                    if arrived and self._goal is goal:
                        self._goal, note = None, goal.note
                    elif self._goal is not None:
                        await self._glance()
                        self._stage.take(await in_thread(partial(seen_of, self.run, passing=True)))
            except Exception as error:
                note = in_words(error)
            finally:
                self._goal, self.running, self.doing = None, False, ""
            if not self.closed:
                await self._look(note)

    async def _glance(self) -> None:
        """Look at the values of the lines on the way, now and then, where that costs little."""
        begun = monotonic()
        if begun >= self._glance_at:
            await in_thread(self.run.look)
            took = monotonic() - begun
            self._glance_at = monotonic() + max(GLANCE, RARE * took)

    def _slice(self, goal: Goal) -> bool:
        """Go on for a slice; whether the goal is reached, or there is nothing beyond."""
        run, before = self.run, self.run.update
        if goal.update is None:
            starts = len(run.branch.record.starts)
            reached = run.epoch(SLICE)
            begun = reached in run.branch.record.starts[-1:] and len(run.branch.record.starts)
            replayed = reached in run.branch.record.starts and reached > before
            if replayed or (begun and len(run.branch.record.starts) > starts) or not run.has_epochs:
                goal.epochs -= 1
            return goal.epochs <= 0 or self._is_over(reached)
        reached = run.seek(goal.update, SLICE)
        return reached == goal.update or (goal.update > reached and self._is_over(reached))

    def _is_over(self, reached: int) -> bool:
        run = self.run
        return bool(run.branch.problem) or (run.has_ended and reached >= run.branch.head)

    # Questions.

    def ask(
        self,
        doing: str,
        question: Callable[[], Result],
        answered: Callable[[Result], str] = lambda result: "",
    ) -> None:
        """Let a thread do ``question``, then show the program; ``answered`` makes the note."""
        self.halt()

        async def task() -> None:
            async with self._turn:
                if self.closed:
                    return
                self.doing = doing
                self._stage.tell(f"{doing} ...")
                try:
                    result = await in_thread(question)
                except Exception as error:
                    note = in_words(error)
                else:
                    note = answered(result)
                finally:
                    self.doing = ""
                if not self.closed:
                    await self._look(note)

        self._work(task)

    def keep_later(self, save: Callable[[], None]) -> None:
        """Let a thread ``save`` what is seen, in its turn and without a word."""

        async def task() -> None:
            async with self._turn:
                if not self.closed:
                    await in_thread(save)

        self._work(task)

    async def _look(self, note: str) -> None:
        """Show where it stands, and then the values of its lines."""
        try:
            seen = await in_thread(partial(seen_of, self.run))
            if self.closed:
                return
            self._stage.take(seen)
            self._stage.tell(note)
            if self._goal is None and not seen.problem and not self.run.is_kept:
                await in_thread(self.run.look)
                seen = await in_thread(partial(seen_of, self.run))
                if not self.closed and self._goal is None:
                    self._stage.take(seen)
        except Exception as error:
            if not self.closed:
                self._stage.tell(in_words(error))

    def close(self) -> None:
        """End the program's processes."""
        self.closed, self._goal = True, None
        self.run.interrupt()
        self.run.close()
