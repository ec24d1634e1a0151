"""Proof that the targets are not what a cross-entropy can compare with shares."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nntui.core.parts.losses import LOSSES
from nntui.core.settings.data_settings import MINMAX
from nntui.core.tape import Array
from nntui.diagnosis.evidence import FORBIDS, Evidence
from nntui.diagnosis.finding import PROOF, Finding, Fix, Rule
from nntui.diagnosis.rules.usual_fixes import become_shares

UNBOUNDED = Rule(
    "unbounded-loss",
    "a cross-entropy has no minimum for targets outside of 0 to 1",
    PROOF,
    "-y log(p) - (1 - y) log(1 - p) falls without end as p goes to 1 if y > 1, and as p goes to 0 "
    "if y < 0; so does -sum y log(p) if one y < 0",
    "the logarithm at 0",
    "a least value of the loss over the outputs",
)
NO_SHARES = Rule(
    "targets-no-shares",
    "the targets of a cross-entropy do not add up to 1",
    PROOF,
    "|sum y - 1| > 1e-9 in a row: with a softmax the least of -sum y log(p) is at p = y/sum y",
    "Gibbs' inequality (Cover and Thomas 2006, theorem 2.6.3)",
    "targets that add up to 1 in every row",
)
RULES = (UNBOUNDED, NO_SHARES)


def improper_targets(evidence: Evidence) -> Iterator[Finding]:
    """Targets that the training loss, a cross-entropy, cannot compare with shares.

    They make any reported loss possible, so that reaching the goal proves nothing.
    """
    loss, data = LOSSES[evidence.stated.training.loss], evidence.subject.data
    if not loss.is_entropy:
        return
    y, softmax = data.y, loss.needs_sum
    fixes = _for_shares(evidence, softmax)
    # With a softmax only a negative target lets the loss fall without end.
    below = softmax or -y.min() >= y.max() - 1.0
    unit, sample = divmod(int(np.argmin(y) if below else np.argmax(y)), y.shape[1])
    target = float(y[unit, sample])
    if target < 0.0 or (target > 1.0 and not softmax):
        outside = int(((y < 0.0) | (y > 1.0)).any(axis=0).sum())
        end = 0 if target < 0.0 else 1
        said = ", ".join(
            f"{_loss_at(y[:, sample], unit, off, softmax):.4g} at an output of {abs(end - off):.6g}"
            for off in (1e-2, 1e-4, 1e-6)
        )
        yield Finding(
            UNBOUNDED,
            f"{outside} of {y.shape[1]} rows have targets outside of 0 to 1; for row "
            f"{data.training_rows[sample]} with the target {target:.4g} the loss is {said}, and "
            f"falls without end as the output goes to {end}, past any goal",
            layer=len(evidence.stated.layers) - 1,
            first_update=0,
            fixes=fixes,
            weight=FORBIDS,
        )
    elif softmax and not data.add_up:
        sums = y.sum(axis=0)
        at = int(np.argmax(np.abs(sums - 1.0)))
        yield Finding(
            NO_SHARES,
            f"the targets of row {data.training_rows[at]} add up to {sums[at]:.4g}, but a softmax "
            f"gives outputs that add up to 1: delta is {sums[at]:.4g} a - y, not a - y",
            layer=len(evidence.stated.layers) - 1,
            first_update=0,
            fixes=fixes,
            weight=1.0,
        )


def _loss_at(y: Array, output: int, off: float, softmax: bool) -> float:
    """The loss of one sample whose ``output`` is ``off`` from 0 or 1, the others being equal."""
    if not softmax:
        right = y[output] > 1.0
        p = 1.0 - off if right else off
        return float(-y[output] * np.log(p) - (1.0 - y[output]) * np.log1p(-p))
    shares = np.full(len(y), (1.0 - off) / max(len(y) - 1, 1))
    shares[output] = off
    return float(-(y * np.log(shares)).sum())


def _for_shares(evidence: Evidence, softmax: bool) -> tuple[Fix, ...]:
    """Targets that are shares, or a loss for any targets."""
    y = evidence.subject.data.y
    changes: dict[str, Any] = {"training.loss": "squared-error"}
    if evidence.cost.compares_shares:
        changes["report.loss"] = "squared-error"
    other = Fix("use the squared error", changes)
    if softmax and not become_shares(y):
        return (other,)
    scaled: dict[str, Any] = {"data.scale_targets": MINMAX}
    if evidence.stated.data.target_divisor != 1.0:
        scaled["data.target_divisor"] = 1.0
    return (Fix("map the targets to 0..1", scaled), other)
