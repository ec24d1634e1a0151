"""What a sub-step of an update has just made of a whole layer, as a grid for a heatmap."""

import numpy as np

from nntui.timeline.microscope.computed import Anatomy
from nntui.timeline.views.grid import ACTIVATIONS, DELTAS, Grid, GridRow, Kind

NORMALISED = Kind("normalised", "Normalised outputs")
ERRORS = Kind("errors", "Output minus target")
SUBTRACTED = Kind("steps", "Steps to subtract")
RESULTS = {
    "h": NORMALISED,
    "a": ACTIVATIONS,
    "error": ERRORS,
    "delta": DELTAS,
    "step of W": SUBTRACTED,
}
"""What each phase is for, the last first where a part makes several, and how it is called."""


def just_made(anatomy: Anatomy, parts: int, layer: int) -> Grid | None:
    """The result of the last of the first ``parts`` sub-steps; of all, the last one in ``layer``.

    It is that of ``layer`` if that is one of those at work, else of the first.  A column is a
    sample of the batch, or for steps an input, the bias last.  None for a part without such a
    result.
    """
    made, steps = anatomy.made, anatomy.made.steps[:parts]
    mine = [each for each in steps if layer in each.layers]
    step = mine[-1] if mine and len(steps) == len(made.steps) else steps[-1]
    at = layer if layer in step.layers else step.layers[0]
    tensor = next((name for name in RESULTS if (name, at) in step.tensors), None)
    if tensor is None:
        return None
    values, kind = made.tensors[tensor, at], RESULTS[tensor]
    if kind is SUBTRACTED:
        if ("step of b", at) in made.tensors:
            values = np.hstack([values, made.tensors["step of b", at]])
        inputs = made.before["W", at].shape[1]
        columns: tuple[str, ...] = (*map(str, range(inputs)), *("b",) * (values.shape[1] - inputs))
        samples: tuple[int, ...] = ()
    else:
        columns, samples = tuple(map(str, anatomy.rows)), anatomy.rows
    everywhere = np.ones(values.shape[1], dtype=np.bool_)
    rows = tuple(
        GridRow(f"{at}.{unit}", at, unit, numbers, everywhere, ~everywhere)
        for unit, numbers in enumerate(values)
    )
    name = f"layer {at} {made.configuration.layers[at].activation}"
    return Grid(kind, rows, columns, samples, (), {at: name})
