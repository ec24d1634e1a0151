"""Settings of a layer and its first weights and biases, and the order in which these are drawn."""

from dataclasses import dataclass
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.parts.activations import ACTIVATIONS, KINKS, check_activation, check_slope
from nntui.core.parts.initialisers import BIAS_INITIALISERS, DRAW_ORDERS, INITIALISERS
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section, entry

WIDEST = 1e150
"""Limit of a uniform distribution's bounds, whose difference must be finite."""
BIASES = ("none", "per-unit", "shared-start")
MOST_SKIPPED = 10_000_000


def _bound(default: float, doc: str) -> Any:
    """An entry for a bound of a uniform distribution."""
    return entry(default, doc=doc, low=-WIDEST, high=WIDEST, later=True)


@dataclass(frozen=True, kw_only=True)
class Layer(Section):
    """One dense layer: its units, activation and initialisation."""

    units: int = entry(doc="how many units", low=1, high=100_000)
    activation: str = entry(
        "identity",
        doc="the activation function, or a formula of z",
        choices=ACTIVATIONS,
        formula=check_activation,
    )
    slope: str | None = entry(
        None, doc="a formula's derivative, of z and a (found by nntui)", formula=check_slope
    )
    leak: float = entry(0.01, doc="slope of leaky-relu below zero", low=0.0, below=1.0)
    alpha: float = entry(1.0, doc="elu goes down to -alpha", above=0.0, high=1e6)
    kink: str = entry("left", doc="which slope relu and leaky-relu have at z = 0", choices=KINKS)
    init: str = entry("he", doc="how the weights start", choices=INITIALISERS)
    scale: float = entry(1.0, doc="factor on the weights' start", low=-1e300, high=1e300)
    low: float = _bound(0.0, "init uniform: least weight, before the scale")
    high: float = _bound(1.0, "init uniform: bound of the weights, before the scale")
    W: Rows | None = entry(
        None, doc="instead of init: the first weights, units x inputs, times the scale", later=True
    )
    bias: str = entry(
        "per-unit", doc="none, one per unit, or all starting from one draw", choices=BIASES
    )
    bias_init: str = entry("zeros", doc="how the bias starts", choices=BIAS_INITIALISERS)
    bias_scale: float = entry(1.0, doc="factor on the bias's start", low=-1e300, high=1e300)
    bias_low: float = _bound(0.0, "bias_init uniform: least bias, before the scale")
    bias_high: float = _bound(1.0, "bias_init uniform: bound of the bias, before the scale")
    b: tuple[float, ...] | None = entry(
        None, doc="instead of bias_init: the first bias of each unit, times the scale", later=True
    )
    normalise: bool = entry(False, doc="layer normalisation after the activation")

    def __post_init__(self) -> None:
        super().__post_init__()
        for low, high in (("low", "high"), ("bias_low", "bias_high")):
            least, bound = getattr(self, low), getattr(self, high)
            if least >= bound:
                raise ConfigError(low, f"is {least:g}, and must be less than {high}, {bound:g}")
        if self.b is not None and self.bias == "none":
            raise ConfigError("b", 'belongs to a layer with a bias, and bias is "none"')

    def check_numbers(self, inputs: int) -> None:
        """Raise ConfigError unless ``W`` and ``b``, if given, fit the units and ``inputs``."""
        has = f"but the layer has {_counted(self.units, 'unit')}"
        if self.W is not None and self.W.array.shape != (self.units, inputs):
            rows, columns = self.W.array.shape
            raise ConfigError("W", f"is {rows} x {columns}, {has} and {_counted(inputs, 'input')}")
        if self.b is not None and len(self.b) != self.units:
            raise ConfigError("b", f"has {_counted(len(self.b), 'number')}, {has}")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, kw_only=True)
class Draws(Section):
    """In which order the first weights and biases are drawn, and what is drawn before them."""

    order: str = entry(
        DRAW_ORDERS[0],
        doc="each layer's W, then its b; or all W, then all b; or each layer's b, then its W",
        choices=DRAW_ORDERS,
    )
    transposed: bool = entry(False, doc="weights are drawn as inputs x units, and transposed")
    skip_uniform: int = entry(
        0, doc="uniform numbers drawn before and thrown away", low=0, high=MOST_SKIPPED
    )
    skip_normal: int = entry(
        0, doc="after these, normal numbers drawn and thrown away", low=0, high=MOST_SKIPPED
    )
