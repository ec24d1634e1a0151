"""The result of a run in words, for a terminal or a pipe."""

from collections.abc import Sequence
from typing import Any

from nntui.timeline.run import Run
from nntui.timeline.views.run_result import json_ready

ROWS_SHOWN = 12
LOSSES_SHOWN = 8


def number(value: float | None) -> str:
    """A number in six digits; None stands for one that is not finite."""
    return "not finite" if value is None else f"{value:.6g}"


def _list(values: Sequence[float | None]) -> str:
    return ", ".join(number(value) for value in values)


def run_text(run: Run, result: dict[str, Any], asked: Sequence[Sequence[float]]) -> str:
    """``result`` of ``run`` (see `timeline.result`), with predictions for the ``asked`` rows."""
    goal, story = run.preset.goal, run.preset.story
    ended = {
        "budget": "the budget is spent",
        "target": "the stop rule's target is reached",
        "diverged": "the numbers are no longer finite",
        "interrupted": "interrupted",
    }[result["status"]]
    lines = [f"{run.preset.name}, seed {run.seed}: {run.preset.network}"]
    if story.question:
        lines.append(story.question)
    lines += [
        "",
        f"ended    {ended}: {run.update:,} updates, {run.epoch:,} epochs",
        f"loss     {_curve(result['losses'])}",
        f"goal     {goal.loss:g}: {'solved' if result['solved'] else 'not solved'}",
    ]
    if "test_loss" in result:
        lines.append(f"tested   {number(result['test_loss'])} on rows kept for testing")
    if result["diverged_at"]:
        found = result["diverged_at"]
        lines.append(f"diverged update {found['update']:,}: {found['what']}")
    lines.append(f"state    {result['state_hash']}")
    lines += ["", "row       target      output"]
    targets = run.targets.T.tolist()
    for row in _spread(len(targets), ROWS_SHOWN):
        lines.append(f"{row:<6} {_list(targets[row]):>9}   {_list(result['outputs'][row]):>9}")
    if len(targets) > ROWS_SHOWN:
        lines.append(f"({ROWS_SHOWN} of {len(targets)} rows)")
    lines += _predictions(run, result, asked)
    return "\n".join(lines)


def _curve(losses: Sequence[tuple[int, float | None]]) -> str:
    if not losses:
        return "no epoch was finished"
    shown = [losses[at] for at in _spread(len(losses), LOSSES_SHOWN)]
    return "  ".join(f"{number(loss)} ({epoch + 1})" for epoch, loss in shown) + "  (epochs)"


def _spread(count: int, most: int) -> list[int]:
    """At most ``most`` of ``count`` indices, evenly spread, with the first and the last."""
    if count <= most:
        return list(range(count))
    return [round(at * (count - 1) / (most - 1)) for at in range(most)]


def _predictions(run: Run, result: dict[str, Any], asked: Sequence[Sequence[float]]) -> list[str]:
    probe = run.preset.configuration.data.probe or ()
    pairs: list[tuple[Sequence[float], list[float | None]]] = [
        (row, json_ready(run.predict([row])[:, 0])) for row in probe
    ]
    pairs += list(zip(asked, result["predictions"], strict=True))
    if not pairs:
        return []
    return ["", "prediction", *(f"f({_list(row)}) = {_list(output)}" for row, output in pairs)]
