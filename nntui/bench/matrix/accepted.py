"""Accepted answers: which codes count as correct for each planted fault, fixed before scoring.

A finding is right for a planted fault if it names that fault, or states the fact that the fault
consists of, so that who follows it arrives at what was planted.
"""

from typing import NamedTuple

_PROGRAM = """
bias-decay update-before-backprop derivative derivative-at-a gradient wrong-sign sum-for-mean
wrong-factor no-weights-in-backprop frozen-bias bias-after-activation penalty-sum
penalty-before-update error-for-delta softmax-over-samples update-wrong forward-wrong
printed-loss-wrong
"""
_OTHERS = """
output-range no-bias linear symmetric contradictory-targets dead-layer dead-output dead-units
saturation vanishing-gradient exploding-gradient diverged rate-too-high rate-too-low oscillation
inputs-not-scaled init-scale penalty-dominates loss-mismatch plateau targets-not-scaled bad-luck
too-few-units silent-sample budget-too-small found-by-experiment unbounded-loss targets-no-shares
"""
CODE_CODES = frozenset(_PROGRAM.split())
"""The codes which say that a program is wrong."""
VOCABULARY = CODE_CODES | frozenset(_OTHERS.split())
"""Every code that a finding can have."""


class Accepted(NamedTuple):
    """The answers for one kind of fault."""

    causes: frozenset[str]
    """Right as the headline."""
    consequences: frozenset[str] = frozenset()
    """True of the run because of the fault: right beside a cause, never as the headline."""


def _accepted(causes: str, consequences: str = "") -> Accepted:
    right = frozenset(causes.split())
    return Accepted(right, frozenset(consequences.split()) - right)


_BLOWN_UP = "diverged exploding-gradient dead-layer dead-output dead-units saturation oscillation"
_STUCK = "plateau vanishing-gradient rate-too-low"

ACCEPTED: dict[str, Accepted] = {
    # Code faults: the program is wrong, whatever else follows from that.
    "bias-decay": _accepted("bias-decay"),
    "update-before-backprop": _accepted("update-before-backprop"),
    "derivative": _accepted("derivative"),
    "derivative-at-a": _accepted("derivative-at-a"),
    "gradient": _accepted("gradient", _BLOWN_UP),
    "wrong-sign": _accepted("wrong-sign", _BLOWN_UP),
    "sum-for-mean": _accepted("sum-for-mean", f"rate-too-high {_BLOWN_UP}"),
    "wrong-factor": _accepted("wrong-factor", f"rate-too-high {_BLOWN_UP}"),
    "no-weights-in-backprop": _accepted("no-weights-in-backprop"),
    "frozen-bias": _accepted("frozen-bias"),
    "bias-after-activation": _accepted("bias-after-activation"),
    "penalty-sum": _accepted("penalty-sum"),
    "late-output-bias": _accepted("bias-after-activation"),
    "penalty-before-update": _accepted("penalty-before-update"),
    "error-for-delta": _accepted("error-for-delta"),
    "softmax-over-samples": _accepted("softmax-over-samples", _STUCK),
    "rolled-gradient": _accepted("update-wrong"),
    "lost-column": _accepted("update-wrong"),
    "sign-only": _accepted("update-wrong"),
    "hidden-decay": _accepted("update-wrong"),
    "slope-is-value": _accepted("update-wrong"),
    "reversed-weights-back": _accepted("update-wrong"),
    "absolute-penalty": _accepted("printed-loss-wrong"),
    # Configurations that cannot learn, or not in time.
    "rate-high": _accepted("rate-too-high oscillation", _BLOWN_UP),
    "rate-low": _accepted("rate-too-low", "plateau"),
    "momentum-high": _accepted("rate-too-high oscillation", _BLOWN_UP),
    "clip-small": _accepted("rate-too-low", "plateau"),
    "schedule-fast": _accepted("rate-too-low", "plateau"),
    "zero-init": _accepted("symmetric init-scale dead-layer", _STUCK),
    "equal-init": _accepted("symmetric", f"init-scale {_STUCK}"),
    "large-init": _accepted("init-scale saturation", f"rate-too-high {_BLOWN_UP}"),
    "small-init": _accepted("init-scale vanishing-gradient", _STUCK),
    "output-relu": _accepted("output-range", "dead-output"),
    "output-bounded": _accepted("output-range targets-not-scaled", "saturation loss-mismatch"),
    "no-bias": _accepted("no-bias"),
    "drawn-without-bias": _accepted("no-bias"),
    "linear-hidden": _accepted("linear"),
    "one-unit": _accepted("too-few-units", "plateau"),
    "penalty-strong": _accepted("penalty-dominates", _STUCK),
    "saturated-output": _accepted("loss-mismatch saturation init-scale", _STUCK),
    "saturated-hidden": _accepted("saturation init-scale", _STUCK),
    "deep-sigmoid": _accepted("vanishing-gradient", "rate-too-low plateau"),
    "dead-start": _accepted("dead-layer dead-units", _STUCK),
    "dead-output": _accepted("dead-output dead-layer", _STUCK),
    "line-without-bias": _accepted("no-bias"),
    "no-hidden-layer": _accepted("linear too-few-units", "plateau"),
    "silent-sample": _accepted("silent-sample", f"no-bias dead-units {_STUCK}"),
    "low-from-zeros": _accepted("rate-too-low", "plateau"),
    "low-from-small": _accepted("rate-too-low", "plateau"),
    "budget-small": _accepted("budget-too-small plateau rate-too-low"),
    # A slip that harms nothing beside a setting that does; and two that both do.
    "slight-slope-and-inputs": _accepted(
        "inputs-not-scaled", f"derivative wrong-factor {_BLOWN_UP}"
    ),
    "slight-factor-and-rate": _accepted("rate-too-low", "wrong-factor plateau"),
    "decay-and-rate": _accepted("bias-decay rate-too-low", "plateau"),
    # Data that cannot be learnt as it stands.
    "inputs-large": _accepted("inputs-not-scaled", f"rate-too-high {_BLOWN_UP}"),
    "inputs-offset": _accepted("inputs-not-scaled", f"rate-too-high {_BLOWN_UP}"),
    "inputs-uneven": _accepted("inputs-not-scaled", f"rate-too-high {_BLOWN_UP}"),
    "targets-large": _accepted("targets-not-scaled", f"rate-too-high {_BLOWN_UP}"),
    "targets-offset": _accepted("targets-not-scaled", f"rate-too-high {_BLOWN_UP}"),
    "contradictions": _accepted("contradictory-targets", "plateau"),
    "lost-input": _accepted("contradictory-targets", "plateau"),
}
"""By kind of fault, every kind of `plants.PLANTS`."""

KEPT_TASKS = ("product", "parity", "moons")
KEPT_KINDS = (
    "frozen-bias",
    "reversed-weights-back",
    "clip-small",
    "saturated-hidden",
    "lost-input",
)
"""Never run while the diagnosis is tuned: what it has learnt by heart does not help it there."""
