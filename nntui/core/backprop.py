"""One update on a tape: forward pass, loss, backpropagation, optimiser, and the faults in it."""

from collections.abc import Callable
from functools import reduce

import numpy as np

from nntui.core.configuration import Configuration
from nntui.core.faults import Fault, Penalty, fault
from nntui.core.losses import LOSSES
from nntui.core.network import LayerPass, Layout, record_forward
from nntui.core.optimisers import OPTIMISERS, SGD
from nntui.core.tape import Arena, Array, Tape


def faults_of(configuration: Configuration, layer: int) -> list[Fault]:
    """The faults that are on in ``layer``, in the order given."""
    return [
        fault(entry.name, of=entry.of) for entry in configuration.faults if entry.concerns(layer)
    ]


def optimiser_of(configuration: Configuration) -> SGD:
    """The optimiser that the configuration asks for."""
    training = configuration.training
    return OPTIMISERS[training.optimiser](training.learning_rate, training.momentum)


def make_arena(configuration: Configuration) -> Arena:
    """All buffers of an update.

    ``batch`` holds inputs over targets; ``z``, ``a``, ``h``, ``error``, ``upstream``, ``slope``
    and ``delta`` are (units, samples); ``gradient``, ``step``, ``theta`` and the optimiser's
    slots are flat vectors in the order of `Layout`.
    """
    layout, samples = Layout.of(configuration), configuration.batch_size
    data, layers = configuration.data, configuration.layers
    shapes: dict[str, tuple[int, ...]] = {"batch": (data.width + data.outputs, samples)}
    for index, layer in enumerate(layers):
        for name in ("z", "a", "h") if layer.normalise else ("z", "a"):
            shapes[f"{name}{index}"] = (layer.units, samples)
        if layer.normalise:
            shapes[f"spread{index}"] = (1, samples)
    shapes["error"] = (data.outputs, samples)
    for index in reversed(range(len(layers))):
        for name in ("upstream", "slope", "delta"):
            shapes[f"{name}{index}"] = (layers[index].units, samples)
    for name in ("gradient", *optimiser_of(configuration).slots, "step", "theta"):
        shapes[name] = (layout.size,)
    return Arena(shapes)


class Update:
    """One update for batches of a given size, recorded in the buffers of ``arena``.

    ``calls`` make the update from what lies in ``batch`` (inputs over targets, one column a
    sample); afterwards ``reported()`` is the reported loss of that batch, summed over it, with
    the parameters from before the update.
    """

    def __init__(self, configuration: Configuration, arena: Arena, samples: int) -> None:
        self._configuration, self._arena, self._samples = configuration, arena, samples
        self._layout = Layout.of(configuration)
        self._theta = arena.view("theta", self._layout.size)
        self._gradient = arena.view("gradient", self._layout.size)
        self._optimiser = optimiser_of(configuration)

        tape = Tape()
        data = configuration.data
        self.batch: Array = arena.view("batch", data.width + data.outputs, samples)
        x, y = self.batch[: data.width], self.batch[data.width :]
        passes = record_forward(
            tape,
            configuration,
            self._layout.views(self._theta),
            x,
            lambda name, *shape: arena.view(name, *shape),
        )
        error = arena.view("error", data.outputs, samples)
        tape.add(np.subtract, passes[-1].h, y, error)
        tape.note("error", len(passes) - 1, error)
        self.reported: Callable[[], float] = LOSSES[configuration.report.loss].value(
            passes[-1].z, error, y
        )
        self._record_backward(tape, passes, error)
        self.calls = tuple(tape.calls)
        self.written = tuple(tape.written)
        """Every tensor of an update, in the order of computation."""

    def _record_backward(self, tape: Tape, passes: list[LayerPass], error: Array) -> None:
        configuration, training = self._configuration, self._configuration.training
        weights, gradients = self._layout.views(self._theta), self._layout.views(self._gradient)
        last, loss = len(passes) - 1, LOSSES[training.loss]
        scale = 1.0 / self._samples if training.reduction == "mean" else 1.0
        upstream = loss.gradient(tape, error, scale, self._buffer("upstream", last))
        waiting = []
        for index in reversed(range(last + 1)):
            layer, faults = passes[index], faults_of(configuration, index)
            tape.note("upstream", index, upstream)
            if index == last and loss.needs_output is not None:
                delta = upstream
            else:
                delta = self._buffer("delta", index)
                self._record_delta(tape, layer, faults, index, upstream, delta)
            (W, b), (gW, gb) = weights[index], gradients[index]
            tape.add(np.dot, delta, layer.x.T, gW)
            if gb is not None:
                self._record_bias_gradient(tape, delta, gb)
            if configuration.l2:
                decay = np.empty_like(gW)
                tape.add(np.multiply, W, configuration.l2, decay)
                tape.add(np.add, gW, decay, gW)
            for each in faults:
                each.gradient(tape, W, b, gW, gb)
            tape.note("gradient of W", index, gW)
            tape.note("gradient of b", index, gb)
            if any(each.updates_before_backprop for each in faults):
                self._record_step(tape, self._layout.spans()[index])
            else:
                waiting.append(self._layout.spans()[index])
            if index > 0:
                upstream = self._buffer("upstream", index - 1)
                tape.add(np.dot, W.T, delta, upstream)
        for span in _joined(waiting):
            self._record_step(tape, span)

    def _record_bias_gradient(self, tape: Tape, delta: Array, gb: Array) -> None:
        """The sum of the deltas over the samples; over one sample that is the delta itself."""
        if self._samples == 1:
            tape.add(np.copyto, gb, delta)
        else:
            tape.add(np.add.reduce, delta, 1, None, gb, True)

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
            through = self._buffer("upstream", index)
            layer.normalisation.backward(tape, upstream, through)
            upstream = through
        differentiated = reduce(
            lambda correct, each: each.derivative(correct), faults, layer.activation
        )
        slope = self._buffer("slope", index)
        differentiated.backward(tape, layer.z, layer.a, upstream, slope, delta)
        tape.note("slope", index, slope)
        tape.note("delta", index, delta)

    def _record_step(self, tape: Tape, span: slice) -> None:
        size = self._layout.size
        step = self._arena.view("step", size)
        slots = {name: self._arena.view(name, size) for name in self._optimiser.slots}
        self._optimiser.update(
            tape,
            self._theta[span],
            self._gradient[span],
            step[span],
            {name: slot[span] for name, slot in slots.items()},
        )
        for name, flat in (*slots.items(), ("step", step), ("", self._theta)):
            of = f"{name} of " if name else ""
            for layer, (W, b) in enumerate(self._layout.views(flat)):
                if span.start <= self._layout.spans()[layer].start < span.stop:
                    tape.note(f"{of}W", layer, W)
                    tape.note(f"{of}b", layer, b)

    def _buffer(self, name: str, index: int) -> Array:
        units = self._configuration.layers[index].units
        return self._arena.view(f"{name}{index}", units, self._samples)


def _joined(spans: list[slice]) -> list[slice]:
    """``spans`` with neighbours made one, so that one call updates them together."""
    joined: list[slice] = []
    for span in sorted(spans, key=lambda each: each.start):
        if joined and joined[-1].stop == span.start:
            joined[-1] = slice(joined[-1].start, span.stop)
        else:
            joined.append(span)
    return joined


def reported_penalty(configuration: Configuration, theta: Array) -> Callable[[], float]:
    """The penalty that is added to the reported loss: ``l2/2`` times the sum of w^2.

    A fault may put another sum in its place.  Without a reported penalty the function gives 0.
    """
    if not (configuration.report.penalty and configuration.l2):
        return lambda: 0.0
    correct: Penalty = lambda W: float(np.dot(W.reshape(-1), W.reshape(-1)))
    terms = []
    for index, (W, _) in enumerate(Layout.of(configuration).views(theta)):
        term = reduce(
            lambda each, fault: fault.penalty(each), faults_of(configuration, index), correct
        )
        terms.append((term, W))
    factor = configuration.l2 / 2.0
    return lambda: factor * sum(term(W) for term, W in terms)
