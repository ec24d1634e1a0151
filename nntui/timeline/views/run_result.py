"""The result of a run: as values that JSON text is made of, and as text."""

from collections.abc import Sequence
from typing import Any

from nntui.core.engine.network import Parameters
from nntui.core.engine.player_names import NUMPY
from nntui.core.tape import Array
from nntui.timeline.run import Run
from nntui.timeline.views.json_text import Columns, json_ready

ROWS_SHOWN = 12
LOSSES_SHOWN = 8
BEHIND = ("diverged_at", "state_hash", "test_loss")
"""What stands behind the arrays in the JSON."""


def _layers(parameters: Parameters) -> list[dict[str, Any]]:
    """Per layer ``{"W": rows, "b": numbers or None}``."""
    return [{"W": W, "b": b} for W, b in parameters]


def run_result(
    run: Run, status: str, initial: Parameters, predictions: Sequence[Array]
) -> dict[str, Any]:
    """What ``run --json`` prints, for `json_pieces`: long lists are still arrays.

    ``predictions`` holds one output vector per asked row.
    """
    summary = _summary(run, status)
    behind = {name: summary.pop(name) for name in BEHIND if name in summary}
    return {
        **summary,
        "initial": _layers(initial),
        "parameters": _layers(run.parameters),
        "outputs": run.outputs.T,
        "predictions": list(predictions),
        **behind,
    }


def _summary(run: Run, status: str) -> dict[str, Any]:
    """What is said of a run beside its parameters and outputs, which may be many."""
    found = run.divergence
    losses = run.losses
    return {
        "preset": run.preset.name,
        "seed": run.seed,
        "updates": run.update,
        "epochs": run.epoch,
        "status": status,
        "solved": run.solved,
        "final_loss": json_ready(losses[-1]) if len(losses) else None,
        "losses": Columns((run.reported_epochs, losses)),
        "diverged_at": None if found is None else {"update": found.update, "what": found.what},
        "state_hash": run.state_hash,
        **({} if run.player == NUMPY else {"player": run.player}),
        **({} if run.test_loss is None else {"test_loss": json_ready(run.test_loss)}),
    }


def run_text(
    run: Run,
    status: str,
    asked: Sequence[Sequence[float]] = (),
    predictions: Sequence[Array] = (),
    began: int = 0,
) -> str:
    """What `run_result` has, as text; ``predictions`` are those for the ``asked`` rows.

    ``began`` is the update at which a session was continued.
    """
    result = _summary(run, status)
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
        *([f"began    at update {began:,}, where the session was"] if began else []),
        f"ended    {ended}: {run.update:,} updates, {run.epoch:,} epochs",
        f"loss     {_curve(result['losses'])}",
        f"goal     {goal.loss:g}: {'solved' if result['solved'] else 'not solved'}",
    ]
    if "test_loss" in result:
        lines.append(f"tested   {_numbers([result['test_loss']])} on rows kept for testing")
    if result["diverged_at"]:
        found = result["diverged_at"]
        lines.append(f"diverged update {found['update']:,}: {found['what']}")
    lines.append(f"state    {result['state_hash']}{_player(run)}")
    lines += ["", "row       target      output"]
    undone = run.data.target_scaling.undone
    targets, outputs = undone(run.targets).T, undone(run.outputs).T
    for row in _spread(len(targets), ROWS_SHOWN):
        one, other = json_ready(targets[row]), json_ready(outputs[row])
        lines.append(f"{row:<6} {_numbers(one):>9}   {_numbers(other):>9}")
    if len(targets) > ROWS_SHOWN:
        lines.append(f"({ROWS_SHOWN} of {len(targets)} rows)")
    lines += _predictions(run, asked, predictions)
    return "\n".join(lines)


def _player(run: Run) -> str:
    return "" if run.player == NUMPY else f", by {run.player} updates"


def _numbers(values: Sequence[float | None]) -> str:
    """``values`` in six digits; None stands for one that is not finite."""
    return ", ".join("not finite" if value is None else f"{value:.6g}" for value in values)


def _curve(losses: Columns) -> str:
    if not len(losses):
        return "no epoch was finished"
    shown = [losses[at : at + 1][0] for at in _spread(len(losses), LOSSES_SHOWN)]
    return "  ".join(f"{_numbers([loss])} ({epoch + 1})" for epoch, loss in shown) + "  (epochs)"


def _spread(count: int, most: int) -> list[int]:
    """At most ``most`` of ``count`` indices, evenly spread, with the first and the last."""
    if count <= most:
        return list(range(count))
    return [round(at * (count - 1) / (most - 1)) for at in range(most)]


def _predictions(
    run: Run, asked: Sequence[Sequence[float]], predictions: Sequence[Array]
) -> list[str]:
    probe = run.preset.configuration.data.probe or ()
    pairs: list[tuple[Sequence[float], Array]]
    pairs = [(row, run.predict([row])[:, 0]) for row in probe]
    pairs += list(zip(asked, predictions, strict=True))
    if not pairs:
        return []
    undone = run.data.target_scaling.undone
    said = [
        f"f({_numbers(row)}) = {_numbers(json_ready(undone(output[:, None])[:, 0]))}"
        for row, output in pairs
    ]
    names = run.preset.configuration.data.target_names
    return ["", f"prediction of {', '.join(names)}" if names else "prediction", *said]
