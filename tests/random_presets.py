"""Small networks without faults, drawn at random by Hypothesis."""

from typing import Any

from hypothesis import strategies as st
from support import made

from nntui.core.parts.activations import ACTIVATIONS, KINKS
from nntui.core.parts.initialisers import BIAS_INITIALISERS, DRAW_ORDERS, INITIALISERS
from nntui.core.parts.losses import LOSSES, REDUCTIONS
from nntui.core.settings.training_settings import ORDERS
from nntui.presets import Preset

RATE = 2.0**-8
"""A power of two, so that dividing the step by it gives the gradient back."""
NEEDED = {"binary-cross-entropy": "sigmoid", "categorical-cross-entropy": "softmax"}


@st.composite
def presets(draw: st.DrawFn) -> Preset:
    """Any small network without faults, on any small table."""
    loss, rows = draw(st.sampled_from(sorted(LOSSES))), draw(st.integers(1, 5))
    number = st.integers(-20, 20).map(lambda n: n / 10)
    # Targets of a cross-entropy should be shares, but need not be.
    low, high = draw(st.sampled_from([(0, 10), (-5, 15)]))
    share = st.integers(low, high).map(lambda n: n / 10)
    width, outputs = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    depth, constants = draw(st.integers(1, 3)), draw(st.integers(0, 1))
    layers: list[dict[str, Any]] = []
    for index in range(depth):
        last = index == depth - 1
        kinds = [NEEDED[loss]] if loss in NEEDED and last else sorted(ACTIVATIONS)
        layers.append(
            {
                "units": outputs if last else draw(st.integers(1, 5)),
                "activation": draw(st.sampled_from(kinds)),
                "leak": draw(st.sampled_from([0.0, 0.01, 0.3])),
                "alpha": draw(st.sampled_from([1.0, 0.3, 2.5])),
                "kink": draw(st.sampled_from(KINKS)),
                "init": draw(st.sampled_from(sorted(INITIALISERS))),
                "scale": draw(st.sampled_from([1.0, -0.5])),
                "bias": draw(st.sampled_from(["none", "per-unit", "shared-start"])),
                "bias_init": draw(st.sampled_from(BIAS_INITIALISERS)),
                "low": draw(st.sampled_from([0.0, -1.0])),
                "bias_high": draw(st.sampled_from([1.0, 0.5])),
                "normalise": not (loss in NEEDED and last) and draw(st.booleans()),
            }
        )
        if draw(st.booleans()):
            units, below = layers[-1]["units"], layers[-2]["units"] if index else width + constants
            layers[-1]["W"] = [[draw(number) for _ in range(below)] for _ in range(units)]
            if layers[-1]["bias"] != "none":
                layers[-1]["b"] = [draw(number) for _ in range(units)]
    table = lambda cells, columns: st.lists(
        st.lists(cells, min_size=columns, max_size=columns), min_size=rows, max_size=rows
    )
    targets = draw(table(share if loss in NEEDED else number, outputs))
    if loss == "categorical-cross-entropy" and low == 0:
        targets = [
            [n / sum(row) for n in row] if sum(row) else [1.0] + [0.0] * (outputs - 1)
            for row in targets
        ]
    order = draw(st.sampled_from(ORDERS))
    training: dict[str, Any] = {
        "loss": loss,
        "reduction": draw(st.sampled_from(REDUCTIONS)),
        "learning_rate": RATE,
        "batch": draw(st.sampled_from(["full", 1, 2, 3])),
        "order": order,
        "l1": draw(st.sampled_from([0.0, 0.2])),
        "l2": draw(st.sampled_from([0.0, 0.3])),
        "l2_per_sample": draw(st.booleans()),
    }
    if order == "random":
        training["draws"] = draw(st.integers(1, 7))
    return made(
        {
            "seed": draw(st.integers(0, 999)),
            "data": {
                "inputs": draw(table(number, width)),
                "targets": targets,
                "constant_inputs": [draw(number) for _ in range(constants)],
            },
            "layers": layers,
            "draws": {
                "order": draw(st.sampled_from(DRAW_ORDERS)),
                "transposed": draw(st.booleans()),
                "skip_uniform": draw(st.integers(0, 2)),
                "skip_normal": draw(st.integers(0, 2)),
            },
            "training": training,
            "report": {
                "loss": draw(st.sampled_from([loss, "half-absolute-error"])),
                "reduction": draw(st.sampled_from(REDUCTIONS)),
                "penalty": draw(st.booleans()),
            },
        }
    )
