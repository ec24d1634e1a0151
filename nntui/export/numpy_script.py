"""Writes one update in NumPy: forward pass, explicit backpropagation, optimiser step."""

from collections.abc import Iterable, Iterator

from nntui.core.engine.data import loss_slope
from nntui.core.engine.update import clips, optimiser_of
from nntui.core.formulas.expression import Expression, Name, Operation
from nntui.core.formulas.printing import NumpyPrinter
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.export.fault_comments import FaultComments
from nntui.export.formatting import assigned, listed
from nntui.export.plan import LayerPlan, plan, reported_term, word
from nntui.export.script_functions import ENDS, NUMPY, FormulaWriter, step_function, with_shape


class NumpyScript:
    """Writes the update for the target ``numpy``."""

    library = "NumPy"
    preparations = ()

    def __init__(self, configuration: Configuration, comments: FaultComments) -> None:
        self._training = configuration.training
        self._configuration, self._comments = configuration, comments
        self.layers = plan(configuration)
        self._rule = optimiser_of(configuration)
        self._clips = clips(configuration)
        self._step = "" if self._rule.is_plain else f"{word(self._rule.name)}_step"
        self._formulas = FormulaWriter(NumpyPrinter)
        self.functions = dict(NUMPY)
        if self._step:
            self.functions[self._step] = step_function(self._rule, self._step)

    def definitions(self) -> list[str]:
        """The functions that the formulas need."""
        return self._formulas.definitions()

    def trained(self, drawn: str) -> str:
        """The drawn array as a trainable tensor."""
        return drawn

    def given(self, name: str) -> str:
        """The data array ``name`` as an argument of `forward`."""
        return name

    def array(self, expression: str) -> str:
        """A result of `forward` or of training as a NumPy array."""
        return expression

    def reported(self, y: str) -> tuple[list[str], str]:
        """The reported loss summed over a batch: statements that it needs, and an expression."""
        last, loss = self.layers[-1], LOSSES[self._configuration.report.loss]
        names = {"z": f"z{last.k}", "y": y}
        term = self._formulas.text(reported_term(self._configuration), names, word(loss.name))
        return [f"error = {last.out} - {y}"], f"np.sum({term})"

    def penalty(self, term: Expression, W: str) -> str:
        """The source of a penalty's ``term`` of w."""
        return NumpyPrinter({"w": W}).text(term)

    def setup(self) -> Iterator[str]:
        """Statements that create the optimiser's slots."""
        letters = [letter for letter, _ in self._rule.assignments[:-1]]
        if letters:
            yield f"# What {self._training.optimiser} remembers from update to update."
        for letter in letters:
            for each in self.layers:
                names = ", ".join(f"{letter}{name}" for name in each.tensors)
                zeros = ", ".join(f"np.zeros_like({name})" for name in each.tensors)
                yield f"{names} = {zeros}"

    def before_loop(self) -> Iterator[str]:
        """Statements directly before the loop over the epochs."""
        yield "finite = True"
        if self._rule.counts:
            yield "t = 0"

    def rates(self) -> Iterator[str]:
        """Statements that pass a new learning rate on: none, because it is an argument."""
        yield from ()

    def forward(self) -> Iterator[str]:
        """Statements of the forward pass of ``x``."""
        seen = "x"
        for each in self.layers:
            k, bias = each.k, f" + b{each.k}" if each.has_bias else ""
            yield f"z{k} = {seen} @ W{k}.T{'' if each.late else bias}"
            value, function = each.activation.value, word(each.activation.name)
            if each.over_samples is not None:
                yield from self._comments.fault(each.over_samples)
                turned = self._formulas.text(value, {"z": f"z{k}.T"}, function)
                yield f"{each.value} = ({turned}).T"
            else:
                text = self._formulas.text(value, each.names, function)
                yield f"{each.value} = {with_shape(text, value, f'z{k}', 'np')}"
            if each.late:
                yield from self._comments.fault(each.late)
                yield f"a{k} = f{k}{bias}"
            if each.layer.normalise:
                yield f"h{k} = normalise(a{k})"
            seen = each.out

    def update(self, x: str, y: str, rate: str) -> Iterator[str]:
        """Statements of one update from the batch ``x``, ``y``, after its forward pass."""
        error, reported = self.reported(y)
        yield from error
        if not self._configuration.report.covers_all:
            yield f"total += {reported}"
        if self._rule.counts:
            yield "t += 1"
        upstream = self._slope_of_loss(x, y)
        for each in reversed(self.layers):
            k, below = each.k, self.layers[each.k - 1].out if each.k else x
            yield f"\n# Layer {k}, backwards"
            if each.error_down is not None:
                yield f"error{k} = {upstream}"
                upstream = f"error{k}"
            yield from self._delta(each, upstream)
            yield from self._gradients(each, x, below)
            if each.early:
                yield from self._comments.fault(each.early)
                yield from self._steps(each.tensors, rate)
            if k:
                yield from self._back(each, rate)
            upstream = f"upstream{k - 1}"
        late = [name for each in self.layers if not each.early for name in each.tensors]
        if late:
            yield "\n# The step"
            yield from self._steps(late, rate)
        yield f"\n# {ENDS}"
        yield from self._finite(self._watched())

    def _watched(self) -> Iterator[str]:
        """Arrays of an update: one of them holds a number that is not finite if any does."""
        yield "error"
        for each in self.layers:
            yield f"z{each.k}"
            if each.layer.normalise:
                yield f"a{each.k}.var(axis=1)"  # too large a spread would make h 0
        for name in (name for each in self.layers for name in each.tensors):
            yield from () if self._clips else (f"g{name}",)
            yield from (f"{letter}{name}" for letter, _ in self._rule.assignments[:-1])
            yield name

    def _finite(self, names: Iterable[str]) -> Iterator[str]:
        yield listed("finite = finite and all_finite(", list(names), ")")

    def _slope_of_loss(self, x: str, y: str) -> str:
        """dL/da, or dL/dz if the loss is differentiated together with the activation."""
        slope, training = loss_slope(self._configuration), self._training
        if training.reduction == "mean" and self._configuration.batch_size > 1:
            slope = Operation("/", slope, Name("samples"))
        names = {"samples": f"len({x})", "error": "error", "y": y, "z": f"z{self.layers[-1].k}"}
        return self._formulas.text(slope, names, f"slope_of_{word(training.loss)}")

    def _delta(self, each: LayerPlan, upstream: str) -> Iterator[str]:
        k, used = each.k, each.backward
        if each.is_fused:
            yield f"delta{k} = {upstream}"
            return
        if each.layer.normalise:
            yield f"upstream{k} = through_normalise({upstream}, a{k}, h{k})"
            upstream = f"upstream{k}"
        if each.slope_fault is not None:
            yield from self._comments.fault(each.slope_fault)
        delta, name = used.delta.bound({"slope": used.slope}), word(each.activation.name)
        if not upstream.isidentifier() and not used.is_elementwise:
            yield f"upstream{k} = {upstream}"
            upstream = f"upstream{k}"
        names = {**each.names, "u": upstream}
        text = self._formulas.text(delta, names, f"through_{name}")
        yield f"delta{k} = {with_shape(text, delta, f'z{k}', 'np')}"

    def _gradients(self, each: LayerPlan, x: str, below: str) -> Iterator[str]:
        """The gradients of the loss and the penalties, as changed by faults."""
        k, training = each.k, self._training
        yield from self._weights_gradient(each, below)
        replaced = any(fault.replaces_bias_gradient for fault in each.faults)
        known = [f"W{k}"]
        if each.has_bias and not replaced:
            yield f"gb{k} = delta{k}.sum(axis=0)"
            known.append(f"b{k}")
        if training.l2:
            yield f"gW{k} = gW{k} + L2 * W{k}"
        if training.l1:
            yield f"gW{k} = gW{k} + L1 * np.sign(W{k})"
        for fault in each.faults:
            for name in each.tensors:
                handed = each.handed(fault, name.startswith("b"))
                if handed is None or not (name in known or "g" not in handed.names):
                    continue
                yield from self._comments.fault(fault)
                names = {"g": f"g{name}", "b": f"b{k}", "samples": f"len({x})"}
                text = self._formulas.text(handed, names, word(fault.name))
                yield f"g{name} = {with_shape(text, handed, name, 'np')}"
                if name not in known:
                    known.append(name)

    def _weights_gradient(self, each: LayerPlan, below: str) -> Iterator[str]:
        k, fault = each.k, each.placed
        formula = fault.of_weights() if fault is not None else None
        if fault is None or formula is None:
            yield f"gW{k} = delta{k}.T @ {below}"
            return
        yield from self._comments.fault(fault)
        names = {**each.names, "delta": f"delta{k}", "x": below, "error": "error"}
        text = self._formulas.text(formula, names, f"gradient{k}")
        yield f"gW{k} = {with_shape(text, formula, f'W{k}', 'np')}"

    def _back(self, each: LayerPlan, rate: str) -> Iterator[str]:
        """The gradient for the layer below."""
        weights, passed = f"W{each.k}", f"delta{each.k}"
        for fault in each.backs:
            yield from self._comments.fault(fault)
        if each.backs:
            names = {**each.names, "rate": rate, "l1": "L1", "l2": "L2"}
            text = self._formulas.text(each.back, names, word(each.backs[-1].name))
            shaped = with_shape(text, each.back, weights, "np")
            weights = shaped if shaped.startswith("np.full") else f"({shaped})"
        if each.error_down is not None:
            yield from self._comments.fault(each.error_down)
            passed = f"error{each.k}"
        yield f"upstream{each.k - 1} = {passed} @ {weights}"

    def _steps(self, names: list[str], rate: str) -> Iterator[str]:
        """The optimiser's step of the parameters ``names``, clipped together."""
        gradients = [f"g{name}" for name in names]
        if self._clips:  # which would hide an infinite one
            yield from self._finite(gradients)
        for clip in ("clip_value", "clip_norm"):
            if getattr(self._training, clip) is not None:
                yield assigned(gradients, listed(f"{clip}(", gradients, ")"))
        for name in names:
            if not self._step:
                yield f"{name} -= {rate} * g{name}"
                continue
            slots = [f"{letter}{name}" for letter, _ in self._rule.assignments[:-1]]
            count = ["t"] if self._rule.counts else []
            yield listed(f"{self._step}(", [name, f"g{name}", *slots, *count, rate], ")")
