"""The formulas of activations, losses and optimisers as expressions with their numbers.

What has no formula here is shown by its value alone.
"""

from collections.abc import Iterator, Mapping

from nntui.core.parts.activations import ELU, GELU, Activation, LeakyReLU, ReLU
from nntui.core.settings.configuration import Training
from nntui.timeline.microscope.numeric_expression import (
    Difference,
    Expression,
    Negative,
    Number,
    Power,
    Quotient,
    Sum,
    call,
    product,
)

ONE, TWO = Number(1.0), Number(2.0)
FAR = 30.0
"""Beyond, log(1 + exp(z)) is z to the last printed digit, and exp soon overflows."""
EDGE = 1e-6
"""Nearer to 0 or 1, the logarithm of a printed probability has no digit left."""
_AT_KINK = {
    "left": "the slope from the left",
    "right": "the slope from the right",
    "zero": "0",
}


def _logistic(z: Number) -> Expression:
    return Quotient(ONE, Sum((ONE, call("exp", Number(-z.value, f"-{z.name}")))))


def _above(z: Number) -> bool:
    return not z.value <= 0.0


def _alpha(function: Activation) -> Number:
    return Number(function.alpha if isinstance(function, ELU) else 1.0, "alpha")


def _gelu_bend(z: Number) -> Expression:
    cube = product(Number(GELU.CUBE), Power(z, Number(3.0)))
    return call("tanh", product(Number(GELU.ROOT, "sqrt(2/pi)"), Sum((z, cube))))


def value_of(function: Activation, z: tuple[Number, ...], unit: int) -> Expression | None:
    """``f(z)`` of one unit; ``z`` are those of the whole layer, which only softmax reads."""
    own = z[unit]
    match function.name:
        case "identity":
            return own
        case "relu":
            return call("max", Number(0.0), own)
        case "leaky-relu" if isinstance(function, LeakyReLU):
            return own if _above(own) else product(Number(function.leak, "leak"), own)
        case "tanh":
            return call("tanh", own)
        case "sigmoid":
            return _logistic(own)
        case "elu":
            risen = Difference(call("exp", own), ONE)
            return own if _above(own) else product(_alpha(function), risen)
        case "gelu":
            return product(Quotient(own, TWO), Sum((ONE, _gelu_bend(own))))
        case "softplus":
            if abs(own.value) > FAR:
                above = call("max", Number(0.0), own)
                small = call("exp", Negative(call("abs", own)))
                return Sum((above, small))
            return call("log", Sum((ONE, call("exp", own))))
        case "softmax":
            # Without the greatest z, which cancels, the exponentials overflow.
            greatest = Number(max(each.value for each in z), "max z")
            powers = tuple(call("exp", Difference(each, greatest)) for each in z)
            return Quotient(powers[unit], Sum(powers, "sum of exp(z - max z)"))
    return None


def slope_of(
    function: Activation, places: tuple[Number, ...], unit: int
) -> tuple[Expression | None, str]:
    """``f'`` where one unit of a layer is, and why it is that; of softmax the diagonal."""
    z = places[unit]
    if isinstance(function, (ReLU, LeakyReLU)):
        if z.value == 0.0:
            return _at_kink(function, z)
        below = function.leak if isinstance(function, LeakyReLU) else 0.0
        above = _above(z)
        return Number(1.0 if above else below), f"because {z.name} {'>' if above else '<'} 0"
    value = value_of(function, places, unit)
    if value is None:
        return None, ""
    f = Number(value.value, f"{function.name}({z.name})")
    match function.name:
        case "identity":
            return ONE, "the derivative of a straight line"
        case "tanh":
            return Difference(ONE, Power(f, TWO)), ""
        case "sigmoid" | "softmax":
            return product(f, Difference(ONE, f)), ""
        case "elu" if _above(z):
            return ONE, f"because {z.name} > 0"
        case "elu":
            return product(_alpha(function), call("exp", z)), f"because {z.name} <= 0"
        case "softplus":
            return _logistic(z), ""
        case "gelu":
            bend = Number(_gelu_bend(z).value, "t")
            steep = product(Number(3.0 * GELU.CUBE), Power(z, TWO))
            root = Number(GELU.ROOT, "sqrt(2/pi)")
            rest = Difference(ONE, Power(bend, TWO))
            inner = product(Quotient(z, TWO), rest, root, Sum((ONE, steep)))
            return Sum((Quotient(Sum((ONE, bend)), TWO), inner)), "t is the tanh in f(z)"
    return None, ""


def _at_kink(function: ReLU | LeakyReLU, z: Number) -> tuple[Expression, str]:
    below = function.leak if isinstance(function, LeakyReLU) else 0.0
    slopes = {"left": below, "right": 1.0, "zero": 0.0}
    taken = _AT_KINK[function.kink]
    return Number(slopes[function.kink]), f"{z.name} is exactly 0; there {taken} is taken"


def loss_term(loss: str, z: Number, a: Number, y: Number) -> Expression | None:
    """The training loss of one output on one sample."""
    error = Difference(a, y)
    match loss:
        case "squared-error":
            return Power(error, TWO)
        case "half-squared-error":
            return Quotient(Power(error, TWO), TWO)
        case "half-absolute-error":
            return Quotient(call("abs", error), TWO)
        case "binary-cross-entropy":
            if EDGE < a.value < 1.0 - EDGE:
                miss = product(Difference(ONE, y), call("log", Difference(ONE, a)))
                return Difference(Negative(product(y, call("log", a))), miss)
            small = call("exp", Negative(call("abs", z)))
            rest = call("log", Sum((ONE, small))) if abs(z.value) < FAR else small
            return Sum((Difference(call("max", z, Number(0.0)), product(z, y)), rest))
        case "categorical-cross-entropy" if a.value > 0.0:
            return Negative(product(y, call("log", a)))
    return None


def loss_slope(loss: str, error: Number, samples: int | None) -> Expression | None:
    """The slope of the loss at one output; ``samples`` are those of a mean."""
    slopes: dict[str, Expression] = {
        "squared-error": product(TWO, error),
        "half-squared-error": error,
        "half-absolute-error": Quotient(call("sign", error), TWO),
        "binary-cross-entropy": error,
        "categorical-cross-entropy": error,
    }
    slope = slopes.get(loss)
    if slope is None or samples is None or samples == 1:
        return slope
    return Quotient(slope, Number(float(samples), "samples"))


def optimiser_lines(
    training: Training, g: Number, old: Mapping[str, float], new: Mapping[str, float], count: int
) -> Iterator[tuple[str, str, Expression]]:
    """What the optimiser carries on, then under ``""`` the direction of its step.

    ``old`` and ``new`` are the numbers it carries, by slot; yields slot, letter and formula.
    """
    mu, rho = Number(training.momentum, "momentum"), Number(training.rho, "rho")
    epsilon = Number(training.epsilon, "epsilon")

    def mean(slot: str, letter: str, keep: Number, what: Expression) -> tuple[str, str, Sum]:
        rest = product(Difference(ONE, keep), what)
        return slot, letter, Sum((product(keep, Number(old[slot], letter)), rest))

    match training.optimiser:
        case "sgd" | "nesterov" if training.momentum:
            yield "velocity", "v", Sum((product(mu, Number(old["velocity"], "v")), g))
            v = Number(new["velocity"], "v")
            ahead = Sum((g, product(mu, v)))
            yield "", "", v if training.optimiser == "sgd" else ahead
        case "sgd" | "nesterov":
            yield "", "", g
        case "rmsprop":
            yield mean("square", "s", rho, Power(g, TWO))
            root = call("sqrt", Number(new["square"], "s"))
            yield "", "", Quotient(g, Sum((root, epsilon)))
        case "adam":
            first, second = Number(training.beta1, "beta1"), Number(training.beta2, "beta2")
            yield mean("mean", "m", first, g)
            yield mean("square", "s", second, Power(g, TWO))
            t = Number(float(count), "t")
            m, s = (
                Quotient(Number(new[slot], letter), Difference(ONE, Power(keep, t)))
                for slot, letter, keep in (("mean", "m", first), ("square", "s", second))
            )
            yield "", "", Quotient(m, Sum((call("sqrt", s), epsilon)))
