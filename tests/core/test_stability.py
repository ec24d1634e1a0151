"""Activations and losses far out, against the same formulas in hundreds of digits."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from support import Array, made

from nntui.core.engine.trainer import Trainer, initial_state
from nntui.core.parts.activations import ACTIVATIONS, Activation, activation
from nntui.core.parts.losses import LOSSES
from nntui.core.tape import Tape

ONE = Decimal(1)
POINTS = [0.0, 1e-300, 1e-9, 0.3, 1.0, 2.5, 7.0, 20.0, 36.0, 40.0, 300.0, 708.0, 720.0, 745.0]
POINTS += [1e3, 1e5, 1e10, 1e17, 1e102, 1e104, 1e154, 1e200, 1e300]
Z = [sign * z for z in POINTS for sign in (1.0, -1.0)]


def exponential(z: Decimal) -> Decimal:
    """exp(z), 0 where it is below any float's digits."""
    return Decimal(0) if z < -2000 else z.exp()


def softplus(z: Decimal) -> Decimal:
    return max(z, Decimal(0)) + (ONE + exponential(-abs(z))).ln()


def sigmoid(z: Decimal) -> Decimal:
    small = exponential(-abs(z))
    return (ONE if z > 0 else small) / (ONE + small)


def tanh(z: Decimal) -> Decimal:
    return 2 * sigmoid(2 * z) - 1


def root() -> Decimal:
    pi = Decimal("3.14159265358979323846264338327950288419716939937510")
    return (2 / pi).sqrt()


def gelu(z: Decimal) -> Decimal:
    cube = Decimal("0.044715")
    return z / 2 * (1 + tanh(root() * (z + cube * z**3)))


def gelu_slope(z: Decimal) -> Decimal:
    cube = Decimal("0.044715")
    bend = tanh(root() * (z + cube * z**3))
    return (1 + bend) / 2 + z / 2 * (1 - bend**2) * root() * (1 + 3 * cube * z**2)


ALPHA, LEAK = 0.7, 0.2
FORMULAS: dict[str, tuple[Callable[[Decimal], Decimal], Callable[[Decimal], Decimal]]] = {
    "identity": (lambda z: z, lambda z: ONE),
    "relu": (lambda z: max(z, Decimal(0)), lambda z: ONE if z > 0 else Decimal(0)),
    "leaky-relu": (
        lambda z: z if z > 0 else Decimal(LEAK) * z,
        lambda z: ONE if z > 0 else Decimal(LEAK),
    ),
    "tanh": (tanh, lambda z: 1 - tanh(z) ** 2),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "elu": (
        lambda z: z if z > 0 else Decimal(ALPHA) * (exponential(z) - 1),
        lambda z: ONE if z > 0 else Decimal(ALPHA) * exponential(z),
    ),
    "gelu": (gelu, gelu_slope),
    "softplus": (softplus, sigmoid),
}


def exact(formula: Callable[[Decimal], Decimal], values: list[float]) -> Array:
    with localcontext() as context:
        context.prec = 700
        return np.array([float(formula(Decimal(z))) for z in values])


def played(kind: Activation, z: Array) -> tuple[Array, Array]:
    a, slope, tape = np.empty_like(z), np.empty_like(z), Tape()
    kind.forward(tape, z, a)
    kind.derivative(tape, z, a, slope)
    with np.errstate(all="ignore"):
        tape.play()
    return a, slope


@pytest.mark.parametrize("name", FORMULAS)
def test_an_activation_is_right_far_out(name: str) -> None:
    value, slope = FORMULAS[name]
    kind = activation(name, alpha=ALPHA, leak=LEAK)
    a, s = played(kind, np.array([Z]))
    assert np.isfinite(a).all()
    np.testing.assert_allclose(a[0], exact(value, Z), rtol=1e-13, atol=1e-15)
    assert np.isfinite(s).all()
    np.testing.assert_allclose(s[0], exact(slope, Z), rtol=1e-13, atol=1e-15)


def test_every_activation_is_looked_at_far_out() -> None:
    assert sorted([*FORMULAS, "softmax"]) == sorted(ACTIVATIONS)


@pytest.mark.parametrize("name", ["softplus", "elu"])
def test_what_is_small_keeps_its_digits(name: str) -> None:
    # Relative, not absolute: log(1 + exp(z)) and exp(z) - 1 lose them.
    small = [-1e-300, -1e-17, -1e-9] if name == "elu" else [-20.0, -50.0, -300.0, -700.0]
    a, _ = played(activation(name), np.array([small]))
    formula = {"elu": lambda z: exponential(z) - 1, "softplus": softplus}[name]
    np.testing.assert_allclose(a[0], exact(formula, small), rtol=1e-13, atol=0.0)


COLUMNS = [
    [0.0, 0.0, 0.0],
    [1.0, 0.0, -1.0],
    [50.0, 0.0, 0.0],
    [700.0, -700.0, 0.0],
    [1e3, -1e3, 999.0],
    [1e6, 1e6 - 1, 1e6 - 3],
    [-1e6, -1e6 - 1, -1e6 - 3],
    [1e15, 1e15, 1e15 - 2],
    [1e300, 1e300, 1e300],
    [1e300, -1e300, 0.0],
    [-1e300, -1e300, -1e300],
    [1e300, 1.0, 2.0],
    [-1e300, 1.0, 2.0],
]


def log_sum_exp(column: list[float]) -> Decimal:
    most = max(Decimal(z) for z in column)
    return most + sum((exponential(Decimal(z) - most) for z in column), Decimal(0)).ln()


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_softmax_is_right_far_out(column: list[float]) -> None:
    with localcontext() as context:
        context.prec = 700
        total = log_sum_exp(column)
        shares = np.array([[float(exponential(Decimal(z) - total))] for z in column])
    z = np.array(column)[:, None]
    a, slope = played(activation("softmax"), z)
    np.testing.assert_allclose(a, shares, rtol=1e-13, atol=1e-300)
    assert a.sum() == pytest.approx(1.0, rel=1e-15)
    np.testing.assert_allclose(slope, shares * (1 - shares), rtol=1e-12, atol=1e-15)
    tape, delta = Tape(), np.empty_like(z)
    upstream = np.array([[2.0], [-1.0], [0.5]])
    activation("softmax").backward.record(tape, {"z": z, "a": a, "f": a}, upstream, slope, delta)
    with np.errstate(all="ignore"):
        tape.play()
    jacobian = np.diag(shares[:, 0]) - shares @ shares.T
    np.testing.assert_allclose(delta, jacobian @ upstream, rtol=1e-12, atol=1e-15)


TARGETS = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.25, 0.25, 0.5]]


def value(loss: str, z: Array, y: Array) -> float:
    output, _ = played(activation({"binary": "sigmoid"}.get(loss[:6], "softmax")), z)
    with np.errstate(all="ignore"):
        return float(LOSSES[loss].value(z, output - y, y)())


@pytest.mark.parametrize("column", COLUMNS, ids=str)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_categorical_cross_entropy_is_right_far_out(
    column: list[float], target: list[float]
) -> None:
    with localcontext() as context:
        context.prec = 700
        total = log_sum_exp(column)
        terms = [Decimal(y) * (total - Decimal(z)) for z, y in zip(column, target, strict=True)]
        expected = float(sum(terms))
    found = value("categorical-cross-entropy", np.array(column)[:, None], np.array([target]).T)
    # Far below 1 the digits end with those of log(1 + small).
    assert found == pytest.approx(expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("z", Z)
def test_binary_cross_entropy_is_right_far_out(z: float) -> None:
    for y in (0.0, 1.0, 0.25):
        with localcontext() as context:
            context.prec = 700
            y_exact = Decimal(y)
            expected = y_exact * softplus(-Decimal(z)) + (1 - y_exact) * softplus(Decimal(z))
        found = value("binary-cross-entropy", np.array([[z]]), np.array([[y]]))
        sharp = 0.0 if y in (0.0, 1.0) and float(expected) > 1e-300 else 1e-300
        assert found == pytest.approx(float(expected), rel=1e-13, abs=sharp)


def trained(source: dict[str, Any], theta: list[float]) -> tuple[Trainer, list[float]]:
    """One update from given parameters, and the reported loss."""
    configuration, losses = made(source).configuration, list[float]()
    state = replace(initial_state(configuration, 0), theta=np.array(theta))
    trainer = Trainer(state, lambda epoch, loss: losses.append(loss))
    trainer.advance(1)
    return trainer, losses


@pytest.mark.parametrize("size", [1e3, 1e100, 1e300])
@pytest.mark.parametrize(
    ("loss", "output"),
    [("binary-cross-entropy", "sigmoid"), ("categorical-cross-entropy", "softmax")],
)
def test_a_certain_and_wrong_answer_has_a_finite_loss_and_gradient(
    loss: str, output: str, size: float
) -> None:
    source = {
        "data": {"inputs": [[1.0]], "targets": [[0.0, 1.0]]},
        "layers": [{"units": 2, "activation": output, "bias": "none"}],
        "training": {"loss": loss, "learning_rate": 1.0},
    }
    trainer, losses = trained(source, [size, -size])
    assert trainer.divergence is None
    assert losses == [2 * size]
    np.testing.assert_array_equal(
        trainer.parameters[0][0].ravel(), np.array([size, -size]) - np.array([1.0, -1.0])
    )
    trainer, losses = trained(source, [-size, size])
    assert trainer.divergence is None
    assert losses == [0.0]
    np.testing.assert_array_equal(trainer.parameters[0][0].ravel(), [-size, size])


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_a_large_pre_activation_is_no_divergence(name: str) -> None:
    # The output layer's weights are 0: only the hidden z are large.
    source = {
        "data": {"inputs": [[1.0]], "targets": [[0.5]]},
        "layers": [
            {"units": 2, "activation": name, "bias": "none"},
            {"units": 1, "init": "zeros", "bias": "none"},
        ],
        "training": {"loss": "half-absolute-error", "learning_rate": 1.0},
    }
    trainer, losses = trained(source, [1e120, -1e120, 0.0, 0.0])
    assert trainer.divergence is None
    assert losses == [0.25]


def test_a_categorical_cross_entropy_of_many_samples_is_their_sum() -> None:
    # Each sample has its own greatest z.
    z = np.array(COLUMNS[:6]).T
    y = np.array([TARGETS[at % 4] for at in range(6)]).T
    each = [
        value("categorical-cross-entropy", z[:, [at]].copy(), y[:, [at]].copy()) for at in range(6)
    ]
    assert value("categorical-cross-entropy", z, y) == pytest.approx(sum(each), rel=1e-14)
