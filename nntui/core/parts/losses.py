"""Losses: the training loss and the reported loss of a network, each written once as a formula.

A loss is a formula of one output ``a`` (with its pre-activation ``z`` and the error
``error = a - y``) and its target ``y``, summed over outputs and samples.  Training and reported
loss are configured separately, because in the programs that people ask about they often differ.
A new loss is one entry of `LOSSES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nntui.core.formulas.calculus import derivative, simplified, switches
from nntui.core.formulas.evaluation import Values, evaluate
from nntui.core.formulas.expression import Expression, Name, Number
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.printing import formula_text
from nntui.core.formulas.recording import RecordedSum, recorded_sum
from nntui.core.tape import Array

Value = Callable[[], Any]
"""Returns a float; for replicas, an array (replicas,)."""

REDUCTIONS = ("sum", "mean")
ERROR = Name("error")


@dataclass(frozen=True, eq=False)
class Loss:
    """One loss, summed over outputs and samples; the caller divides for a mean.

    ``needs_output`` names the only output activation the loss is defined for.  Such a loss is
    differentiated together with that activation: `slope` is then ``dL/dz`` instead of ``dL/da``.
    """

    name: str
    text: str
    """The loss of one output: a numerically stable formula of ``error``, ``z`` and ``y``."""
    summary: str
    shown: str = ""
    """Its textbook form in ``a`` and ``y``, if that differs from `text`."""
    slope_text: str = ""
    """Its slope as a formula; derived from `text` if empty."""
    any_slope_text: str = ""
    """Its slope if the targets of a sample do not add up to 1; the same if empty."""
    needs_output: str | None = None
    source: str = ""
    torch: str = ""
    """PyTorch source of its sum, with z and y in braces, where autograd needs a stable form."""

    @cached_property
    def term(self) -> Expression:
        """The loss of one output, over ``error``, ``z`` and ``y``."""
        return simplified(formula(self.text))

    @cached_property
    def slope(self) -> Expression:
        """``dL/da`` (or ``dL/dz``, see `needs_output`) of one output, over the same variables."""
        if self.slope_text:
            return simplified(formula(self.slope_text))
        return derivative(self.term, "z" if self.needs_output else "error")

    @property
    def needs_sum(self) -> bool:
        """Whether the targets of a sample should add up to 1."""
        return bool(self.any_slope_text)

    @cached_property
    def any_slope(self) -> Expression:
        """`slope` for a sample whose targets need not add up to 1."""
        return simplified(formula(self.any_slope_text)) if self.any_slope_text else self.slope

    @cached_property
    def textbook(self) -> Expression:
        """The loss of one output as shown to people, over ``a`` and ``y``."""
        error = formula("a - y")
        return formula(self.shown) if self.shown else formula(self.text).bound({"error": error})

    @property
    def formula(self) -> str:
        """Its formula as shown to people."""
        return f"L = sum {formula_text(self.textbook)}"

    @cached_property
    def switches(self) -> tuple[Expression, ...]:
        """The formulas whose signs tell its pieces apart; cross-entropies have no kink."""
        return () if self.shown else switches(self.term)

    @property
    def is_quadratic(self) -> bool:
        """Whether its slope is proportional to the error, as for squares and cross-entropies."""
        bend = derivative(self.slope, "error")
        return isinstance(bend, Number) and bend.value > 0.0

    @property
    def is_absolute(self) -> bool:
        """Whether its slope depends only on the sign of the error."""
        return derivative(self.slope, "error") == Number(0.0)

    @property
    def is_entropy(self) -> bool:
        """Whether it compares probabilities, so that targets should be between 0 and 1."""
        return self.needs_output is not None

    def terms(self, z: Values, error: Values, y: Values, axis: int = 0) -> Values:
        """The loss of each output and sample, real or complex; outputs are on ``axis``."""
        return evaluate(self.term, {"z": z, "error": error, "y": y}, axis)

    def value(self, z: Array, error: Array, y: Array) -> RecordedSum:
        """The loss, summed over the batch; to be called when the buffers are filled."""
        return recorded_sum(self.term, {"z": z, "error": error, "y": y}, error.shape)


LOSSES: dict[str, Loss] = {
    each.name: each
    for each in (
        # Without the factor 1/2, so the gradient has a factor 2.
        Loss("squared-error", "error^2", "gradient 2(a - y)", slope_text="2*error"),
        Loss("half-squared-error", "error^2/2", "gradient a - y", slope_text="error"),
        Loss(
            "half-absolute-error",
            "abs(error)/2",
            "gradient sign(a - y)/2, of the same size however small the error",
            slope_text="sign(error)/2",
        ),
        Loss(
            "binary-cross-entropy",
            "y*softplus(-z) + (1 - y)*softplus(z)",
            "needs a sigmoid output; delta a - y",
            shown="-y*log(a) - (1 - y)*log(1 - a)",
            slope_text="error",
            needs_output="sigmoid",
            source="Bishop 2006, section 5.2",
            torch='F.binary_cross_entropy_with_logits({z}, {y}, reduction="sum")',
        ),
        # The differences of z are taken first because far from 0 they would be rounded away.
        Loss(
            "categorical-cross-entropy",
            "y*(log(total(exp(z - greatest(z)))) - (z - greatest(z)))",
            "needs a softmax output; delta a - y for targets that add up to 1",
            shown="-y*log(a)",
            slope_text="error",
            any_slope_text="total(y)*(error + y) - y",
            needs_output="softmax",
            source="Bishop 2006, section 4.3.4",
            torch='F.cross_entropy({z}, {y}, reduction="sum")',
        ),
    )
}


def loss_value(name: str, reduction: str, z: Array, error: Array, y: Array) -> float:
    """The loss ``name`` of one network, summed over outputs, and summed or averaged over samples.

    ``z``, ``error`` and ``y`` are (outputs, samples).  Raises KeyError for another name.
    """
    with np.errstate(all="ignore"):
        total = float(LOSSES[name].value(z, error, y)())
    return total / error.shape[1] if reduction == "mean" else total
