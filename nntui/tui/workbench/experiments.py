"""Runs the experiments on a preset in a process of their own, and reports them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nntui.presets.preset import Preset
from nntui.tui.panels.content import ExperimentReport, TriedFix
from nntui.tui.workbench.background import Work


def on(preset: Preset, seed: int) -> Work[ExperimentReport]:
    """The experiments on ``preset``, to be run in a process of their own."""
    return partial(_run, preset, seed)


def _run(preset: Preset, seed: int, tell: Callable[[ExperimentReport], bool]) -> ExperimentReport:
    # Only this process needs what experiments are made with.
    from nntui.diagnosis.why import why

    def progress(words: str, share: float) -> bool:
        return tell(ExperimentReport(f"{words}, {100 * share:.0f} %", going=True))

    answer = why(preset, seed=seed, progress=progress)
    return told(answer.as_json())


def told(answer: Mapping[str, Any]) -> ExperimentReport:
    """What ``why --json`` says of its experiments."""
    fixes = tuple(
        TriedFix(
            each["fix"],
            each["set"],
            each["seeds"],
            each["solved"],
            each["baseline_solved"],
            each["verdict"] if each["decided"] else "undecided",
        )
        for each in answer["experiments"]
    )
    if not fixes:
        return ExperimentReport("there was nothing to try")
    said = []
    if (headline := answer["headline"]) is not None and not answer["solved"]:
        said.append(f"{'the cause' if answer['decided'] else 'suspected'}: {headline['cause']}")
    if answer["reduced"]:
        said.append(f"reduced: {answer['reduced']}")
    return ExperimentReport("; ".join(said), fixes=fixes)
