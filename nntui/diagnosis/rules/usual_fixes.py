"""Fixes that several rules propose, and where each of them makes sense."""

import numpy as np

from nntui.core.engine.data import Scaling
from nntui.core.settings.data_settings import MINMAX, STANDARD
from nntui.core.tape import Array
from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.finding import Fix
from nntui.presets.preset import Preset
from nntui.presets.preset_table import table_of

HIDDEN_UNITS = 8
"""Units of a hidden layer that is added or widened."""


def hidden_layer(preset: Preset) -> Fix:
    """A hidden layer below the layers of ``preset``."""
    added = {"units": HIDDEN_UNITS, "activation": "tanh", "init": "xavier"}
    return Fix(
        f"add a hidden layer of {HIDDEN_UNITS} tanh units",
        {"layers": [added, *table_of(preset)["layers"]]},
    )


def standardised_inputs(evidence: Evidence) -> tuple[Fix, ...]:
    """Inputs of mean 0 and deviation 1, unless that takes away what the network reads.

    Constant columns become 0: of a single row nothing would be left, and a column of ones may
    stand for a bias.
    """
    given = evidence.x[: evidence.subject.data.given]
    constant = np.ptp(given, axis=1) == 0.0
    stands_for_bias = (
        bool(given[constant].any())
        and evidence.stated.layers[0].bias == "none"
        and not any(evidence.subject.data.constants)
    )
    if constant.all() or stands_for_bias or evidence.stated.data.scale_inputs == STANDARD:
        return ()
    return (Fix("standardise the inputs", {"data.scale_inputs": STANDARD}),)


def scaled_targets(evidence: Evidence, kind: str) -> tuple[Fix, ...]:
    """Targets scaled as ``kind`` says, unless a constant column would be turned into zeros."""
    y = evidence.y
    if (np.ptp(y, axis=1) == 0.0).any() or evidence.stated.data.scale_targets == kind:
        return ()
    if kind == MINMAX:
        return (Fix("scale the targets to 0..1", {"data.scale_targets": MINMAX}),)
    return (Fix("standardise the targets", {"data.scale_targets": STANDARD}),)


def become_shares(y: Array) -> bool:
    """Whether the columns of ``y``, each row scaled to 0..1, add up to 1."""
    return bool(np.allclose(Scaling.fitted(MINMAX, y)(y).sum(axis=0), 1.0))


def clipped(evidence: Evidence) -> tuple[Fix, ...]:
    """The gradient clipped at 1, unless it is clipped at less already."""
    most = evidence.stated.training.clip_norm
    if most is not None and most <= 1.0:
        return ()
    return (Fix("clip the gradient's norm to 1", {"training.clip_norm": 1.0}),)
