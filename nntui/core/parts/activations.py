"""Activations: the value ``a = f(z)`` and the slope ``f'(z)``, each written once as a formula.

Piecewise activations have a convention for the slope at the kink ``z = 0``, because programs
differ there and the difference affects training: ``left`` is the slope from below, ``right`` the
slope from above, ``zero`` is 0.  A new activation is one entry of `ACTIVATIONS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from nntui.core.formulas.calculus import derivative, simplified, switches
from nntui.core.formulas.evaluation import Values, evaluate
from nntui.core.formulas.expression import Expression, Name, Number
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.prepared import expanded
from nntui.core.formulas.printing import formula_text
from nntui.core.formulas.reading import read_choice, read_formula
from nntui.core.formulas.recording import record
from nntui.core.tape import Array, Tape

KINKS = ("left", "right", "zero")
ON_KINK = 1e-45
"""With complex numbers, a value nearer to a kink counts as on it: only the square of the complex
step's tiny imaginary part moved it away."""
PROBES = np.concatenate([sign * np.geomspace(0.01, 8.0, 40) for sign in (-1.0, 1.0)])
"""Where the slope that somebody wrote is compared with the derivative."""
NEAR_KINK, SAME, ROUNDING = 1e-9, 1e-9, 1e-12
CHAIN_RULE = formula("u*slope")

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Backward:
    """The slope and the delta that backpropagation uses in a layer, correct or faulty.

    Both are formulas over ``z``, the layer's output ``a``, and ``f``, the value of the activation
    function (equal to ``a`` unless a fault adds to it); ``delta`` also reads ``u`` (dL/da) and
    ``slope``.
    """

    slope: Expression
    delta: Expression
    label: str
    """The slope's name, such as ``tanh'(z)``."""
    place: str = "z"
    """Where the slope is evaluated: ``z`` or ``a``."""
    kink: str = ""
    """The convention at the kink of the activation, empty if it has no kink."""

    def at_output(self, value: Expression) -> "Backward":
        """The same evaluated at ``a`` instead of ``z``; ``value`` is the activation's value."""
        at = Name("a")
        there = {"z": at, "a": value.bound({"z": at}), "f": value.bound({"z": at})}
        label = self.label.replace("(z)", "(a)")
        return Backward(self.slope.bound(there), self.delta.bound(there), label, at.name, self.kink)

    @property
    def is_elementwise(self) -> bool:
        """Whether delta is dL/da times the slope, unit by unit."""
        return self.delta == CHAIN_RULE

    def record(
        self, tape: Tape, values: Mapping[str, Array], upstream: Array, slope: Array, delta: Array
    ) -> None:
        """Record ``slope``, then ``delta`` from ``upstream``, all (units, samples)."""
        record(tape, self.slope, values, slope)
        record(tape, self.delta, {**values, "u": upstream, "slope": slope}, delta)


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation function; ``text`` is its value as a formula of z and its parameters.

    Shapes: ``z``, ``a``, ``slope``, ``upstream`` and ``delta`` are all (units, samples).
    """

    name: str
    text: str
    summary: str
    slopes: str | Mapping[str, str] = ""
    """Its slope as a formula of z and a, or one for each convention at the kink; derived from
    `text` if empty."""
    through: str = ""
    """dL/dz as a formula of u (dL/da), z and a; empty if it is u times the slope."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The keys of a layer that it reads, with their values."""
    source: str = ""
    low: str = ""
    """The bounds of its values, as formulas of its parameters; empty if there is none, or none is
    known."""
    high: str = ""
    homogeneous: bool = False
    """Whether ``f(c z) = c f(z)`` for every c > 0."""
    odd: bool = False
    """Whether ``f(-z) = -f(z)``."""
    dies: bool = False
    """Whether it is 0 and flat on a half-line, so that a unit can stop learning for good."""
    torch: str = ""
    """Its PyTorch source, with z and parameters in braces; at a kink, PyTorch uses the slope from
    the left."""

    @cached_property
    def value(self) -> Expression:
        """``f(z)``, with the parameters as numbers."""
        return simplified(self._bound(formula(self.text)))

    @cached_property
    def slope(self) -> Expression:
        """``f'(z)`` over ``z`` and ``a = f(z)``."""
        text = self.slopes if isinstance(self.slopes, str) else self.slopes[self._kink]
        if text:
            return simplified(self._bound(formula(text)))
        return derivative(self.value, "z").replaced({self.value: Name("a")})

    @cached_property
    def backward(self) -> Backward:
        """The slope and delta of correct backpropagation."""
        own = {"a": Name("f")}
        delta = formula(self.through).bound(own) if self.through else CHAIN_RULE
        return Backward(self.slope.bound(own), delta, f"{self.letter}'(z)", kink=self._kink)

    @cached_property
    def diagonal(self) -> Backward:
        """The slope alone, as a formula of z; a softmax has more derivatives than this diagonal."""
        slope = simplified(self.slope.bound({"a": self.value}))
        return Backward(slope, CHAIN_RULE, f"{self.letter}'(z)", kink=self._kink)

    @property
    def letter(self) -> str:
        """What the function is called in an equation: its name, or f where it is a formula."""
        return self.name if self.name in ACTIVATIONS else "f"

    @property
    def formula(self) -> str:
        """Its formula as shown to people."""
        return f"a = {formula_text(expanded(formula(self.text)))}"

    def with_kink(self, kink: str) -> "Activation":
        """The same with another convention at its kink."""
        return replace(self, parameters={**self.parameters, "kink": kink})

    @property
    def has_kink(self) -> bool:
        """Whether its slope at a kink depends on a convention."""
        return "kink" in self.parameters

    @cached_property
    def is_piecewise(self) -> bool:
        """Whether it, or its slope, is piecewise."""
        return bool(self.switches)

    @cached_property
    def switches(self) -> tuple[Expression, ...]:
        """The formulas of z whose signs tell the pieces apart."""
        slope = self.slope.bound({"a": self.value})
        found = dict.fromkeys((*switches(self.value), *switches(slope)))
        # A softmax subtracts its greatest z, which affects only the rounding.
        return tuple(each for each in found if each.names == {"z"})

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the greatest value; None if there is no bound, or none is known."""
        low, high = (
            float(evaluate(self._bound(formula(text)), {})) if text else None
            for text in (self.low, self.high)
        )
        return low, high

    @cached_property
    def is_differentiated(self) -> bool:
        """Whether the slope is the derivative, as far as it was tried: at many z, on no kink."""
        z = PROBES
        with np.errstate(all="ignore"):
            value = np.broadcast_to(evaluate(self.value, {"z": z}), z.shape)
            right, stated = (
                np.broadcast_to(evaluate(each, {"z": z, "a": value}), z.shape)
                for each in (derivative(self.value, "z"), self.slope)
            )
            smooth = np.isfinite(right)
            for switch in self.switches:
                smooth &= np.abs(evaluate(switch, {"z": z})) > NEAR_KINK
            right, stated = right[smooth], stated[smooth]
            rounding = ROUNDING * np.median(np.abs(right)) if right.size else 0.0
            return bool((np.abs(stated - right) <= SAME * np.abs(right) + rounding).all())

    @property
    def is_linear(self) -> bool:
        """Whether it is a multiple of z."""
        return isinstance(self.slope, Number) and self.at_zero == 0.0

    @cached_property
    def at_zero(self) -> float:
        """``f(0)`` in a layer of one unit."""
        with np.errstate(all="ignore"):
            return float(np.asarray(evaluate(self.value, {"z": np.zeros((1, 1))})).item())

    @property
    def _kink(self) -> str:
        return str(self.parameters.get("kink", ""))

    def _bound(self, expression: Expression) -> Expression:
        return expression.bound({k: v for k, v in self.parameters.items() if k != "kink"})

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        """Record ``a = f(z)``."""
        record(tape, self.value, {"z": z}, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        """Record ``slope = f'(z)``; ``a`` holds ``f(z)``."""
        record(tape, self.slope, {"z": z, "a": a}, slope)

    def of_complex(self, z: Values, axis: int = 0) -> Values:
        """``f(z)`` of complex numbers, for complex-step differentiation; units are on ``axis``.

        The real part selects the piece; on a kink, the slope is the one of the convention.
        """
        value = np.broadcast_to(evaluate(self.value, {"z": z}, axis), np.shape(z))
        on = np.zeros(np.shape(z), dtype=np.bool_)
        for switch in self.switches:
            on |= np.abs(np.real(evaluate(switch, {"z": z}, axis))) < ON_KINK
        if not on.any():
            return value
        real = np.real(z)
        here = np.real(value)
        slope = evaluate(self.slope, {"z": real, "a": here}, axis)
        return np.where(on, here + 1j * np.imag(z) * slope, value)

    def dead(self, a: Array) -> Flags:
        """Per unit, (units,): whether it is inactive on every sample and so gets no gradient."""
        if self.dies:
            return np.asarray((a <= 0.0).all(axis=1))
        return np.zeros(a.shape[0], dtype=np.bool_)


_NEAR = "max(min(z, 40), -40)"
"""Beyond 40, the slope of a gelu equals that of its linear parts to the last bit; clamping there
keeps the cube from overflowing."""
_BEND = f"tanh(sqrt(2/pi)*({_NEAR} + 0.044715*{_NEAR}^3))"
_STEEP = f"sqrt(2/pi)*(1 + 3*0.044715*{_NEAR}^2)"
_POWERS = "exp(z - greatest(z))"
"""The exponentials of a softmax; subtracting the greatest z, which cancels, avoids overflow."""

ACTIVATIONS: dict[str, Activation] = {
    each.name: each
    for each in (
        Activation(
            "identity",
            "z",
            "a linear unit; the usual output for regression",
            slopes="1",
            homogeneous=True,
            odd=True,
        ),
        Activation(
            "relu",
            "max(0, z)",
            "the rectifier; a unit with z <= 0 on every sample is dead",
            slopes={"left": "sign(a)", "right": "step(z, 1)", "zero": "sign(a)"},
            parameters={"kink": "left"},
            source="Nair and Hinton 2010",
            low="0",
            homogeneous=True,
            dies=True,
            torch="torch.relu({z})",
        ),
        Activation(
            "leaky-relu",
            "max(z, leak*z)",
            "a rectifier with a small slope below zero",
            slopes={
                "left": "max(step(z, 0), leak)",
                "right": "max(step(z, 1), leak)",
                # sign(z) is -1, 0 or 1, and this maps it to leak, 0 and 1.
                "zero": "max(sign(z), -leak*sign(z))",
            },
            parameters={"leak": 0.01, "kink": "left"},
            source="Maas, Hannun and Ng 2013",
            homogeneous=True,
            torch="F.leaky_relu({z}, {leak})",
        ),
        Activation(
            "tanh",
            "tanh(z)",
            "between -1 and 1; saturates for |z| above 3",
            slopes="1 - a^2",
            low="-1",
            high="1",
            odd=True,
        ),
        Activation(
            "sigmoid",
            "sigmoid(z)",
            "between 0 and 1, slope at most 1/4; saturates for |z| above 5",
            slopes="a*(1 - a)",
            low="0",
            high="1",
        ),
        Activation(
            "elu",
            "max(z, 0) + alpha*expm1(min(z, 0))",
            "a rectifier that bends smoothly to -alpha (parameter alpha)",
            slopes="alpha*exp(min(z, 0)) + (1 - alpha)*step(z, 0)",
            parameters={"alpha": 1.0},
            source="Clevert, Unterthiner and Hochreiter 2015",
            low="-alpha",
            torch="F.elu({z}, {alpha})",
        ),
        Activation(
            "gelu",
            "z/2*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z^3)))",
            "a smooth rectifier, in the tanh form",
            slopes=f"(1 + {_BEND})/2 + {_NEAR}/2*(1 - {_BEND}^2)*{_STEEP}",
            source="Hendrycks and Gimpel 2016",
            low="-0.1701",
            torch='F.gelu({z}, approximate="tanh")',
        ),
        Activation(
            "softplus",
            "softplus(z)",
            "a smooth rectifier, always above 0",
            slopes="sigmoid(z)",
            source="Dugas et al. 2001",
            low="0",
        ),
        Activation(
            "softmax",
            f"{_POWERS}/total({_POWERS})",
            "positive outputs that add up to 1; for categorical-cross-entropy",
            slopes="a*(1 - a)",
            through="a*(u - total(u*a))",
            torch="torch.softmax({z}, dim=1)",
        ),
    )
}


def check_activation(key: str, text: str) -> None:
    """ConfigError unless ``text`` names an activation or is a formula of z."""
    read_choice(key, text, ACTIVATIONS, ("z",), "a formula such as z * sigmoid(z)")


def check_slope(key: str, text: str) -> None:
    """ConfigError unless ``text`` is a formula of z and a."""
    read_formula(key, text, ("z", "a"))


def is_same(text: str, name: str) -> bool:
    """Whether ``text`` is the activation called ``name``, or its formula."""
    return text == name or activation(text).value == ACTIVATIONS[name].value


def activation(text: str, slope: str | None = None, **parameters: Any) -> Activation:
    """The activation called ``text``, or a new one from ``text`` as a formula of z.

    ``parameters`` that the activation does not have, or that are None, are ignored; ``slope`` is
    the slope of a formula.  Raises ConfigError if ``text`` is neither.
    """
    kind = ACTIVATIONS.get(text)
    if kind is None:
        return _of_formula(text, slope)
    given = ((k, v) for k, v in parameters.items() if k in kind.parameters and v is not None)
    return _with(kind, tuple(given))


@lru_cache(maxsize=256)
def _of_formula(text: str, slope: str | None) -> Activation:
    check_activation("activation", text)
    return Activation(text, text, "a formula of the preset", slopes=slope or "")


@lru_cache(maxsize=256)
def _with(kind: Activation, given: tuple[tuple[str, Any], ...]) -> Activation:
    """``kind`` with other parameters; kept, because its formulas are then simplified once."""
    return replace(kind, parameters={**kind.parameters, **dict(given)})
