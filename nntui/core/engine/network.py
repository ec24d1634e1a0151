"""The network: layout and initialisation of its parameter vector, and the forward pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nntui.core.engine.algebra import Algebra, Single
from nntui.core.parts.activations import Activation, Backward, activation
from nntui.core.parts.faults import Fault, FaultSite, fault
from nntui.core.parts.initialisers import INITIALISERS, draw_sequence, skip
from nntui.core.parts.losses import LOSSES
from nntui.core.parts.normalisation import LayerNormalisation
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Layer
from nntui.core.tape import Array, Tape

Parameters = list[tuple[Array, Array | None]]
"""Per layer ``(W, b)``: (units out, units in) and (units, 1), or None without a bias."""


@dataclass(frozen=True)
class Layout:
    """Positions of each layer's W and b in the flat parameter vector: layer by layer, W first."""

    shapes: tuple[tuple[int, int, bool], ...]
    """Per layer: units out, units in, whether there is a bias."""

    @classmethod
    def of(cls, configuration: Configuration) -> "Layout":
        """The layout of a configuration's network."""
        shapes, inputs = [], configuration.data.width
        for layer in configuration.layers:
            shapes.append((layer.units, inputs, layer.bias != "none"))
            inputs = layer.units
        return cls(tuple(shapes))

    @property
    def size(self) -> int:
        """How many parameters the network has."""
        return sum(units * (inputs + has_bias) for units, inputs, has_bias in self.shapes)

    def spans(self) -> list[slice]:
        """Per layer, the part of the flat vector that holds its W and b."""
        spans, start = [], 0
        for units, inputs, has_bias in self.shapes:
            end = start + units * (inputs + has_bias)
            spans.append(slice(start, end))
            start = end
        return spans

    def views(self, flat: Array) -> Parameters:
        """Per layer, W and b as views into ``flat``, a vector of `size` numbers.

        Further axes of ``flat`` follow those of W and b.
        """
        views: Parameters = []
        for (units, inputs, has_bias), span in zip(self.shapes, self.spans(), strict=True):
            part = flat[span]
            weights, bias, tail = part[: units * inputs], part[units * inputs :], flat.shape[1:]
            W = weights.reshape(units, inputs, *tail)
            views.append((W, bias.reshape(units, 1, *tail) if has_bias else None))
        return views


def draw_parameters(configuration: Configuration, random: np.random.RandomState) -> Array:
    """The initial parameters as one vector, drawn in the order of the configuration's ``draws``.

    Parameters that the configuration gives as numbers draw nothing.
    """
    layout, draws = Layout.of(configuration), configuration.draws
    theta = np.zeros(layout.size)
    views = layout.views(theta)
    skip(random, draws.skip_uniform, draws.skip_normal)
    with np.errstate(over="ignore"):  # an infinite start is reported as a divergence
        for at, of_bias in draw_sequence(draws.order, tuple(b is not None for _, b in views)):
            layer, (W, b) = configuration.layers[at], views[at]
            if not of_bias:
                W[...] = layer.scale * _first_weights(layer, W, random, draws.transposed)
            elif b is not None:
                b[...] = layer.bias_scale * _first_bias(layer, random)
    return theta


def _first_weights(
    layer: Layer, like: Array, random: np.random.RandomState, transposed: bool
) -> Array:
    """The first weights before the scale, in the shape of ``like``."""
    if layer.W is not None:
        return layer.W.array
    units, inputs = like.shape
    initialiser = INITIALISERS[layer.init]
    return initialiser.draw(random, units, inputs, layer.low, layer.high, transposed)


def _first_bias(layer: Layer, random: np.random.RandomState) -> Array:
    """The first bias before the scale, (units, 1), or (1, 1) if all units start from one draw."""
    if layer.b is not None:
        return np.array(layer.b).reshape(-1, 1)
    rows = 1 if layer.bias == "shared-start" else layer.units
    return INITIALISERS[layer.bias_init].draw(random, rows, 1, layer.bias_low, layer.bias_high)


def faults_by_layer(configuration: Configuration) -> list[list[Fault]]:
    """Per layer, the faults that are on in it, in the order of the configuration."""
    return [
        [
            fault(entry.name, of=entry.of, factor=entry.factor)
            for entry in configuration.faults
            if entry.concerns(layer)
        ]
        for layer in range(len(configuration.layers))
    ]


def has_effect(configuration: Configuration, entry: FaultEntry) -> bool:
    """Whether the fault changes anything in this configuration."""
    kind = fault(entry.name, of=entry.of, factor=entry.factor)
    last = len(configuration.layers) - 1
    fused = LOSSES[configuration.training.loss].needs_output is not None
    penalised = configuration.report.penalty and (configuration.l1 > 0 or configuration.l2 > 0)
    return any(
        entry.concerns(index)
        and kind.touches(
            FaultSite(
                has_bias=layer.bias != "none",
                has_layer_below=index > 0,
                is_differentiated=not (fused and index == last),
                is_penalised=penalised,
                is_decayed=configuration.l1 > 0 or configuration.l2 > 0,
                mixes_units=not activation_of(layer).backward.is_elementwise,
            )
        )
        for index, layer in enumerate(configuration.layers)
    )


def backward_of(function: Activation, faults: Sequence[Fault]) -> Backward:
    """The slope and delta that backpropagation uses for ``function`` in a layer with ``faults``."""
    used = function.backward
    for each in faults:
        used = each.backward(used, function.value)
    return used


@dataclass(frozen=True)
class LayerPass:
    """The buffers of one layer's forward pass; arrays are (units, samples)."""

    activation: Activation
    x: Array
    z: Array
    value: Array
    """The activation function of ``z``; the same as `a` unless a fault adds to it."""
    a: Array
    h: Array
    """The layer's output: `a`, or its normalisation."""
    normalisation: LayerNormalisation | None


def activation_of(layer: Layer) -> Activation:
    """The activation of ``layer``, with its parameters."""
    return activation(
        layer.activation, layer.slope, leak=layer.leak, kink=layer.kink, alpha=layer.alpha
    )


def record_forward(
    tape: Tape,
    configuration: Configuration,
    parameters: Parameters,
    x: Array,
    take: Callable[[str, int, int], Array],
    algebra: Algebra,
    faults: Sequence[Sequence[Fault]],
) -> list[LayerPass]:
    """Record the forward pass of ``x`` (inputs, samples) and return each layer's buffers.

    ``take(name, units, samples)`` provides the buffers ``z0``, ``a0``, ``h0``, ``spread0``, ``z1``,
    ...; ``faults`` are those of each layer.
    """
    passes, samples = [], x.shape[1]
    for index, (layer, (W, b)) in enumerate(zip(configuration.layers, parameters, strict=True)):
        z = take(f"z{index}", layer.units, samples)
        a = take(f"a{index}", layer.units, samples)
        late = any(each.bias_after_activation for each in faults[index])
        if b is not None and not late:
            # A separate buffer: on a single number, NumPy adds in place four times slower.
            product = np.empty_like(z) if z.size == 1 else z
            algebra.affine(tape, W, x, product)
            tape.add(np.add, product, b, z)
        else:
            algebra.affine(tape, W, x, z)
        function = activation_of(layer)
        over = any(each.over_samples for each in faults[index])
        over = over and not function.backward.is_elementwise
        value = a
        if b is not None and late:
            value = np.empty_like(a)
            _record_value(tape, function, z, value, over)
            tape.add(np.add, value, b, a)
        else:
            _record_value(tape, function, z, a, over)
        tape.note("z", index, z)
        tape.note("a", index, a)
        h, normalisation = a, None
        if layer.normalise:
            h, spread = take(f"h{index}", layer.units, samples), take(f"spread{index}", 1, samples)
            normalisation = LayerNormalisation(a, h, spread)
            normalisation.forward(tape)
            # A spread that overflows makes h 0, which would hide that a is too large.
            tape.note("spread", index, spread)
            tape.note("h", index, h)
        passes.append(LayerPass(function, x, z, value, a, h, normalisation))
        x = h
    return passes


def _record_value(
    tape: Tape, function: Activation, z: Array, value: Array, over_samples: bool
) -> None:
    """Record ``function`` of ``z``; what it sums over units may be summed over samples instead."""
    if over_samples:
        z, value = z.swapaxes(0, 1), value.swapaxes(0, 1)
    function.forward(tape, z, value)


class Forward:
    """The forward pass of fixed inputs, to be played whenever the parameters have changed.

    ``algebra`` is that of one network if None; arrays are followed by its axes.
    """

    def __init__(
        self,
        configuration: Configuration,
        parameters: Parameters,
        x: Array,
        algebra: Algebra | None = None,
    ) -> None:
        tape, algebra = Tape(), algebra or Single()
        self.layers = record_forward(
            tape,
            configuration,
            parameters,
            x,
            lambda name, *shape: np.empty((*shape, *algebra.tail)),
            algebra,
            faults_by_layer(configuration),
        )
        self.calls = tuple(tape.calls)

    def play(self) -> Array:
        """Fill the layers' buffers and return the network's output, (outputs, samples)."""
        with np.errstate(all="ignore"):
            for call in self.calls:
                call()
        return self.layers[-1].h
