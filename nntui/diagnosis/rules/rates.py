"""Learning rates that are too high or too low, and their symptoms."""

from collections.abc import Iterator

import numpy as np

from nntui.core.engine.state import State
from nntui.core.tape import Array
from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.finding import MEASURED, Finding, Fix, Rule
from nntui.diagnosis.measures.progress import reports_needed
from nntui.diagnosis.rules.scales import init_factor
from nntui.diagnosis.rules.usual_fixes import clipped

TOO_HIGH = Rule(
    "rate-too-high",
    "the learning rate is too high",
    MEASURED,
    "rate * largest curvature > 2 and the loss rose (or the layer was killed); adam, rmsprop: "
    "one step moves the weights by > 10 %",
    "gradient descent on a parabola; LeCun et al. 1998, section 4.4",
    "the same run at a tenth of the rate is no better",
)
TOO_LOW = Rule(
    "rate-too-low",
    "the learning rate is too low",
    MEASURED,
    "rate * largest curvature * what clipping leaves of the gradient < 2e-3 (adam, rmsprop: one "
    "step moves the weights by < 1e-4) "
    "at the start and now (3e-2 where the loss falls evenly), or < 1e-4 of the weights an update; "
    "and the pace is too slow",
    "the contraction of gradient descent; cs231n: a step of 1e-3 of the weights is usual",
    "the same run at ten times the rate is no better",
)
OSCILLATION = Rule(
    "oscillation",
    "the loss goes up and down",
    MEASURED,
    ">= 20 % of the epochs turn the loss around by >= 3 %",
    "AutoTrainer (Zhang et al. 2021)",
    "a loss that falls evenly",
)
DIVERGED = Rule(
    "diverged",
    "the numbers have become infinite",
    MEASURED,
    "the first number that is not finite",
    "the update is located exactly",
    "all numbers are finite",
)
RULES = (TOO_HIGH, TOO_LOW, OSCILLATION, DIVERGED)

EDGE, CREEPS, LEAPS, STEPS_OF_WEIGHTS = 2.0, 2e-3, 0.1, 1e-4
"""Thresholds in the rules' formulas; the numbers below are our own."""
STEADY, DECAYED = 15.0, 1e-2
"""An even fall allows so many times `CREEPS`; a rate below that share of its first has decayed."""
STAYED, MANY, FAST = 0.1, 50, 0.1
"""Parameters that came less far in so many updates stayed, unless rate * curvature is `FAST`."""
LONG, FAR_OFF = 100, 3.0
"""Updates that too long a memory lasts; how far off first weights are to be the cause instead."""
TURNS, AMPLITUDE = 0.2, 0.03
CUT = 0.1
"""Clipping that leaves less of the gradient all the time decides how fast a run is."""
CAUTIOUS = 0.1
"""The highest rate that is proposed: where the landscape is flat, its curvature soon grows."""
NEARLY_ALL = 0.98
WINDOW = 200
"""Epochs, at the end, that oscillation is looked for in."""


def rounded(value: float) -> float:
    """``value`` rounded to one significant digit."""
    return float(f"{value:.1g}")


def turns(losses: Array) -> float:
    """The share of the last epochs at which the loss changes direction by `AMPLITUDE` or more."""
    recent = losses[-WINDOW:]
    if len(recent) < 10 or not (recent > 0.0).all():
        return 0.0
    steps = np.diff(np.log(recent))
    turned = (steps[1:] * steps[:-1] < 0.0) & (
        np.minimum(np.abs(steps[1:]), np.abs(steps[:-1])) >= np.log1p(AMPLITUDE)
    )
    return float(turned.mean())


def rose(evidence: Evidence) -> bool:
    """Whether the loss rose by more than noise: over the run, repeatedly, or to infinity."""
    losses = evidence.observation.losses
    if evidence.observation.state.divergence is not None:
        return True
    if len(losses) < 2:
        return False
    steps = np.diff(losses) > 0.01 * np.abs(losses[:-1])
    worse = losses[-1] > 1.05 * losses[0] or losses[-1] > 2.0 * losses.min()
    return bool(worse or steps[-WINDOW:].mean() >= 0.1)


def _step(evidence: Evidence, state: State) -> float:
    """How far a step of an optimiser with its own scaling moves the weights, as a share of them."""
    size = float(np.sqrt(np.mean(np.square(state.theta))))
    return evidence.rate(state) / size if size > 0.0 else np.inf


def _edge(evidence: Evidence, state: State) -> float:
    """The rate times the curvature, where more than `EDGE` overshoots."""
    momentum = evidence.stated.training.momentum
    share = (1.0 - momentum) / (1.0 + momentum) if momentum < 1.0 - 1.0 / LONG else 1.0
    return evidence.rate(state) * evidence.curvature(state) * share


def rate_too_high(evidence: Evidence) -> Iterator[Finding]:
    """A rate beyond the edge of stability, with a loss that confirms it."""
    killed = any(flip.died and flip.after >= 0 for flip in evidence.observation.flips)
    risen = rose(evidence)
    if not (risen or killed):
        return
    start, now = evidence.start, evidence.now
    rate = evidence.stated.training.learning_rate
    if evidence.scales_itself:
        step = _step(evidence, start)
        if step <= LEAPS:
            return
        said = f"one step moves the weights by {step:.0%}"
        better = rounded(rate * 0.01 / step)
        excess = step / LEAPS
    else:
        # The start tells of the rate; later curvature may be its own work.  Heavy-ball momentum
        # widens the range of stable rates by 1 + momentum (Polyak 1964), but remembers overshoot.
        state = max((start, now), key=lambda each: _edge(evidence, each))
        first, product = _edge(evidence, start), _edge(evidence, state)
        # Close to the edge training often goes on well; there the loss itself must show it.
        ended = evidence.observation.state.divergence is not None
        shown = ended or turns(evidence.observation.losses) >= TURNS
        if product <= EDGE * (0.5 if ended else 1.0 if shown else 2.0):
            return
        better = rounded(rate / (first if first > EDGE / 2.0 else product))
        said = f"rate * curvature is {product:.3g} at update {state.update}, where 2 is the edge"
        memory = 1.0 / (1.0 - evidence.stated.training.momentum)
        if memory >= LONG:
            said += f", and momentum keeps them for {memory:.0f} updates"
        excess = product / EDGE
    yield Finding(
        TOO_HIGH,
        f"{said}, and {'the loss rose' if risen else 'units died'}",
        first_update=start.update,
        fixes=_calmed(evidence, better),
        weight=0.75 + 0.1 * (1.0 - 1.0 / min(excess, 1e6)),
        symptom_of=("inputs-not-scaled", "targets-not-scaled", "init-scale", "penalty-dominates"),
    )


def _calmed(evidence: Evidence, rate: float) -> tuple[Fix, ...]:
    """A rate clearly lower than the present one, a usual momentum, or both."""
    usual = rounded(evidence.stated.training.learning_rate / 10.0)
    rate = min(rate, rounded(evidence.stated.training.learning_rate / 2.0))
    if evidence.stated.training.momentum <= 1.0 - 1.0 / LONG:
        return _rates(rate, usual)
    return (Fix("momentum 0.9", {"training.momentum": 0.9}), *_rates(rate))


def rate_too_low(evidence: Evidence) -> Iterator[Finding]:
    """A rate so low that even the steepest direction takes too long."""
    start, now = evidence.start, evidence.now
    rate, fixes = evidence.stated.training.learning_rate, tuple[Fix, ...]()
    if rate == 0.0:
        yield Finding(TOO_LOW, "the rate is 0: no update moves anything", None, 0, _rates(CAUTIOUS))
        return
    if evidence.scales_itself:
        share = max(_step(evidence, start), _step(evidence, now))
        if share >= STEPS_OF_WEIGHTS:
            return
        said, better = f"one step moves the weights by {share:.2g} of their size", 1e-3
    else:
        left = [evidence.clipped_to(each) for each in (start, now)]
        products = [
            evidence.rate(each) * evidence.curvature(each) * share
            for each, share in zip((start, now), left, strict=True)
        ]
        decayed = evidence.rate(now) < DECAYED * evidence.rate(start)
        product = products[1] if decayed else max(products)
        most = STEADY * CREEPS if _falls_evenly(evidence) else CREEPS
        crept = _stayed(evidence) if product < FAST else None
        if product == 0.0 or (product >= most and crept is None):
            return
        better = min(rounded(0.5 * rate / product), CAUTIOUS)
        said = f"rate * curvature is {product:.2g}, where about 1 is fast"
        if max(left) < CUT:
            fixes = _unclipped(evidence)
            said += f"; clipping leaves {max(left):.2g} of the gradient, at the start and now"
        if crept is not None:
            said += f"; all updates together moved the parameters by {crept:.2g} of their size"
        if decayed:
            fixes = (Fix("a constant learning rate", {"training.schedule": "constant"}),)
            share = evidence.rate(now) / evidence.rate(start)
            said += f": the schedule has brought the rate to {share:.2g} of its start"
    yield Finding(
        TOO_LOW,
        said + _time_left(evidence) + _flat(evidence),
        first_update=start.update,
        fixes=fixes or _rates(*_above(rate, better, rounded(better / 10))),
        weight=0.8,
        symptom_of=(
            *("dead-layer", "dead-output", "symmetric", "penalty-dominates", "loss-mismatch"),
            *("inputs-not-scaled", "targets-not-scaled", "vanishing-gradient"),
            *("rate-too-high", "diverged"),
            *(("init-scale",) if init_factor(evidence) > FAR_OFF else ()),
        ),
    )


def _unclipped(evidence: Evidence) -> tuple[Fix, ...]:
    """Clipping at 1 instead, which is usual; none where that is less than now."""
    training = evidence.stated.training
    present = {
        f"training.{name}": most
        for name in ("clip_value", "clip_norm")
        if (most := getattr(training, name)) is not None
    }
    if max(present.values()) < 1.0:
        return (Fix("clip the gradient at 1, not at so little", dict.fromkeys(present, 1.0)),)
    return (Fix("do not clip the gradient", dict.fromkeys(present)),)


def _stayed(evidence: Evidence) -> float | None:
    """How far the parameters have come, as a share of their size; None if that is usual.

    An update of 1e-4 of the weights is a tenth of what is usual (cs231n).
    """
    start, now = evidence.start, evidence.now
    steps = now.update - start.update
    if steps < MANY:
        return None
    size = float(np.linalg.norm(start.theta))
    moved = float(np.linalg.norm(now.theta - start.theta)) / size if size > 0.0 else np.inf
    return moved if moved < STAYED and moved / steps < STEPS_OF_WEIGHTS else None


def _above(rate: float, *better: float) -> tuple[float, ...]:
    """Those that are clearly higher than ``rate``, or ten times as much."""
    return tuple(each for each in better if each > 1.5 * rate) or (10.0 * rate,)


def _rates(*rates: float) -> tuple[Fix, ...]:
    return tuple(
        Fix(f"the learning rate {rate:g}", {"training.learning_rate": rate}) for rate in rates
    )


def lower_rates(evidence: Evidence) -> tuple[Fix, ...]:
    """A tenth of the learning rate."""
    return _rates(rounded(evidence.stated.training.learning_rate / 10.0))


def _falls_evenly(evidence: Evidence) -> bool:
    """Whether the loss does fall, and as evenly as small steps make it."""
    losses = evidence.observation.losses
    recent = losses[-max(10, len(losses) // 4) :]
    if len(recent) < 10:
        return False
    tenths = [float(part.mean()) for part in np.array_split(recent, 5)]
    return tenths[-1] < 0.99 * tenths[0] and bool((np.diff(tenths) < 0).all())


def _time_left(evidence: Evidence) -> str:
    """What the goal takes at the present pace of the reported loss, in words."""
    losses, goal = evidence.observation.losses, evidence.observation.preset.goal
    if len(losses) < 10:
        return ""
    epochs = reports_needed(losses, goal.loss) * evidence.epochs_per_report
    updates = epochs * evidence.stated.updates_per_epoch
    if not np.isfinite(updates):
        return "; the loss does not fall"
    return f"; at this pace the goal takes {updates:.2g} updates more"


def _flat(evidence: Evidence) -> str:
    """What a slow run has not yet got out of: leaks below 0, and kinks outside of the data."""
    said, output = "", evidence.stated.layers[-1]
    if output.activation == "leaky-relu" and (evidence.layers[-1].z < 0.0).mean() >= NEARLY_ALL:
        said += f"; the output lies below 0, where its slope is {output.leak:g}"
    piecewise = [
        evidence.layers[at].z
        for at in evidence.hidden
        if evidence.stated.layers[at].activation in ("relu", "leaky-relu")
    ]
    sides = [np.maximum((z <= 0.0).mean(axis=1), (z >= 0.0).mean(axis=1)) for z in piecewise]
    if sides and len(sides) == len(evidence.hidden) and min(map(np.min, sides)) >= NEARLY_ALL:
        said += "; no kink lies among the data, so the network is still linear on them"
    return said


def oscillation(evidence: Evidence) -> Iterator[Finding]:
    """A loss that keeps changing direction."""
    share = turns(evidence.observation.losses)
    if share < TURNS:
        return
    rate = evidence.stated.training.learning_rate
    lower = float(f"{rate / 3:.2g}")
    yield Finding(
        OSCILLATION,
        f"{share:.0%} of the last epochs turned the loss around by 3 % or more",
        fixes=_rates(lower),
        weight=0.3,
        symptom_of=("rate-too-high", "diverged", "inputs-not-scaled", "targets-not-scaled"),
    )


def diverged(evidence: Evidence) -> Iterator[Finding]:
    """A diverged run, with its first non-finite value."""
    end = evidence.observation.state.divergence
    if end is None:
        return
    rate = rounded(evidence.stated.training.learning_rate / 10)
    yield Finding(
        DIVERGED,
        f"{end.what}",
        layer=end.layer,
        first_update=end.update,
        fixes=(*_rates(rate), *clipped(evidence)),
        units=((end.layer, end.cell[0]),) if end.layer is not None and end.cell else (),
        weight=0.6,
        symptom_of=("rate-too-high", "inputs-not-scaled", "targets-not-scaled", "init-scale"),
    )
