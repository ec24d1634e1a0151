"""Equations of an update, and the place in a network whose equations are wanted."""

from dataclasses import dataclass

from nntui.core.formulas.expression import Expression
from nntui.core.parts.faults import Fault
from nntui.core.tape import Array
from nntui.timeline.microscope.computed import Computed
from nntui.timeline.microscope.numeric_formula import Quantity


@dataclass(frozen=True)
class Equation:
    """``name = expression = value``, as one update computed it."""

    tensor: str
    """The tensor with which it becomes known; with ``layer`` it tells the sub-step."""
    layer: int
    name: str
    expression: Expression
    value: float
    """What the update has here; the expression comes to the same but for rounding."""
    why: str = ""
    """What it is, in a few words."""
    notes: tuple[str, ...] = ()
    """What is to be noticed: zeros above all."""
    faults: tuple[Fault, ...] = ()
    """The faults that change this very equation."""


@dataclass(frozen=True)
class Place:
    """A unit, a sample of the batch and one of the unit's weights in a computed update."""

    computed: Computed
    layer: int
    unit: int
    sample: int
    """Its number in the batch."""
    column: int | None
    """The number of the weight; None is the bias."""

    @property
    def last(self) -> int:
        """The output layer."""
        return len(self.computed.configuration.layers) - 1

    @property
    def faults(self) -> list[Fault]:
        """Those of the layer."""
        return self.computed.faults[self.layer]

    @property
    def over_samples(self) -> bool:
        """Whether a fault sums over the samples what the layer's activation sums over the units."""
        mixes = not self.computed.function(self.layer).backward.is_elementwise
        return mixes and any(each.over_samples for each in self.faults)

    @property
    def normalised(self) -> bool:
        """Whether the layer is normalised."""
        return ("h", self.layer) in self.computed.tensors

    @property
    def letter(self) -> str:
        """``W`` or ``b``."""
        return "b" if self.column is None else "W"

    @property
    def parameter(self) -> str:
        """The weight or the bias, as it is called."""
        return "b" if self.column is None else f"w[{self.column}]"

    @property
    def bias(self) -> Quantity | None:
        """The unit's bias."""
        b = self.computed.before.get(("b", self.layer))
        return None if b is None else Quantity(float(b[self.unit, 0]), "b")

    @property
    def spread(self) -> Quantity:
        """By what the layer is divided when it is normalised."""
        return Quantity(
            float(self.computed.tensors["spread", self.layer][0, self.sample]), "spread"
        )

    def at(self, tensor: str) -> float:
        """The unit's number on the sample."""
        return float(self.computed.tensors[tensor, self.layer][self.unit, self.sample])

    def units(self, tensor: str, layer: int) -> Array:
        """All units of ``layer`` on the sample, (units,)."""
        return self.computed.tensors[tensor, layer][:, self.sample]

    def own(self, parameters: Array) -> float:
        """The weight's, or the bias's, own number in something of the shape of W, or of b."""
        return float(parameters[self.unit, 0 if self.column is None else self.column])


def numbers(values: Array, name: str) -> tuple[Quantity, ...]:
    """``values``, (n,), each called ``name``."""
    return tuple(Quantity(float(value), name) for value in values)


def counted(count: int, of: int, what: str) -> str:
    """Such as ``3 of 4 samples``."""
    return f"{count:,} of {of:,} {what}{'' if of == 1 else 's'}"
