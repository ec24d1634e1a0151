"""One update in NumPy: forward pass, backpropagation by hand, and the optimiser's step."""

from collections.abc import Iterator

from nntui.core.settings.configuration import Configuration, Layer
from nntui.export.functions import NUMPY
from nntui.export.plan import REPLACES_BIAS_GRADIENT, LayerPlan, has_memory, plan
from nntui.export.remarks import Remarks
from nntui.export.script_text import assigned, listed, times

LOSSES = {
    "squared-error": "np.sum(error**2)",
    "half-squared-error": "0.5 * np.sum(error**2)",
    "half-absolute-error": "0.5 * np.sum(np.abs(error))",
    "binary-cross-entropy": "binary_cross_entropy({z}, {y})",
    "categorical-cross-entropy": "categorical_cross_entropy({z}, {y})",
}
GRADIENTS = {
    "squared-error": "2.0 * error",
    "half-squared-error": "error",
    "half-absolute-error": "0.5 * np.sign(error)",
    "binary-cross-entropy": "error",
    "categorical-cross-entropy": "error",
}
"""dL/da of a sample, or dL/dz where the loss goes through the activation at once."""

STEPS = {
    "rmsprop": ("rmsprop_step", "s"),
    "adam": ("adam_step", "ms"),
    "sgd": ("momentum_step", "v"),
    "nesterov": ("nesterov_step", "v"),
}
"""Optimisers with a memory: the function, and the letters of what it remembers."""


def value_of(layer: Layer, z: str) -> str:
    """The activation of ``layer`` at ``z``."""
    return {
        "identity": z,
        "relu": f"np.maximum({z}, 0.0)",
        "leaky-relu": f"np.where({z} > 0, {z}, {layer.leak!r} * {z})",
        "tanh": f"np.tanh({z})",
        "sigmoid": f"sigmoid({z})",
        "elu": f"np.where({z} > 0, {z}, {times(layer.alpha, f'np.expm1(np.minimum({z}, 0.0))')})",
        "gelu": f"gelu({z})",
        "softplus": f"np.logaddexp({z}, 0.0)",
        "softmax": f"softmax({z})",
    }[layer.activation]


def slope_of(layer: Layer, z: str, a: str) -> str:
    """The derivative of the activation at ``z``, where it has the value ``a``, as a factor."""
    above = f"{z} >= 0" if layer.kink == "right" else f"{z} > 0"
    leaky = f"np.where({above}, 1.0, {layer.leak!r})"
    if layer.kink == "zero":
        leaky = f"np.where({z} == 0, 0.0, {leaky})"
    return {
        "identity": "",
        "relu": f"({above})",
        "leaky-relu": leaky,
        "tanh": f"(1.0 - {a}**2)",
        "sigmoid": f"{a} * (1.0 - {a})",
        "elu": f"np.where({z} > 0, 1.0, {times(layer.alpha, f'np.exp(np.minimum({z}, 0.0))')})",
        "gelu": f"gelu_slope({z})",
        "softplus": f"sigmoid({z})",
        "softmax": f"{a} * (1.0 - {a})",
    }[layer.activation]


class NumpyScript:
    """The target ``numpy``."""

    library = "NumPy"
    functions = NUMPY
    preparations = ()

    def __init__(self, configuration: Configuration, remarks: Remarks) -> None:
        self._training = configuration.training
        self._configuration, self._remarks = configuration, remarks
        self.layers = plan(configuration)
        self._step = STEPS[self._training.optimiser] if has_memory(self._training) else None

    def trained(self, drawn: str) -> str:
        """The expression ``drawn``, made something that can be trained."""
        return drawn

    def given(self, name: str) -> str:
        """The array ``name`` of data as `forward` takes it."""
        return name

    def array(self, expression: str) -> str:
        """What `forward` or the training made of an array, as an array again."""
        return expression

    def reported(self, y: str) -> tuple[list[str], str]:
        """The reported loss summed over a batch: statements that it needs, and an expression."""
        last = self.layers[-1]
        loss = LOSSES[self._configuration.report.loss].format(z=f"z{last.k}", y=y)
        return [f"error = {last.out} - {y}"], loss

    def setup(self) -> Iterator[str]:
        """What the optimiser remembers, before the first update."""
        if self._step is not None:
            yield f"# What {self._training.optimiser} remembers from update to update."
            for letter in self._step[1]:
                for each in self.layers:
                    names = ", ".join(f"{letter}{name}" for name in each.tensors)
                    zeros = ", ".join(f"np.zeros_like({name})" for name in each.tensors)
                    yield f"{names} = {zeros}"

    def before_loop(self) -> Iterator[str]:
        """Statements right before the loop over the epochs."""
        if self._training.optimiser == "adam":
            yield "t = 0"

    def rates(self) -> Iterator[str]:
        """What a new learning rate is told to: nothing, for it is an argument here."""
        yield from ()

    def forward(self) -> Iterator[str]:
        """The forward pass of ``x``."""
        seen = "x"
        for each in self.layers:
            k, bias = each.k, f" + b{each.k}" if each.has_bias else ""
            yield f"z{k} = {seen} @ W{k}.T{'' if each.bias_is_late else bias}"
            yield f"{each.value} = {value_of(each.layer, f'z{k}')}"
            if each.bias_is_late:
                yield from self._remarks.fault("bias-after-activation")
                yield f"a{k} = f{k}{bias}"
            if each.layer.normalise:
                yield f"h{k} = normalise(a{k})"
            seen = each.out

    def update(self, x: str, y: str, rate: str) -> Iterator[str]:
        """One update from the batch ``x``, ``y``, behind its forward pass."""
        mean = self._training.reduction == "mean" and self._configuration.batch_size > 1
        upstream = GRADIENTS[self._training.loss] + (f" / len({x})" if mean else "")
        error, reported = self.reported(y)
        yield from error
        yield f"total += {reported}"
        if self._step is not None and self._step[0] == "adam_step":
            yield "t += 1"
        for each in reversed(self.layers):
            k, below = each.k, self.layers[each.k - 1].out if each.k else x
            yield f"\n# Layer {k}, backwards"
            yield from self._delta(each, upstream)
            yield f"gW{k} = delta{k}.T @ {below}"
            yield from self._gradients(each, x)
            if each.is_stepped_first:
                yield from self._remarks.fault("update-before-backprop")
                yield from self._steps(each.tensors, rate)
            if k:
                yield from self._back(each)
            upstream = f"upstream{k - 1}"
        late = [name for each in self.layers if not each.is_stepped_first for name in each.tensors]
        if late:
            yield "\n# The step"
            yield from self._steps(late, rate)

    def _delta(self, each: LayerPlan, upstream: str) -> Iterator[str]:
        k, used = each.k, each.derivative
        if each.is_fused:
            yield f"delta{k} = {upstream}"
            return
        if each.layer.normalise:
            yield f"upstream{k} = through_normalise({upstream}, a{k}, h{k})"
            upstream = f"upstream{k}"
        if used.fault is not None:
            yield from self._remarks.fault(used.fault)
        place = f"a{k}" if used.at_value else f"z{k}"
        value = each.value
        if used.at_value or used.diagonal:
            value = value_of(used.of, place)
        if used.of.activation == "softmax" and not used.diagonal:
            yield f"delta{k} = through_softmax({upstream}, {value})"
        else:
            slope = slope_of(used.of, place, value)
            yield f"delta{k} = {upstream}{f' * {slope}' if slope else ''}"

    def _gradients(self, each: LayerPlan, x: str) -> Iterator[str]:
        """The bias's gradient, the penalties', and what faults make of them."""
        k, training = each.k, self._training
        replaced = any(fault.name in REPLACES_BIAS_GRADIENT for fault in each.faults)
        known = [f"W{k}"]
        if each.has_bias and not replaced:
            yield f"gb{k} = delta{k}.sum(axis=0)"
            known.append(f"b{k}")
        if training.l2:
            yield f"gW{k} += L2 * W{k}"
        if training.l1:
            yield f"gW{k} += L1 * np.sign(W{k})"
        for fault in each.faults:
            change = each.change_by(fault, x)
            match fault.name:
                case "bias-decay" if each.has_bias:
                    yield from self._remarks.fault(fault.name)
                    yield f"gb{k} = b{k}.copy()"
                case "frozen-bias" if each.has_bias:
                    yield from self._remarks.fault(fault.name)
                    yield f"gb{k} = np.zeros_like(b{k})"
            if fault.name in REPLACES_BIAS_GRADIENT and each.has_bias:
                known = each.tensors
            if change:
                yield from self._remarks.fault(fault.name)
                yield from (f"g{name} {change}" for name in known)

    def _back(self, each: LayerPlan) -> Iterator[str]:
        """The gradient for the layer below."""
        weights = f"W{each.k}"
        if each.has("no-weights-in-backprop"):
            yield from self._remarks.fault("no-weights-in-backprop")
            weights = f"np.ones_like({weights})"
        yield f"upstream{each.k - 1} = delta{each.k} @ {weights}"

    def _steps(self, names: list[str], rate: str) -> Iterator[str]:
        """The optimiser's step of the parameters ``names``, clipped together."""
        gradients = [f"g{name}" for name in names]
        for clip in ("clip_value", "clip_norm"):
            if getattr(self._training, clip) is not None:
                yield assigned(gradients, listed(f"{clip}(", gradients, ")"))
        for name in names:
            if self._step is None:
                yield f"{name} -= {rate} * g{name}"
                continue
            function, letters = self._step
            slots = [f"{letter}{name}" for letter in letters]
            count = ["t"] if function == "adam_step" else []
            yield listed(f"{function}(", [name, f"g{name}", *slots, *count, rate], ")")
