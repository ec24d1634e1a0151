"""What a script has to say about each layer: names of arrays, and which faults are in it."""

from dataclasses import dataclass

from nntui.core.engine.update import clips
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration, FaultEntry, Layer, Training

REPLACES_BIAS_GRADIENT = ("bias-decay", "frozen-bias")


@dataclass(frozen=True)
class Derivative:
    """The derivative that backpropagation uses: of which activation, and where it is evaluated."""

    of: Layer
    at_value: bool = False
    """At the activation ``a``, where ``z`` belongs."""
    diagonal: bool = False
    """Of softmax: without what lies beside the diagonal."""
    fault: str | None = None


@dataclass(frozen=True)
class LayerPlan:
    """One layer of a script; ``k`` numbers its arrays, as in ``W0``."""

    configuration: Configuration
    k: int

    @property
    def layer(self) -> Layer:
        return self.configuration.layers[self.k]

    @property
    def faults(self) -> list[FaultEntry]:
        """In the order in which the preset lists them."""
        return [each for each in self.configuration.faults if each.concerns(self.k)]

    def has(self, fault: str) -> bool:
        return any(each.name == fault for each in self.faults)

    def change_by(self, fault: FaultEntry, x: str) -> str:
        """What ``fault`` does to all gradients of the layer, such as ``*= -1.0``; often nothing."""
        match fault.name:
            case "wrong-sign":
                return "*= -1.0"
            case "wrong-factor":
                return f"*= {2.0 if fault.factor is None else fault.factor!r}"
            case "sum-for-mean" if self.configuration.batch_size > 1:
                mean = self.configuration.training.reduction == "mean"
                return f"{'*=' if mean else '/='} len({x})"
        return ""

    @property
    def has_bias(self) -> bool:
        return self.layer.bias != "none"

    @property
    def bias_is_late(self) -> bool:
        return self.has_bias and self.has("bias-after-activation")

    @property
    def is_last(self) -> bool:
        return self.k == len(self.configuration.layers) - 1

    @property
    def is_fused(self) -> bool:
        """Whether the loss is differentiated through this layer's activation at once."""
        return self.is_last and LOSSES[self.configuration.training.loss].needs_output is not None

    @property
    def is_stepped_first(self) -> bool:
        """Whether the layer makes its own step before the gradient goes down.

        In the lowest layer that is felt only by the clipping, which is then its own too.
        """
        early = self.has("update-before-backprop")
        return early and (self.k > 0 or clips(self.configuration))

    @property
    def tensors(self) -> list[str]:
        """The letters of its parameters with their number."""
        return [f"W{self.k}", f"b{self.k}"] if self.has_bias else [f"W{self.k}"]

    @property
    def value(self) -> str:
        """The activation function of z: a, unless the bias comes late."""
        return f"{'f' if self.bias_is_late else 'a'}{self.k}"

    @property
    def out(self) -> str:
        """What the next layer sees."""
        return f"{'h' if self.layer.normalise else 'a'}{self.k}"

    @property
    def derivative(self) -> Derivative:
        """Whose derivative is used; each fault sees what the one before left."""
        used = Derivative(self.layer)
        for each in self.faults:
            if each.name == "derivative":
                other = Layer(units=self.layer.units, activation=each.of or "identity")
                used = Derivative(other, diagonal=True, fault=each.name)
            elif each.name == "derivative-at-a":
                used = Derivative(used.of, True, used.diagonal, each.name)
        return used


def plan(configuration: Configuration) -> list[LayerPlan]:
    """The plans of all layers, from the input."""
    return [LayerPlan(configuration, k) for k in range(len(configuration.layers))]


def has_memory(training: Training) -> bool:
    """Whether the optimiser carries anything from update to update."""
    return training.optimiser not in ("sgd", "nesterov") or training.momentum > 0.0
