"""The experiments behind the Why panel: what is told of them, and how they are run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nntui.presets.preset import Preset
from nntui.tui.workbench.background import Work


@dataclass(frozen=True)
class Trial:
    """A fix that was tried over many seeds."""

    fix: str
    changes: Mapping[str, Any]
    """By dotted key."""
    seeds: int
    solved: int
    baseline: int
    """How many of the same seeds solve without it."""
    verdict: str

    @property
    def told(self) -> str:
        """What came of it, in one line."""
        return f"{self.solved} of {self.seeds} solve, {self.baseline} without: {self.verdict}"


@dataclass(frozen=True)
class Tried:
    """What is known of the experiments on one preset."""

    note: str = ""
    """How far they are, or why there are none."""
    going: bool = False
    trials: tuple[Trial, ...] = ()
    """The best first."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Tried":
        """What ``why --json`` says."""
        trials = tuple(
            Trial(
                each["fix"],
                each["set"],
                each["seeds"],
                each["solved"],
                each["baseline_solved"],
                each["verdict"],
            )
            for each in answer["experiments"]
        )
        note = f"reduced: {answer['reduced']}" if answer.get("reduced") else ""
        return cls(note if trials else "there was nothing to try", trials=trials)


def on(preset: Preset, seed: int) -> Work[Tried]:
    """The experiments on ``preset``, to be run in a process of their own."""
    return partial(_run, preset, seed)


def _run(preset: Preset, seed: int, tell: Callable[[Tried], bool]) -> Tried:
    # Only this process needs what experiments are made with.
    from nntui.diagnosis.why import why

    def progress(words: str, share: float) -> bool:
        return tell(Tried(f"{words}, {100 * share:.0f} %", going=True))

    answer = why(preset, seed=seed, progress=progress)
    return Tried.of(answer.as_json())
