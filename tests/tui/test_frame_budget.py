"""Frames come as often as asked for, but leave training most of the time."""

import pytest

from nntui.tui.workbench.frame_budget import LONGEST, SHARE, FrameBudget


class Thread:
    """A thread that draws whenever a frame is due, and else trains or waits."""

    def __init__(self, frames: int, cost: float, trains: float) -> None:
        """A frame takes ``cost`` seconds; ``trains`` is the share of the rest that is training."""
        self.now = self.spent = self.trained = 0.0
        self.budget = FrameBudget(
            frames, lambda: self.trained, lambda: self.now, lambda: self.spent
        )
        self.cost, self.trains = cost, trains

    def frames_within(self, seconds: float) -> int:
        frames, end = 0, self.now + seconds
        while self.now < end:
            if self.budget.is_due():
                frames += 1
                self.now += self.cost
                self.spent += self.cost
            self.now += self.budget.interval
            self.trained += self.trains * self.budget.interval
            self.spent += self.trains * self.budget.interval
        return frames


@pytest.mark.parametrize("trains", [0.0, 0.1, 1.0])
def test_cheap_frames_come_as_often_as_asked_for(trains: float) -> None:
    assert Thread(15, 0.001, trains).frames_within(10.0) == pytest.approx(150, rel=0.1)
    assert Thread(5, 0.001, trains).frames_within(10.0) == pytest.approx(50, rel=0.1)


@pytest.mark.parametrize("cost", [0.015, 0.03, 0.06])
def test_dear_frames_leave_training_its_share(cost: float) -> None:
    thread = Thread(15, cost, 1.0)
    frames = thread.frames_within(20.0)
    assert thread.trained >= (1 - SHARE) * 0.97 * thread.now
    assert frames * cost >= 0.6 * SHARE * thread.now


def test_a_frame_comes_in_the_end_whatever_it_costs() -> None:
    thread = Thread(15, 0.5, 1.0)
    assert thread.frames_within(20.0) >= 20.0 / (0.5 + LONGEST + thread.budget.interval) - 1
