"""One update in PyTorch: autograd wherever the preset is right, and by hand where a fault is."""

from collections.abc import Iterator

from nntui.core.settings.configuration import Configuration, Layer
from nntui.export.functions import PYTORCH
from nntui.export.plan import LayerPlan, has_memory, plan
from nntui.export.remarks import Remarks
from nntui.export.script_text import listed

LOSSES = {
    "squared-error": "(({a} - {y}) ** 2).sum()",
    "half-squared-error": "(({a} - {y}) ** 2 / 2).sum()",
    "half-absolute-error": "(({a} - {y}).abs() / 2).sum()",
    "binary-cross-entropy": 'F.binary_cross_entropy_with_logits({z}, {y}, reduction="sum")',
    "categorical-cross-entropy": 'F.cross_entropy({z}, {y}, reduction="sum")',
}
OPTIMISERS = {
    "sgd": ("SGD", {"momentum": "MOMENTUM"}),
    "nesterov": ("SGD", {"momentum": "MOMENTUM", "nesterov": "True"}),
    "rmsprop": ("RMSprop", {"alpha": "RHO", "eps": "EPSILON"}),
    "adam": ("Adam", {"betas": "(BETA1, BETA2)", "eps": "EPSILON"}),
}


def value_of(layer: Layer, z: str) -> str:
    """The activation of ``layer`` at ``z``, which autograd differentiates as nntui does."""
    leak = f"{layer.leak!r} * {z}"
    leaky = f"F.leaky_relu({z}, {layer.leak!r})"
    relu = f"torch.relu({z})"
    if layer.kink == "right":
        leaky, relu = f"torch.where({z} >= 0, {z}, {leak})", f"torch.where({z} >= 0, {z}, 0.0)"
    elif layer.kink == "zero":
        leaky = f"torch.where({z} > 0, {z}, torch.where({z} < 0, {leak}, 0.0))"
    return {
        "identity": z,
        "relu": relu,
        "leaky-relu": leaky,
        "tanh": f"torch.tanh({z})",
        "sigmoid": f"torch.sigmoid({z})",
        "elu": f"F.elu({z}, {layer.alpha!r})",
        "gelu": f'F.gelu({z}, approximate="tanh")',
        "softplus": f"F.softplus({z}, threshold=40.0)",
        "softmax": f"torch.softmax({z}, dim=1)",
    }[layer.activation]


class PytorchScript:
    """The target ``pytorch``."""

    library = "PyTorch"
    functions = PYTORCH
    preparations = ("torch.set_default_dtype(torch.float64)",)

    def __init__(self, configuration: Configuration, remarks: Remarks) -> None:
        self._configuration, self._training = configuration, configuration.training
        self._remarks = remarks
        self.layers = plan(configuration)
        self._early = [each for each in self.layers if each.is_stepped_first]
        late = [each for each in self.layers if not each.is_stepped_first]
        self._late = [name for each in late for name in each.tensors]

    def trained(self, drawn: str) -> str:
        """The expression ``drawn``, made something that can be trained."""
        return f"torch.tensor({drawn}, requires_grad=True)"

    def given(self, name: str) -> str:
        """The array ``name`` of data as `forward` takes it."""
        return f"torch.tensor({name})"

    def array(self, expression: str) -> str:
        """What `forward` or the training made of an array, as an array again."""
        return f"{expression}.detach().numpy()"

    def reported(self, y: str) -> tuple[list[str], str]:
        """The reported loss summed over a batch: statements that it needs, and an expression."""
        return [], f"{self._loss(self._configuration.report.loss, y)}.item()"

    def _loss(self, name: str, y: str) -> str:
        last = self.layers[-1]
        return LOSSES[name].format(a=last.out, z=f"z{last.k}", y=y)

    def setup(self) -> Iterator[str]:
        """The tensors of the data, and the optimisers."""
        yield "x, y = torch.tensor(x), torch.tensor(y)"
        names = [name for each in self.layers for name in each.tensors]
        yield listed("parameters = [", names, "]")
        for each in self._early:
            yield self._optimiser(f"optimiser{each.k}", listed("[", each.tensors, "]"))
        if self._late:
            late = listed("[", self._late, "]") if self._early else "parameters"
            yield self._optimiser("optimiser", late)

    def before_loop(self) -> Iterator[str]:
        """Statements right before the loop over the epochs."""
        yield from ()

    def rates(self) -> Iterator[str]:
        """Tell a new learning rate to the optimisers."""
        names = [f"optimiser{each.k}" for each in self._early] + ["optimiser"] * bool(self._late)
        for name in names:
            yield f'{name}.param_groups[0]["lr"] = rate'

    def forward(self) -> Iterator[str]:
        """The forward pass of ``x``, with those faults in it that autograd has to be told."""
        seen = "x"
        for each in self.layers:
            k = each.k
            yield from self._affine(each, seen)
            yield f"{each.value} = {value_of(each.layer, f'z{k}')}"
            if not each.is_fused and each.derivative.fault is not None:
                yield from self._wrong_derivative(each)
            if each.bias_is_late:
                yield f"a{k} = f{k} + b{k}.detach()"
            if each.layer.normalise:
                yield f"h{k} = F.layer_norm(a{k}, ({each.layer.units},))"
            seen = each.out

    def _affine(self, each: LayerPlan, seen: str) -> Iterator[str]:
        k, below = each.k, ""
        if k and each.is_stepped_first:
            yield f"# {seen} is cut off: its gradient is passed on by hand, see below."
            seen = f"{seen}.detach()"
        elif k and each.has("no-weights-in-backprop"):
            yield from self._remarks.fault("no-weights-in-backprop")
            below = f" + ({seen} - {seen}.detach()) @ torch.ones_like(W{k}).T"
            seen = f"{seen}.detach()"
        bias = f" + b{k}" if each.has_bias else ""
        if each.bias_is_late:
            yield from self._remarks.fault("bias-after-activation")
            bias = f" + (b{k} - b{k}.detach())"  # 0, but the gradient goes there
        yield f"z{k} = {seen} @ W{k}.T{bias}{below}"

    def _wrong_derivative(self, each: LayerPlan) -> Iterator[str]:
        k, used = each.k, each.derivative
        yield from self._remarks.fault(str(used.fault))
        place = f"z{k}"
        if used.at_value:
            late = f"{each.value} + b{k}" if each.bias_is_late else each.value
            place = f"place{k}"
            yield f"{place} = as_if({late}, z{k})"
        if used.diagonal and used.of.activation == "softmax":
            yield f"share{k} = torch.softmax({place}, dim=1).detach()"
            other = f"share{k} * (1.0 - share{k}) * z{k}"
        else:
            other = value_of(used.of, place)
        yield f"{each.value} = as_if({each.value}, {other})"

    def update(self, x: str, y: str, rate: str) -> Iterator[str]:
        """One update from the batch ``x``, ``y``, behind its forward pass."""
        last, training = self.layers[-1], self._training
        yield f"total += {self.reported(y)[1]}"
        loss = self._loss(training.loss, y)
        if last.is_fused and last.bias_is_late:
            loss = f"(({last.out} - {y}).detach() * z{last.k}).sum()"
        mean = training.reduction == "mean" and self._configuration.batch_size > 1
        yield f"loss = {loss}{f' / len({x})' if mean else ''}"
        if training.l2:
            squares = [f"(W{each.k}**2).sum()" for each in self.layers]
            yield listed("loss = loss + L2 / 2 * sum([", squares, "])")
        if training.l1:
            sizes = [f"abs(W{each.k}).sum()" for each in self.layers]
            yield listed("loss = loss + L1 * sum([", sizes, "])")
        cut = [each for each in self._early if each.k]
        yield from (f"z{each.k}.retain_grad()" for each in cut)
        yield "for p in parameters:\n    p.grad = None"
        yield "loss.backward()"
        for each in reversed(self.layers):
            yield from self._gradients(each, x)
            if each.is_stepped_first:
                yield from self._remarks.fault("update-before-backprop")
                yield from self._step(f"optimiser{each.k}", each.tensors)
            if each in cut:
                yield from self._back(each)
        if self._late:
            yield from self._step("optimiser", self._late)

    def _gradients(self, each: LayerPlan, x: str) -> Iterator[str]:
        """What faults make of a layer's gradients."""
        k = each.k
        for fault in each.faults:
            change = each.change_by(fault, x)
            match fault.name:
                case "bias-decay" if each.has_bias:
                    yield from self._remarks.fault(fault.name)
                    yield f"b{k}.grad = b{k}.detach().clone()"
                case "frozen-bias" if each.has_bias:
                    yield from self._remarks.fault(fault.name)
                    yield f"b{k}.grad = torch.zeros_like(b{k})"
            if change:
                yield from self._remarks.fault(fault.name)
                yield from (f"{name}.grad {change}" for name in each.tensors)

    def _back(self, each: LayerPlan) -> Iterator[str]:
        """The gradient for the layer below, passed through weights that have changed."""
        k, weights = each.k, f"W{each.k}.detach()"
        if each.has("no-weights-in-backprop"):
            yield from self._remarks.fault("no-weights-in-backprop")
            weights = f"torch.ones_like(W{k})"
        yield f"{self.layers[k - 1].out}.backward(z{k}.grad @ {weights})"

    def _step(self, optimiser: str, names: list[str]) -> Iterator[str]:
        for clip in ("clip_value", "clip_norm"):
            if getattr(self._training, clip) is not None:
                yield listed(f"{clip}(", names, ")")
        yield f"{optimiser}.step()"

    def _optimiser(self, name: str, tensors: str) -> str:
        kind, settings = OPTIMISERS[self._training.optimiser]
        told = [f"{key}={value}" for key, value in settings.items()]
        if not has_memory(self._training):
            told = []
        return listed(f"{name} = torch.optim.{kind}(", [tensors, "lr=RATE", *told], ")")
