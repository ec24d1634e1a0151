"""Writes one update in PyTorch: by autograd where the preset is correct, explicitly for faults."""

from collections.abc import Iterable, Iterator

from nntui.core.engine.data import loss_slope
from nntui.core.engine.reported_loss import is_unscaled
from nntui.core.engine.update import clips, optimiser_of
from nntui.core.formulas.expression import Expression
from nntui.core.formulas.printing import TorchPrinter
from nntui.core.parts.activations import ACTIVATIONS, Activation
from nntui.core.parts.losses import LOSSES, Loss
from nntui.core.settings.configuration import Configuration
from nntui.export.fault_comments import FaultComments
from nntui.export.formatting import indented, listed
from nntui.export.plan import LayerPlan, plan, reported_term, word
from nntui.export.script_functions import ENDS, PYTORCH, FormulaWriter, step_function, with_shape


class PytorchScript:
    """Writes the update for the target ``pytorch``."""

    library = "PyTorch"
    preparations = ("torch.set_default_dtype(torch.float64)",)

    def __init__(self, configuration: Configuration, comments: FaultComments) -> None:
        self._configuration, self._training = configuration, configuration.training
        self._comments = comments
        self.layers = plan(configuration)
        self._early = [each for each in self.layers if each.early]
        self._cut = [
            each
            for each in self.layers
            if each.k and (each.early or each.error_down or "rate" in each.back.names)
        ]
        """Layers that pass the gradient down explicitly."""
        late = [each for each in self.layers if not each.early]
        self._late = [name for each in late for name in each.tensors]
        self._rule, self._clips = optimiser_of(configuration), clips(configuration)
        self._formulas = FormulaWriter(TorchPrinter)
        self.functions = dict(PYTORCH)
        self._step_name = f"{word(self._rule.name)}_step"
        if not self._rule.is_in_torch:
            self.functions[self._step_name] = step_function(self._rule, self._step_name, "torch")

    def definitions(self) -> list[str]:
        """The functions that the formulas need."""
        return self._formulas.definitions()

    def trained(self, drawn: str) -> str:
        """The drawn array as a trainable tensor."""
        return f"torch.tensor({drawn}, requires_grad=True)"

    def given(self, name: str) -> str:
        """The data array ``name`` as an argument of `forward`."""
        return f"torch.tensor({name})"

    def array(self, expression: str) -> str:
        """A result of `forward` or of training as a NumPy array."""
        return f"{expression}.detach().numpy()"

    def reported(self, y: str) -> tuple[list[str], str]:
        """The reported loss summed over a batch: statements that it needs, and an expression."""
        loss = LOSSES[self._configuration.report.loss]
        return [], f"{self._loss(loss, reported_term(self._configuration), y)}.item()"

    def penalty(self, term: Expression, W: str) -> str:
        """The source of a penalty's ``term`` of w."""
        return TorchPrinter({"w": W}).text(term)

    def _loss(self, loss: Loss, term: Expression, y: str) -> str:
        last = self.layers[-1]
        names = {"error": f"{last.out} - {y}", "z": f"z{last.k}", "y": y}
        if loss.torch:
            return loss.torch.format(**names)
        return f"({self._formulas.text(term, names, word(loss.name))}).sum()"

    def _followed(self, y: str) -> str:
        """What autograd differentiates: the training loss, or a product with the same gradient."""
        last, loss = self.layers[-1], LOSSES[self._training.loss]
        followed = loss.torch and last.late is None and last.over_samples is None
        if not last.is_fused or followed:
            return self._loss(loss, loss.term, y)
        names = {"error": f"({last.out} - {y})", "z": f"z{last.k}", "y": y}
        slope = self._formulas.text(
            loss_slope(self._configuration), names, f"slope_of_{word(loss.name)}"
        )
        return f"(({slope}).detach() * z{last.k}).sum()"

    def setup(self) -> Iterator[str]:
        """The tensors of the data, and the optimisers."""
        yield "x, y = torch.tensor(x), torch.tensor(y)"
        if is_unscaled(self._configuration):
            yield "units = torch.tensor(units)"
        names = [name for each in self.layers for name in each.tensors]
        yield listed("parameters = [", names, "]")
        if not self._rule.is_in_torch:
            for letter, _ in self._rule.assignments[:-1]:
                for name in names:
                    yield f"{letter}{name} = torch.zeros_like({name})"
            return
        for each in self._early:
            yield self._optimiser(f"optimiser{each.k}", listed("[", each.tensors, "]"))
        if self._late:
            late = listed("[", self._late, "]") if self._early else "parameters"
            yield self._optimiser("optimiser", late)

    def before_loop(self) -> Iterator[str]:
        """Statements directly before the loop over the epochs."""
        yield "finite = True"
        if not self._rule.is_in_torch and self._rule.counts:
            yield "t = 0"

    def rates(self) -> Iterator[str]:
        """Statements that pass a new learning rate to the optimisers."""
        for name in self._optimisers if self._rule.is_in_torch else ():
            yield f'{name}.param_groups[0]["lr"] = rate'

    def forward(self) -> Iterator[str]:
        """Statements of the forward pass of ``x``, with the faults that autograd must follow."""
        seen = "x"
        for each in self.layers:
            k = each.k
            yield from self._affine(each, seen)
            if each.over_samples is not None:
                yield from self._comments.fault(each.over_samples)
                yield f"{each.value} = {self._value(each, f'z{k}.T')}.T"
                if each.slope_fault is None:
                    # Backpropagation through the softmax as it should be, with the wrong shares.
                    yield f"p{k} = {each.value}.detach()"
                    through = f"p{k} * (z{k} - (p{k} * z{k}).sum(dim=1, keepdim=True))"
                    yield f"{each.value} = as_if({each.value}, {through})"
                else:
                    yield from self._by_hand(each)
            elif each.slope_fault is None and self._is_followed(each.activation):
                yield f"{each.value} = {self._value(each, f'z{k}')}"
            else:
                yield f"{each.value} = {self._value(each, f'z{k}')}"
                yield from self._by_hand(each)
            if each.late:
                yield f"a{k} = f{k} + b{k}.detach()"
            if each.layer.normalise:
                yield f"h{k} = normalise(a{k})"
            seen = each.out

    def _affine(self, each: LayerPlan, seen: str) -> Iterator[str]:
        k, below = each.k, ""
        if each in self._cut:
            yield f"# {seen} is detached: its gradient is passed on explicitly, see below."
            seen = f"{seen}.detach()"
        elif k and each.backs:
            for fault in each.backs:
                yield from self._comments.fault(fault)
            yield f"back{k} = {self._weights_back(each, 'rate')}"
            below = f" + ({seen} - {seen}.detach()) @ back{k}.T"
            seen = f"{seen}.detach()"
        bias = f" + b{k}" if each.has_bias else ""
        if each.late:
            yield from self._comments.fault(each.late)
            bias = f" + (b{k} - b{k}.detach())"  # 0, but the gradient goes there
        yield f"z{k} = {seen} @ W{k}.T{bias}{below}"

    def _weights_back(self, each: LayerPlan, rate: str) -> str:
        """Source of the weights that pass the gradient back."""
        W = f"W{each.k}.detach()"
        names = {"W": W, "rate": rate, "l1": "L1", "l2": "L2"}
        text = self._formulas.text(each.back, names, word(each.backs[-1].name))
        shaped = with_shape(text, each.back, W, "torch")
        return shaped if shaped.endswith(")") and " " not in text else f"({shaped})"

    def _is_followed(self, activation: Activation) -> bool:
        """Whether autograd gives the same derivative of the activation as nntui."""
        if activation.name not in ACTIVATIONS and activation.slopes:
            return False
        if activation.torch:
            kink = activation.parameters.get("kink", "left")
            return kink == "left" or activation.slope == activation.with_kink("left").slope
        return bool(activation.value.names) and not activation.is_piecewise

    def _value(self, each: LayerPlan, z: str) -> str:
        activation = each.activation
        if activation.torch:
            return activation.torch.format(z=z, **activation.parameters)
        text = self._formulas.text(activation.value, {"z": z}, word(activation.name))
        return with_shape(text, activation.value, z, "torch")

    def _by_hand(self, each: LayerPlan) -> Iterator[str]:
        """Statements that give the activation's value another slope for autograd."""
        k, used = each.k, each.backward
        if each.slope_fault is not None:
            yield from self._comments.fault(each.slope_fault)
        late = f"({each.value} + b{k})" if each.late else each.value
        names = {"z": f"z{k}", "a": late, "f": each.value}
        if used.is_elementwise:
            slope = self._formulas.text(used.slope, names, f"slope_of_{word(used.label)}")
            shaped = with_shape(slope, used.slope, f"z{k}", "torch")
            yield f"slope{k} = ({shaped}).detach()"
            yield f"{each.value} = as_if({each.value}, slope{k} * z{k})"
            return
        # The whole Jacobian of a softmax, evaluated at the output instead of z.
        yield f"place{k} = as_if({late}, z{k})"
        yield f"{each.value} = as_if({each.value}, {self._value(each, f'place{k}')})"

    def update(self, x: str, y: str, rate: str) -> Iterator[str]:
        """Statements of one update from the batch ``x``, ``y``, after its forward pass."""
        training = self._training
        if not self._configuration.report.covers_all:
            yield f"total += {self.reported(y)[1]}"
        mean = training.reduction == "mean" and self._configuration.batch_size > 1
        yield f"loss = {self._followed(y)}{f' / len({x})' if mean else ''}"
        if training.l2:
            squares = [f"(W{each.k}**2).sum()" for each in self.layers]
            yield listed("loss = loss + L2 / 2 * sum([", squares, "])")
        if training.l1:
            sizes = [f"abs(W{each.k}).sum()" for each in self.layers]
            yield listed("loss = loss + L1 * sum([", sizes, "])")
        kept = [each for each in self.layers if each in self._cut or each.placed]
        yield from (f"z{each.k}.retain_grad()" for each in kept)
        yield from (f"{each.out}.retain_grad()" for each in self.layers if each.error_down)
        yield "for p in parameters:\n    p.grad = None"
        yield "loss.backward()"
        if not self._rule.is_in_torch and self._rule.counts:
            yield "t += 1"
        for each in reversed(self.layers):
            yield from self._gradients(each, x, y)
            if each.early:
                yield from self._comments.fault(each.early)
                yield from self._step(f"optimiser{each.k}", each.tensors, rate)
            if each in self._cut:
                yield from self._back(each, rate)
        if self._late:
            yield from self._step("optimiser", self._late, rate)
        yield f"\n# {ENDS}"
        yield from self._finite(self._watched(y))

    def _watched(self, y: str) -> Iterator[str]:
        """Tensors of an update: one of them holds a number that is not finite if any does."""
        yield f"{self.layers[-1].out} - {y}"
        for each in self.layers:
            yield f"z{each.k}"
            if each.layer.normalise:
                yield f"a{each.k}.var(dim=1, correction=0)"  # too large a spread would make h 0
        for name in (name for each in self.layers for name in each.tensors):
            yield from () if self._clips else (f"{name}.grad",)
            if not self._rule.is_in_torch:
                yield from (f"{letter}{name}" for letter, _ in self._rule.assignments[:-1])
            yield name
        if self._rule.is_in_torch and self._rule.slots:
            for optimiser in self._optimisers:
                yield f"*remembered({optimiser})"

    def _finite(self, names: Iterable[str]) -> Iterator[str]:
        yield listed("finite = finite and all_finite(", list(names), ")")

    @property
    def _optimisers(self) -> list[str]:
        names = [f"optimiser{each.k}" for each in self._early]
        return names + ["optimiser"] * bool(self._late)

    def _gradients(self, each: LayerPlan, x: str, y: str) -> Iterator[str]:
        """Statements that change a layer's gradients by its faults."""
        k = each.k
        if each.placed is not None:
            yield from self._weights_gradient(each, x, y)
        for fault in each.faults:
            for name in each.tensors:
                handed = each.handed(fault, name.startswith("b"))
                if handed is None:
                    continue
                yield from self._comments.fault(fault)
                names = {"g": f"{name}.grad", "b": f"b{k}.detach()", "samples": f"len({x})"}
                text = self._formulas.text(handed, names, word(fault.name))
                shaped = with_shape(text, handed, name, "torch")
                copied = f"{shaped}.clone()" if shaped == names["b"] else shaped
                yield f"{name}.grad = {copied}"

    def _weights_gradient(self, each: LayerPlan, x: str, y: str) -> Iterator[str]:
        k, fault = each.k, each.placed
        assert fault is not None
        expression = fault.of_weights()
        assert expression is not None
        yield from self._comments.fault(fault)
        below = self.layers[k - 1].out if k else x
        names = {
            "delta": f"z{k}.grad",
            "x": f"{below}.detach()",
            "z": f"z{k}.detach()",
            "a": f"a{k}.detach()",
            "W": f"W{k}.detach()",
            "error": f"({self.layers[-1].out} - {y}).detach()",
        }
        text = self._formulas.text(expression, names, f"gradient{k}")
        yield f"W{k}.grad = {with_shape(text, expression, f'W{k}', 'torch')}"
        if self._training.l2:
            yield f"W{k}.grad = W{k}.grad + L2 * W{k}.detach()"
        if self._training.l1:
            yield f"W{k}.grad = W{k}.grad + L1 * torch.sign(W{k}.detach())"

    def _back(self, each: LayerPlan, rate: str) -> Iterator[str]:
        """Statements that pass the gradient to the layer below explicitly."""
        k, weights, passed = each.k, f"W{each.k}.detach()", f"z{each.k}.grad"
        for fault in each.backs:
            yield from self._comments.fault(fault)
        if each.backs:
            weights = self._weights_back(each, rate)
        if each.error_down is not None:
            yield from self._comments.fault(each.error_down)
            passed = f"{each.out}.grad"
        yield f"{self.layers[k - 1].out}.backward({passed} @ {weights})"

    def _step(self, optimiser: str, names: list[str], rate: str) -> Iterator[str]:
        if self._clips:  # which would hide an infinite one
            yield from self._finite(f"{name}.grad" for name in names)
        for clip in ("clip_value", "clip_norm"):
            if getattr(self._training, clip) is not None:
                yield listed(f"{clip}(", names, ")")
        if self._rule.is_in_torch:
            yield f"{optimiser}.step()"
            return
        yield "with torch.no_grad():"
        for name in names:
            slots = [f"{letter}{name}" for letter, _ in self._rule.assignments[:-1]]
            count = ["t"] if self._rule.counts else []
            arguments = [name, f"{name}.grad", *slots, *count, rate]
            yield from indented([listed(f"{self._step_name}(", arguments, ")")])

    def _optimiser(self, name: str, tensors: str) -> str:
        kind, _, settings = self._rule.torch.partition("(")
        own = [] if self._rule.is_plain else [settings[:-1]]
        return listed(f"{name} = torch.optim.{kind}(", [tensors, "lr=RATE", *own], ")")
