"""One update, recorded on a tape: forward pass, loss, backpropagation, optimiser step, faults."""

from functools import reduce

import numpy as np

from nntui.core.engine.algebra import Algebra
from nntui.core.engine.data import loss_slope
from nntui.core.engine.network import (
    LayerPass,
    Layout,
    backward_of,
    faults_by_layer,
    record_forward,
)
from nntui.core.engine.reported_loss import reported_sum
from nntui.core.formulas.calculus import multiply
from nntui.core.formulas.expression import Expression, Name, Number
from nntui.core.formulas.recording import RecordedSum, record, recorded
from nntui.core.parts.faults import Fault, LayerGradient
from nntui.core.parts.losses import LOSSES, Value
from nntui.core.parts.optimisers import CLIPPED, Clock, Optimiser, optimiser
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Arena, Array, Tape


def optimiser_of(configuration: Configuration) -> Optimiser:
    """The optimiser of the configuration, with its parameters."""
    training = configuration.training
    return optimiser(
        training.optimiser,
        momentum=training.momentum,
        dampening=training.dampening,
        rho=training.rho,
        beta1=training.beta1,
        beta2=training.beta2,
        epsilon=training.epsilon,
    )


def clips(configuration: Configuration) -> bool:
    """Whether gradients are clipped before the optimiser gets them."""
    training = configuration.training
    return training.clip_value is not None or training.clip_norm is not None


def make_arena(configuration: Configuration, tail: tuple[int, ...] = ()) -> Arena:
    """All buffers of an update except its batch, each followed by the axes ``tail``.

    The first ones are watched: any non-finite number of an update reaches one of them.  One in
    ``a`` or ``h`` reaches the next ``z`` or the error and so the gradient, and one in ``upstream``
    or ``delta`` the gradient, because even 0 times infinity is not finite.

    ``z``, ``a``, ``h``, ``error``, ``upstream``, ``through`` (``upstream`` after a normalisation),
    ``slope`` and ``delta`` are (units, samples); ``gradient``, ``step``, ``theta`` and the
    optimiser's slots are flat vectors in the order of `Layout`.
    """
    layout, samples = Layout.of(configuration), configuration.batch_size
    watched: dict[str, tuple[int, ...]] = {}
    others: dict[str, tuple[int, ...]] = {"step": (layout.size,)}
    if clips(configuration):
        others["clipped"] = (layout.size,)
    for name in ("gradient", *optimiser_of(configuration).slots, "theta"):
        watched[name] = (layout.size,)
    watched["error"] = (configuration.data.outputs, samples)
    for index, layer in enumerate(configuration.layers):
        watched[f"z{index}"] = (layer.units, samples)
        for name in ("a", "upstream", "slope", "delta"):
            others[f"{name}{index}"] = (layer.units, samples)
        if layer.normalise:
            others[f"h{index}"] = others[f"through{index}"] = (layer.units, samples)
            watched[f"spread{index}"] = (1, samples)
    shapes = {name: (*shape, *tail) for name, shape in (watched | others).items()}
    return Arena(shapes, watched=len(watched))


class Update:
    """One update for batches of a given size, recorded in the buffers of ``arena``.

    ``calls`` perform the update from ``batch``, an array of inputs stacked on targets with one
    column per sample; afterwards ``reported()`` is the reported loss of that batch, summed over
    it, with the parameters from before the update.  ``clock`` gives the learning rate.
    """

    def __init__(
        self,
        configuration: Configuration,
        arena: Arena,
        batch: Array,
        clock: Clock,
        algebra: Algebra,
    ) -> None:
        self._configuration, self._arena, self._samples = configuration, arena, batch.shape[1]
        self._clock, self._algebra, self._tail = clock, algebra, algebra.tail
        self._layout = Layout.of(configuration)
        self._theta = self._vector("theta")
        self._gradient = self._vector("gradient")
        self._optimiser = optimiser_of(configuration)
        self._faults = faults_by_layer(configuration)
        self.batch = batch

        tape = Tape()
        if self._optimiser.counts:
            tape.add(np.add, clock.count, 1.0, clock.count)
        width = configuration.data.width
        passes = record_forward(
            tape,
            configuration,
            self._layout.views(self._theta),
            batch[:width],
            lambda name, *shape: arena.view(name, *shape, *self._tail),
            algebra,
            self._faults,
        )
        error = arena.view("error", configuration.data.outputs, self._samples, *self._tail)
        tape.add(np.subtract, passes[-1].h, batch[width:], error)
        tape.note("error", len(passes) - 1, error)
        self.report: RecordedSum = reported_sum(configuration, passes[-1].z, error, batch[width:])
        self.reported: Value = self.report.value
        self._record_backward(tape, passes, error, batch[width:])
        self.calls = tuple(tape.calls)
        self.written = tuple(tape.written)
        """Every tensor of an update, in the order of computation."""

    def _record_backward(self, tape: Tape, passes: list[LayerPass], error: Array, y: Array) -> None:
        training = self._configuration.training
        weights, gradients = self._layout.views(self._theta), self._layout.views(self._gradient)
        last, loss = len(passes) - 1, LOSSES[training.loss]
        scale = 1.0 / self._samples if training.reduction == "mean" else 1.0
        slope = multiply(Number(scale), loss_slope(self._configuration))
        upstream = recorded(tape, slope, {"error": error, "y": y}, self._buffer("upstream", last))
        waiting = []
        for index in reversed(range(last + 1)):
            layer, faults = passes[index], self._faults[index]
            coming = upstream
            tape.note("upstream", index, upstream)
            if index == last and loss.needs_output is not None:
                delta = upstream
            else:
                delta = self._buffer("delta", index)
                self._record_delta(tape, layer, faults, index, upstream, delta)
            (W, b), (gW, gb) = weights[index], gradients[index]
            self._record_weights_gradient(tape, layer, faults, index, delta, error, W, gW)
            if gb is not None and not any(each.replaces_bias_gradient for each in faults):
                self._record_bias_gradient(tape, delta, gb)
            self._record_penalty(tape, W, gW)
            for each in faults:
                mean = training.reduction == "mean"
                each.record_gradient(tape, LayerGradient(W, b, gW, gb, self._samples, mean))
            tape.note("gradient of W", index, gW)
            tape.note("gradient of b", index, gb)
            if any(each.updates_before_backprop for each in faults):
                self._record_steps(tape, [self._layout.spans()[index]])
            else:
                waiting.append(self._layout.spans()[index])
            if index > 0:
                upstream = self._buffer("upstream", index - 1)
                passed = coming if any(each.error_down for each in faults) else delta
                self._algebra.back(tape, self._weights_back(tape, faults, W), passed, upstream)
        self._record_steps(tape, _joined(waiting))

    def _weights_back(self, tape: Tape, faults: list[Fault], W: Array) -> Array:
        """Record the weights that pass the gradient to the layer below, and return their buffer."""
        penalties = {"l1": self._configuration.l1, "l2": self._configuration.l2}
        return reduce(
            lambda W, each: each.weights_back(tape, W, self._clock.rate, penalties), faults, W
        )

    def _record_weights_gradient(
        self,
        tape: Tape,
        layer: LayerPass,
        faults: list[Fault],
        index: int,
        delta: Array,
        error: Array,
        W: Array,
        gW: Array,
    ) -> None:
        """Record the sum over the samples of delta x^T, or what a fault uses instead."""
        wrong = [each for each in (fault.of_weights() for fault in faults) if each is not None]
        if not wrong:
            self._algebra.outer(tape, delta, layer.x, gW)
            return
        values = {"delta": delta, "x": layer.x, "z": layer.z, "a": layer.a, "W": W, "error": error}
        record(tape, wrong[-1], values, gW, self._algebra)

    def _record_bias_gradient(self, tape: Tape, delta: Array, gb: Array) -> None:
        """Record the sum of the deltas over the samples; for one sample, the delta itself."""
        if self._samples == 1:
            tape.add(np.positive, delta, gb)
        else:
            self._algebra.total(tape, delta, gb)

    def _record_penalty(self, tape: Tape, W: Array, gW: Array) -> None:
        """Add the gradient of the penalties, ``l2*W`` and ``l1*sign(W)``."""
        l1, l2 = self._configuration.l1, self._configuration.l2
        term = np.empty_like(gW) if l1 or l2 else gW
        if l2:
            tape.add(np.multiply, W, l2, term)
            tape.add(np.add, gW, term, gW)
        if l1:
            tape.add(np.sign, W, term)
            tape.add(np.multiply, term, l1, term)
            tape.add(np.add, gW, term, gW)

    def _record_delta(
        self,
        tape: Tape,
        layer: LayerPass,
        faults: list[Fault],
        index: int,
        upstream: Array,
        delta: Array,
    ) -> None:
        if layer.normalisation is not None:
            through = self._buffer("through", index)
            layer.normalisation.backward(tape, upstream, through)
            upstream = through
        used = backward_of(layer.activation, faults)
        slope = self._buffer("slope", index)
        values = {"z": layer.z, "a": layer.a, "f": layer.value}
        used.record(tape, values, upstream, slope, delta)
        tape.note("slope", index, slope)
        tape.note("delta", index, delta)

    def _record_steps(self, tape: Tape, spans: list[slice]) -> None:
        """Record the optimiser's step on ``spans`` of the parameters, clipped together."""
        step, gradient = self._vector("step"), self._gradient
        slots = {name: self._vector(name) for name in self._optimiser.slots}
        named = [*slots.items(), ("step", step), ("", self._theta)]
        if spans and self._clips:
            gradient = self._vector("clipped")
            self._record_clipping(tape, spans, gradient, step)
            named.insert(0, ("clipped gradient", gradient))
        for span in spans:
            self._optimiser.update(
                tape,
                self._theta[span],
                gradient[span],
                step[span],
                {name: slot[span] for name, slot in slots.items()},
                self._clock,
            )
            for name, flat in named:
                of = f"{name} of " if name else ""
                for layer, (W, b) in enumerate(self._layout.views(flat)):
                    if span.start <= self._layout.spans()[layer].start < span.stop:
                        tape.note(f"{of}W", layer, W)
                        tape.note(f"{of}b", layer, b)

    @property
    def _clips(self) -> bool:
        return clips(self._configuration)

    def _record_clipping(
        self, tape: Tape, spans: list[slice], clipped: Array, scratch: Array
    ) -> None:
        """Clip what the optimiser gets: each number to ``clip_value``, then their norm.

        The gradient itself is not changed, so that an infinite one is not hidden.
        """
        training = self._configuration.training
        for span in spans:
            cut: Expression = Name("g")
            if training.clip_value is not None:
                cut = CLIPPED.bound({"clip_value": training.clip_value})
            record(tape, cut, {"g": self._gradient[span]}, clipped[span])
        if training.clip_norm is not None:
            self._record_norm(tape, spans, clipped, scratch, training.clip_norm)

    def _record_norm(
        self, tape: Tape, spans: list[slice], clipped: Array, scratch: Array, most: float
    ) -> None:
        largest, squares, part = (np.empty((1, *self._tail)) for _ in range(3))
        tape.add(largest.fill, np.finfo(np.float64).tiny)
        tape.add(squares.fill, 0.0)
        for span in spans:
            tape.add(np.abs, clipped[span], scratch[span])
            tape.add(np.maximum.reduce, scratch[span], 0, None, part, True)
            tape.add(np.maximum, largest, part, out=largest)
        for span in spans:
            # Divide by the largest, so that no square overflows.
            tape.add(np.divide, clipped[span], largest, scratch[span])
            tape.add(np.multiply, scratch[span], scratch[span], scratch[span])
            tape.add(np.add.reduce, scratch[span], 0, None, part, True)
            tape.add(np.add, squares, part, squares)
        tape.add(np.sqrt, squares, squares)
        tape.add(np.divide, most, squares, squares)
        tape.add(np.divide, squares, largest, squares)
        tape.add(np.minimum, squares, 1.0, out=squares)
        for span in spans:
            tape.add(np.multiply, clipped[span], squares, clipped[span])

    def _vector(self, name: str) -> Array:
        return self._arena.view(name, self._layout.size, *self._tail)

    def _buffer(self, name: str, index: int) -> Array:
        units = self._configuration.layers[index].units
        return self._arena.view(f"{name}{index}", units, self._samples, *self._tail)


def _joined(spans: list[slice]) -> list[slice]:
    """``spans`` with adjacent ones merged, so that one call updates them together."""
    joined: list[slice] = []
    for span in sorted(spans, key=lambda each: each.start):
        if joined and joined[-1].stop == span.start:
            joined[-1] = slice(joined[-1].start, span.stop)
        else:
            joined.append(span)
    return joined
