"""Proofs before any training: what the network cannot represent, with the floor of the loss."""

from collections.abc import Callable, Iterator

import numpy as np

from nntui.core.engine.network import activation_of
from nntui.core.tape import Array, Tape
from nntui.diagnosis.evidence import (
    EXPLAINS,
    Evidence,
    against_goal,
    explained,
    refuted,
    spread,
)
from nntui.diagnosis.finding import PROOF, Finding, Fix, Rule
from nntui.diagnosis.measures.floors import (
    affine_residual,
    equal_columns,
    softmax_floor,
)
from nntui.diagnosis.rules.output_range import output_range
from nntui.diagnosis.rules.program_values import forward_of
from nntui.diagnosis.rules.usual_fixes import hidden_layer

NO_BIAS = Rule(
    "no-bias",
    "without biases the network cannot have the offset that the targets need",
    PROOF,
    "relu, leaky relu, identity: f(c x) = c f(x) for c > 0, least squares along each ray; tanh: "
    "f(-x) = -f(x); any output: f(0) is fixed; a linear network: least squares of a map through "
    "the origin, where one with an offset fits; highest floor > 2 % of the best constant's loss; "
    "measured where no floor forbids the goal: biases of 0 would have a gradient > 0.3 of the "
    "weights'",
    "positive homogeneity and oddness; the bound was reached in 8 of 8 tasks tried",
    "a loss below the floor at fixed parameters",
)
LINEAR = Rule(
    "linear",
    "the network is linear, the task is not",
    PROOF,
    "least squares (cross-entropy: Newton) of an affine map, offset included, > 5 % of the best "
    "constant's loss",
    "a product of matrices is a matrix; least squares and logistic regression are convex",
    "a loss below the floor at fixed parameters",
)
CONTRADICTORY = Rule(
    "contradictory-targets",
    "the same inputs have different targets",
    PROOF,
    "reported loss of the best single answer for each distinct input > 0",
    "a function has one value at one point",
    "no two rows with equal inputs and different targets",
)
RULES = (NO_BIAS, LINEAR, CONTRADICTORY)

LEAST_BIAS, LEAST_LINEAR = 0.02, 0.05
MONOTONE = frozenset({"sigmoid", "tanh", "relu", "leaky-relu", "elu", "softplus", "softmax"})
"""Output activations whose larger value means a larger z: a border between classes is one of z."""
MOST_GROUPED = 100_000
"""Rows beyond which groups of equal ones are not looked for."""
MOST_WEIGHTS = 64
"""Weights beyond which Newton's method would take too long."""
MOST_PRODUCTS = 1_000_000_000
"""Rows times the square of the inputs, beyond which least squares would take too long."""


def proofs(evidence: Evidence) -> Iterator[Finding]:
    """All certificates that hold for the network and its data, whatever the parameters.

    Each is of the stated network as far as the program computes it; one that adds its bias behind
    the output's activation, or whose values are unknown, has other outputs.
    """
    # What is drawn with repetition is another set of rows every epoch, with floors of its own.
    drawn = evidence.stated.training.order == "random"
    if evidence.x.shape[1] > MOST_GROUPED or drawn or not evidence.has_floors:
        return
    for rule in _that_hold(evidence):
        if evidence.has_time():
            yield from rule(evidence)


def _that_hold(evidence: Evidence) -> list[Callable[[Evidence], Iterator[Finding]]]:
    """The certificates that what the program computes leaves standing."""
    forward, output = forward_of(evidence), evidence.stated.layers[-1]
    if forward.unknown is not None:
        return [_contradictory]
    late = len(evidence.stated.layers) - 1 in forward.late
    return [
        *([output_range] if output.normalise or not late else []),
        *([_linear] if activation_of(output).is_linear or not late else []),
        _no_bias,
        _contradictory,
    ]


def _no_bias(evidence: Evidence) -> Iterator[Finding]:
    layers = evidence.stated.layers
    if any(layer.bias != "none" or layer.normalise for layer in layers):
        return
    floor, said = max(_floors_at_the_origin(evidence), default=(0.0, ""))
    if floor <= LEAST_BIAS * spread(evidence) or refuted(evidence, floor):
        return
    yield Finding(
        NO_BIAS,
        f"without biases {said}: {against_goal(evidence, floor)}",
        first_update=0,
        fixes=(
            Fix(
                "give every layer a bias",
                {f"layers.{at}.bias": "per-unit" for at in range(len(layers))},
            ),
        ),
        weight=explained(evidence, floor),
        floor=floor,
    )


def _floors_at_the_origin(evidence: Evidence) -> Iterator[tuple[float, str]]:
    """The floors of a network without biases, each with what it rests on."""
    x, y, cost = evidence.x, evidence.y, evidence.cost
    functions = [activation_of(layer) for layer in evidence.stated.layers]
    if all(each.homogeneous for each in functions):
        lengths = np.linalg.norm(x, axis=0)
        keys = x / np.where(lengths > 0.0, lengths, 1.0)
        low = functions[-1].bounds[0]
        floor = cost.multiples(keys, lengths, y, -np.inf if low is None else low)
        yield floor, "f(c x) = c f(x), so along each ray the outputs stand as the inputs do"
    if all(each.odd for each in functions):
        signs = _signs(x)
        yield cost.multiples(x * signs, signs, y), "f(-x) = -f(x) whatever the weights"
    if all(each.is_linear for each in functions) and _is_small(x):
        floor, offset = (_affine_floor(evidence, constant) for constant in (False, True))
        # A task that no offset makes linear is another matter.
        if offset <= LEAST_LINEAR * spread(evidence):
            yield floor, "the network is a linear map through the origin, which the targets miss"
    if all(each.at_zero == 0.0 for each in functions[:-1]):
        tape, nothing = Tape(), np.zeros_like(y)
        fixed = np.empty_like(y)
        functions[-1].forward(tape, nothing, fixed)
        tape.play()
        at_0 = (x == 0.0).all(axis=0)
        floor = cost.of(np.where(at_0, fixed, y), y)
        yield floor, f"at x = 0 the output is {fixed[0, 0]:.3g} whatever the weights"


def _is_small(x: Array) -> bool:
    return bool(x.shape[1] * len(x) ** 2 <= MOST_PRODUCTS)


def _affine_floor(evidence: Evidence, constant: bool) -> float:
    """The floor of linear outputs, with a ``constant`` if wanted."""
    y, cost = evidence.y, evidence.cost
    residual = affine_residual(evidence.x, y, constant)
    if cost.absolute:
        # A sum of sizes is at least the root of the sum of squares.
        whole = np.zeros_like(residual)
        whole[0, 0] = np.sqrt(np.square(residual).sum())
        residual = whole
    return cost.of(y - residual, y)


def _signs(x: Array) -> Array:
    """Per sample the sign of its first number that is not 0; 0 at the origin."""
    signs = np.zeros(x.shape[1])
    for row in x:
        signs = np.where(signs == 0.0, np.sign(row), signs)
    return signs


def _linear(evidence: Evidence) -> Iterator[Finding]:
    layers, x, y = evidence.stated.layers, evidence.x, evidence.y
    if any(not activation_of(each).is_linear or each.normalise for each in layers[:-1]):
        return
    output = layers[-1]
    if output.normalise:
        return
    # Whether or not it has biases: without them it is less able still.
    if output.activation == "identity":
        if not _is_small(x):
            return
        floor = _affine_floor(evidence, constant=True)
        said = f"the best straight {'line' if len(x) == 1 else 'plane'} is the best it can be"
    else:
        classes = _classes(y) if output.activation in MONOTONE else None
        if classes is None or len(classes) * (len(x) + 1) > MOST_WEIGHTS:
            return
        entropy = softmax_floor(x, classes, evidence.deadline)
        # Where a plane separates the classes, the least cross-entropy is 0.
        if entropy < 1e-3:
            return
        floor = _of_classes(evidence, entropy)
        said = "no straight border separates the classes"
    if floor <= LEAST_LINEAR * spread(evidence) and output.activation == "identity":
        return
    if refuted(evidence, floor):
        return
    fixes = (
        Fix(
            "tanh in the hidden layers",
            {f"layers.{at}.activation": "tanh" for at in evidence.hidden},
        )
        if evidence.hidden
        else hidden_layer(evidence.observation.preset),
    )
    lost = evidence.progress.bad and output.activation != "identity"
    which = {0: "there is no hidden layer", 1: "the hidden layer is linear"}
    whose = which.get(len(evidence.hidden), "all hidden layers are linear")
    yield Finding(
        LINEAR,
        f"{whose}, and so the network is linear; {said}: {against_goal(evidence, floor)}",
        first_update=0,
        fixes=fixes,
        # Without a border the task is lost, however little of it the bound accounts for.
        weight=max(explained(evidence, floor), EXPLAINS if lost else 0.0),
        floor=floor,
    )


def _classes(y: Array) -> Array | None:
    """Targets of two values, or of one 1 in each column, as shares of classes."""
    if len(y) == 1:
        low, high = y.min(), y.max()
        if low == high or not np.isin(y, (low, high)).all():
            return None
        share = (y - low) / (high - low)
        return np.concatenate([share, 1.0 - share])
    one_hot = np.isin(y, (0.0, 1.0)).all() and (y.sum(axis=0) == 1.0).all()
    return y if one_hot else None


def _of_classes(evidence: Evidence, entropy: float) -> float:
    """The floor where no plane separates the classes.

    A cross-entropy is known exactly; otherwise at least one output errs by half of the distance
    between its two targets.
    """
    cost, y = evidence.cost, evidence.y
    if cost.compares_shares:
        stated = evidence.stated
        return entropy * (1 if stated.report.reduction == "mean" else stated.reported_samples)
    wrong = np.zeros_like(y)
    wrong[0, 0] = (y.max() - y.min()) / 2.0
    return cost.of(y + wrong, y)


def _contradictory(evidence: Evidence) -> Iterator[Finding]:
    x, y, cost = evidence.x, evidence.y, evidence.cost
    groups = equal_columns(x)
    floor = cost.grouped(y, groups)
    if refuted(evidence, floor):
        return
    # Where a row's targets are not those of its group's first row, the whole group contradicts.
    _, first = np.unique(groups, return_index=True)
    differing = (y != y[:, first[groups]]).any(axis=0)
    contradicted = int(np.isin(groups, groups[differing]).sum())
    if not contradicted or floor - cost.of(y, y) <= 1e-12 * spread(evidence):
        return
    yield Finding(
        CONTRADICTORY,
        f"{contradicted} of {x.shape[1]} rows have the inputs of another row and another target: "
        f"{against_goal(evidence, floor)}",
        first_update=0,
        fixes=(Fix("correct the rows, or add an input that distinguishes them", {}),),
        weight=explained(evidence, floor),
        floor=floor,
    )
