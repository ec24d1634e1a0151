"""LayerPlan: for each layer of a script, its faults and the names of its arrays."""

from dataclasses import dataclass
from functools import cached_property

from nntui.core.engine.network import activation_of, backward_of, faults_by_layer
from nntui.core.engine.reported_loss import is_unscaled
from nntui.core.engine.update import clips
from nntui.core.formulas.expression import Expression, Name
from nntui.core.formulas.parsing import formula
from nntui.core.parts.activations import Activation, Backward
from nntui.core.parts.faults import Fault
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.layer_settings import Layer


@dataclass(frozen=True)
class LayerPlan:
    """One layer of a script; ``k`` numbers its arrays, as in ``W0``."""

    configuration: Configuration
    k: int

    @property
    def layer(self) -> Layer:
        return self.configuration.layers[self.k]

    @cached_property
    def faults(self) -> list[Fault]:
        """The layer's faults, in the order of the preset."""
        return faults_by_layer(self.configuration)[self.k]

    @cached_property
    def activation(self) -> Activation:
        return activation_of(self.layer)

    @property
    def has_bias(self) -> bool:
        return self.layer.bias != "none"

    @property
    def late(self) -> Fault | None:
        """The fault that adds the bias after the activation."""
        late = (each for each in self.faults if each.bias_after_activation)
        return next(late, None) if self.has_bias else None

    @property
    def is_last(self) -> bool:
        return self.k == len(self.configuration.layers) - 1

    @property
    def is_fused(self) -> bool:
        """Whether the loss is differentiated together with this layer's activation."""
        return self.is_last and LOSSES[self.configuration.training.loss].needs_output is not None

    @property
    def early(self) -> Fault | None:
        """The fault by which the layer is updated before the gradient passes below.

        In the lowest layer this matters only for clipping, which is then done per layer.
        """
        early = (each for each in self.faults if each.updates_before_backprop)
        return next(early, None) if self.k > 0 or clips(self.configuration) else None

    @property
    def backs(self) -> list[Fault]:
        """The faults that change the weights that pass the gradient back."""
        values = self._no_penalties
        return [each for each in self.faults if each.down(Name("W"), values) != Name("W")]

    @cached_property
    def back(self) -> Expression:
        """What passes the gradient back, over ``W``, ``rate``, ``l1`` and ``l2``."""
        W: Expression = Name("W")
        for each in self.faults:
            W = each.down(W, self._no_penalties)
        return W

    @property
    def _no_penalties(self) -> dict[str, float]:
        training = self.configuration.training
        return {name: 0.0 for name in ("l1", "l2") if not getattr(training, name)}

    @property
    def error_down(self) -> Fault | None:
        """The fault that passes dL/da instead of delta to the layer below, if there is one."""
        found = (each for each in self.faults if each.error_down)
        return next(found, None) if self.k > 0 and not self.is_fused else None

    @property
    def over_samples(self) -> Fault | None:
        """The fault that normalises the layer's softmax over the samples."""
        found = (each for each in self.faults if each.over_samples)
        return None if self.activation.backward.is_elementwise else next(found, None)

    @property
    def placed(self) -> Fault | None:
        """The fault that replaces the weights' gradient."""
        return next((each for each in reversed(self.faults) if each.weights_gradient), None)

    @property
    def slope_fault(self) -> Fault | None:
        """The last fault that changes the slope."""
        wrong = (each for each in reversed(self.faults) if each.slope or each.slope_at_output)
        return None if self.is_fused else next(wrong, None)

    @cached_property
    def backward(self) -> Backward:
        """The slope and delta in use; each fault changes the result of the one before."""
        return backward_of(self.activation, self.faults)

    def handed(self, fault: Fault, of_bias: bool) -> Expression | None:
        """What ``fault`` passes to the optimiser for a gradient ``g``; None if unchanged."""
        mean = float(self.configuration.training.reduction == "mean")
        values: dict[str, Expression | float] = {"mean": mean}
        if self.configuration.batch_size == 1:
            values["samples"] = 1.0
        handed = fault.handed(of_bias, values)
        return None if handed == Name("g") else handed

    @property
    def tensors(self) -> list[str]:
        """The names of its parameters, such as ``W0`` and ``b0``."""
        return [f"W{self.k}", f"b{self.k}"] if self.has_bias else [f"W{self.k}"]

    @property
    def value(self) -> str:
        """The name of f(z): ``a0``, or ``f0`` if a fault adds the bias afterwards."""
        return f"{'f' if self.late else 'a'}{self.k}"

    @property
    def out(self) -> str:
        """The name of the layer's output: ``a0``, or ``h0`` if it is normalised."""
        return f"{'h' if self.layer.normalise else 'a'}{self.k}"

    @property
    def names(self) -> dict[str, str]:
        """The names in the script of the variables of formulas."""
        return {"z": f"z{self.k}", "a": f"a{self.k}", "f": self.value, "W": f"W{self.k}"}


def reported_term(configuration: Configuration) -> Expression:
    """The reported loss of one output, over ``error``, ``z`` and ``y``, and perhaps ``units``."""
    term = LOSSES[configuration.report.loss].term
    return term.bound({"error": formula("error*units")}) if is_unscaled(configuration) else term


def plan(configuration: Configuration) -> list[LayerPlan]:
    """The plans of all layers, starting at the input."""
    return [LayerPlan(configuration, k) for k in range(len(configuration.layers))]


def word(text: str) -> str:
    """A Python name for a function of a script that computes ``text``."""
    made = "".join(each if each.isalnum() else "_" for each in text)
    return made if made.isidentifier() and len(made) <= 20 else "activation"
