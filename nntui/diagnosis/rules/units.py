"""Symmetric units, dead units, and too few units."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nntui.core.engine.network import activation_of
from nntui.core.engine.state import State
from nntui.core.tape import Array
from nntui.diagnosis.evidence import EXPLAINS, Evidence, explained
from nntui.diagnosis.finding import EXPERIMENT, MEASURED, PROOF, Finding, Fix, Rule
from nntui.diagnosis.rules.program_values import gets_gradient
from nntui.diagnosis.rules.usual_fixes import HIDDEN_UNITS
from nntui.timeline.history.unit_events import Flip

SYMMETRIC = Rule(
    "symmetric",
    "units of a layer start equal and stay so",
    PROOF,
    "equal rows of W and b, and equal weights out of them, at update 0: equal gradients for ever",
    "Rumelhart, Hinton and Williams 1986: symmetry must be broken",
    "two units of the layer that differ after an update",
)
DEAD_LAYER = Rule(
    "dead-layer",
    "no unit of the layer is active on any sample",
    PROOF,
    "slope 0 and the same value of every unit on every training row, and the program's gradient is "
    "0 up to there: no gradient passes, the output is constant",
    "the chain rule; Lu et al. 2019 (dying ReLU)",
    "a sample on which a unit of the layer has z above 0",
)
DEAD_OUTPUT = Rule(
    "dead-output",
    "the output is 0 on every sample and gets no gradient",
    PROOF,
    "slope 0 of every output on every training row: the gradient of every parameter is 0",
    "the chain rule",
    "a sample on which an output has z above 0",
)
DEAD_UNITS = Rule(
    "dead-units",
    "half of a layer's units or more are dead",
    MEASURED,
    "units active on no training row >= 50 % of a hidden layer",
    "SageMaker Debugger, DeadRelu (50 %); counted over the whole set, not over zeros",
    "samples on which these units are active",
)
TOO_FEW = Rule(
    "too-few-units",
    "the hidden layers are too narrow",
    EXPERIMENT,
    "solved in 0 of K seeds at width n, in k > 0 of K at width 2n; measured: a hidden layer of one "
    "unit, which passes a single number on",
    "XOR with 2 to 8 ReLU units: solved in 43 to 192 of 200 seeds",
    "no seed that solves it at twice the width",
)
RULES = (SYMMETRIC, DEAD_LAYER, DEAD_OUTPUT, DEAD_UNITS, TOO_FEW)

DEAD_SHARE = 0.5
KILLERS = (
    "rate-too-high",
    "inputs-not-scaled",
    "targets-not-scaled",
    "init-scale",
    "penalty-dominates",
    "diverged",
)
"""Causes that can push a live layer below 0 on every sample."""
MOST_UPDATES = 256
"""Most updates that are repeated; one on a scratch copy costs far more than one in training."""
MOST_PRODUCTS = 1_000_000_000
"""Bound on updates times rows times parameters."""


def symmetric_start(evidence: Evidence) -> Iterator[Finding]:
    """Hidden layers in which at most half of the units start out different."""
    parameters, found = evidence.parameters(evidence.start), {}
    for layer in evidence.hidden:
        (W, b), (out, _) = parameters[layer], parameters[layer + 1]
        rows = np.concatenate([W, out.T] if b is None else [W, out.T, b], axis=1)
        kinds = len(np.unique(rows, axis=0))
        if 1 < len(W) >= 2 * kinds:
            found[layer] = kinds
    if not found:
        return
    first, kinds = next(iter(found.items()))
    units = evidence.stated.layers[first].units
    more = f"; so do those of layer {', '.join(map(str, [*found][1:]))}" if len(found) > 1 else ""
    every = range(len(parameters))
    yield Finding(
        SYMMETRIC,
        f"the {units} units of layer {first} start as {kinds} different "
        f"{'one' if kinds == 1 else 'ones'}, and equal ones stay equal: it learns as a layer of "
        f"{kinds}{more}",
        layer=first,
        first_update=0,
        fixes=(
            Fix(
                "draw the weights at random",
                {f"layers.{at}.init": "he" for at in every}
                | {f"layers.{at}.scale": 1.0 for at in every},
            ),
        ),
        units=tuple((at, unit) for at in found for unit in range(evidence.stated.layers[at].units)),
        weight=EXPLAINS,
    )


def _dead(evidence: Evidence, layer: int, state: State) -> npt.NDArray[np.bool_]:
    """Per unit of ``layer``, whether it is cut off on every training row at ``state``."""
    if not _can_die(evidence, layer):
        return np.zeros(evidence.stated.layers[layer].units, dtype=np.bool_)
    return evidence.still_units(state)[layer]


def _can_die(evidence: Evidence, layer: int) -> bool:
    """Whether it is a rectifier of some kind; one with two bounds saturates, which is told apart.

    Formulas have no known bounds.
    """
    return None in activation_of(evidence.stated.layers[layer]).bounds


def _since(evidence: Evidence, layer: int) -> tuple[int | None, str]:
    """When the last unit of ``layer`` died, if known, and in words."""
    deaths = [flip for flip in evidence.observation.flips if flip.layer == layer and flip.died]
    if not deaths:
        return _seen_dead(evidence, layer)
    last = max(deaths, key=lambda flip: flip.by)
    if last.after < 0:
        return 0, "from the start"
    exact = killing_update(evidence, last)
    if exact is not None:
        return exact, f"since update {exact}, whose step killed unit {last.layer}.{last.unit}"
    return last.by, f"killed after update {last.after}, at the latest by {last.by}"


def _seen_dead(evidence: Evidence, layer: int) -> tuple[int | None, str]:
    """The same from the stored states: for units that no watch of the run counts as dead."""
    by = evidence.now.update
    for state in reversed(evidence.looks):
        if not _dead(evidence, layer, state).all():
            break
        by = state.update
    else:
        return 0, "from the start"
    killed = _dead_from(evidence, layer, slice(None), state, by)
    if killed is not None:
        return killed, f"since update {killed}"
    return by, f"killed after update {state.update}, at the latest by {by}"


def killing_update(evidence: Evidence, flip: Flip) -> int | None:
    """The update after which the unit of ``flip`` was dead for the rest of the way to ``flip.by``.

    None where it cannot be told from outside, or not cheaply: see `_repeated`.
    """
    if flip.after == flip.by - 1:
        return flip.by
    starts = [state for state in evidence.finite if state.update <= flip.after]
    return _dead_from(evidence, flip.layer, flip.unit, starts[-1], flip.by) if starts else None


def _dead_from(
    evidence: Evidence, layer: int, units: int | slice, state: State, by: int
) -> int | None:
    """The update after ``state`` from which ``units`` of ``layer`` have slope 0 up to ``by``."""
    found: int | None = None
    for update, theta in _repeated(evidence, state, by):
        values = evidence.subject.forward(theta, evidence.x)[layer]
        if evidence.slope(layer, values)[units].any():
            found = None
        elif found is None:
            found = update
    return found


def _repeated(evidence: Evidence, state: State, by: int) -> Iterator[tuple[int, Array]]:
    """The updates after ``state`` up to ``by``, each with the parameters that it leaves.

    Nothing is yielded for an optimiser that remembers, rows in drawn order, or too many updates.
    """
    stated, training = evidence.stated, evidence.stated.training
    size, rows, updates = stated.batch_size, evidence.x.shape[1], by - state.update
    remembers = training.momentum or training.optimiser in ("adam", "rmsprop")
    if remembers or training.order != "in-order":
        return
    if updates > MOST_UPDATES or updates * rows * evidence.layout.size > MOST_PRODUCTS:
        return
    theta, epoch, position = state.theta, state.epoch, state.position
    for update in range(state.update + 1, by + 1):
        batch = np.arange(position * size, min((position + 1) * size, rows))
        theta = evidence.subject.updates(theta, [batch], epoch)[0].after
        position = (position + 1) % stated.updates_per_epoch
        epoch += position == 0
        yield update, theta


def dead_layers(evidence: Evidence) -> Iterator[Finding]:
    """A dead output or the first dead hidden layer; others are named with it."""
    last = len(evidence.stated.layers) - 1
    dead = [
        layer
        for layer in (last, *evidence.hidden)
        if _dead(evidence, layer, evidence.now).all()
        and not gets_gradient(evidence, layer, evidence.now)
    ]
    if not dead:
        return
    layer = dead[0]
    born = bool(_dead(evidence, layer, evidence.start).all())
    since, said = (0, "from the start") if born else _since(evidence, layer)
    said = said and f", {said}"
    units = evidence.stated.layers[layer].units
    bound, weight, floor = "", EXPLAINS, None
    if evidence.has_floors:
        if layer == last:
            floor = evidence.cost.of(evidence.layers[-1].h[:, :1], evidence.y)
        else:
            floor = evidence.cost.constant(evidence.y)
        what = "stays" if layer == last else "cannot fall below that of a constant,"
        bound = f", and the loss {what} {floor:.4g}"
        weight += min(explained(evidence, floor), 1.0) / 4.0
    whose = "the output has" if layer == last else f"the units of layer {layer} ({units}) have"
    name = "the output" if layer == last else f"layer {layer}"
    yield Finding(
        DEAD_OUTPUT if layer == last else DEAD_LAYER,
        f"{whose} slope 0 on all {evidence.x.shape[1]} samples"
        f"{said}: no gradient passes{bound}"
        f"{''.join(_also(evidence, each) for each in dead[1:])}",
        layer=layer,
        first_update=since,
        fixes=revivals(evidence, layer),
        units=tuple((layer, unit) for unit in range(units)),
        weight=weight,
        floor=floor,
        symptom_of=("symmetric", *(() if born else KILLERS)),
        aside=f"{name} is dead{said or ' now'}",
    )


def _also(evidence: Evidence, layer: int) -> str:
    """Another dead layer, in words."""
    born = bool(_dead(evidence, layer, evidence.start).all())
    said = "from the start" if born else _since(evidence, layer)[1]
    return f"; layer {layer} is dead too{said and f', {said}'}"


def revivals(evidence: Evidence, layer: int) -> tuple[Fix, ...]:
    """Fixes: activations that cannot die, or new initial weights."""
    last, key = len(evidence.stated.layers) - 1, f"layers.{layer}.activation"
    if layer == last:
        return (
            Fix("make the output linear", {key: "identity"}),
            Fix("a leaky ReLU output", {key: "leaky-relu"}),
        )
    every = {
        f"layers.{at}.activation": "leaky-relu"
        for at in evidence.hidden
        if at == layer or _dead(evidence, at, evidence.now).any()
    }
    return (
        Fix("leaky ReLU in the hidden layers", every),
        Fix("tanh in the hidden layers", dict.fromkeys(every, "tanh")),
        Fix("weights drawn by He, biases from 0", _fresh(evidence, layer)),
    )


def _fresh(evidence: Evidence, layer: int) -> dict[str, object]:
    key = f"layers.{layer}"
    return {f"{key}.init": "he", f"{key}.scale": 1.0, f"{key}.bias_init": "zeros"}


def dead_units(evidence: Evidence) -> Iterator[Finding]:
    """The hidden layer with the largest share of dead units, at least half but not all."""
    worst = None
    for layer in evidence.hidden:
        dead = _dead(evidence, layer, evidence.now)
        share = float(dead.mean())
        if DEAD_SHARE <= share < 1.0 and (worst is None or share > worst[1]):
            worst = layer, share, dead
    if worst is None:
        return
    layer, share, dead = worst
    born = _dead(evidence, layer, evidence.start)
    killed = int((dead & ~born).sum())
    yield Finding(
        DEAD_UNITS,
        f"{int(dead.sum())} of {len(dead)} units of layer {layer} are active on no sample "
        f"({int((dead & born).sum())} from the start, {killed} killed later)",
        layer=layer,
        first_update=0 if not killed else _since(evidence, layer)[0],
        fixes=revivals(evidence, layer),
        units=tuple((layer, int(unit)) for unit in np.flatnonzero(dead)),
        weight=0.4 + 0.2 * share,
        symptom_of=("dead-layer", "dead-output", *(KILLERS if killed else ())),
        aside=f"{int(dead.sum())} of {len(dead)} units of layer {layer} are dead",
    )


def one_unit(evidence: Evidence) -> Iterator[Finding]:
    """A hidden layer of a single unit, which passes on a single number."""
    sizes = [evidence.stated.layers[layer].units for layer in evidence.hidden]
    if 1 not in sizes or _is_monotone(evidence):
        return
    layer = sizes.index(1)
    wider = {
        f"layers.{at}.units": HIDDEN_UNITS for at, units in enumerate(sizes) if units < HIDDEN_UNITS
    }
    yield Finding(
        replace(TOO_FEW, klass=MEASURED),
        f"layer {layer} has 1 unit: whatever the inputs say reaches the next as one number",
        layer=layer,
        first_update=0,
        fixes=(Fix(f"{HIDDEN_UNITS} units in the hidden layers", wider),),
        units=((layer, 0),),
        weight=0.65,
    )


def _is_monotone(evidence: Evidence) -> bool:
    """Whether one input and one output rise or fall together, which one unit can express."""
    x, y = evidence.sample_x, evidence.sample_y
    if len(x) != 1 or len(y) != 1:
        return False
    steps = np.diff(y[0][np.argsort(x[0], kind="stable")])
    return bool((steps >= 0.0).all() or (steps <= 0.0).all())
