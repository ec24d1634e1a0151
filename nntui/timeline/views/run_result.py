"""The result of a run as plain values, ready for JSON: no NaN, no infinity, no arrays."""

import math
from collections.abc import Sequence
from typing import Any

from nntui.core.engine.network import Parameters
from nntui.core.tape import Array
from nntui.timeline.run import Run


def json_ready(values: Any) -> Any:
    """``values`` with every array as nested lists and every non-finite number as None."""
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    if isinstance(values, (list, tuple)):
        return [json_ready(each) for each in values]
    if hasattr(values, "tolist"):
        return json_ready(values.tolist())
    return values


def layers_of(parameters: Parameters) -> list[dict[str, Any]]:
    """Per layer ``{"W": rows, "b": numbers or None}``."""
    return [{"W": json_ready(W), "b": None if b is None else json_ready(b)} for W, b in parameters]


def run_result(
    run: Run, status: str, initial: Parameters, predictions: Sequence[Array]
) -> dict[str, Any]:
    """What ``run --json`` prints; ``predictions`` holds one output vector per asked row."""
    found = run.divergence
    losses = json_ready(run.losses)
    return {
        "preset": run.preset.name,
        "seed": run.seed,
        "updates": run.update,
        "epochs": run.epoch,
        "status": status,
        "solved": run.solved,
        "final_loss": losses[-1] if losses else None,
        "losses": [[epoch, loss] for epoch, loss in enumerate(losses)],
        "initial": layers_of(initial),
        "parameters": layers_of(run.parameters),
        "outputs": json_ready(run.outputs.T),
        "predictions": json_ready(list(predictions)),
        "diverged_at": None if found is None else {"update": found.update, "what": found.what},
        "state_hash": run.state_hash,
        **({} if run.test_loss is None else {"test_loss": json_ready(run.test_loss)}),
    }
