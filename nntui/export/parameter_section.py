"""The section of a script that draws the first parameters, in the same order as nntui."""

from collections.abc import Callable, Iterator

from nntui.core.parts.initialisers import INITIALISERS, draw_sequence
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.layer_settings import Layer
from nntui.export.formatting import listed, table, times


def parameter_section(configuration: Configuration, wrap: Callable[[str], str]) -> Iterator[str]:
    """Statements that make W0, b0, W1, ...; ``wrap`` turns an array into a trainable tensor."""
    yield "# Parameters: W is (units out, units in); the draws are those of nntui for this seed."
    yield "random = np.random.RandomState(SEED)"
    draws, layers = configuration.draws, configuration.layers
    for kind, count in (("rand", draws.skip_uniform), ("randn", draws.skip_normal)):
        if count:
            yield f"random.{kind}({count})  # drawn and thrown away"
    inputs = [configuration.data.width, *(layer.units for layer in layers)]
    for k, of_bias in draw_sequence(draws.order, tuple(each.bias != "none" for each in layers)):
        if of_bias:
            yield from _bias(layers[k], f"b{k}", wrap)
        else:
            yield from _weights(layers[k], f"W{k}", inputs[k], draws.transposed, wrap)


def _weights(
    layer: Layer, name: str, inputs: int, transposed: bool, wrap: Callable[[str], str]
) -> Iterator[str]:
    if layer.W is not None:
        yield table(name, layer.W)
        yield from _again(name, layer.scale, wrap)
        return
    initialiser = INITIALISERS[layer.init]
    drawn = initialiser.source(
        layer.units, inputs, low=layer.low, high=layer.high, transposed=transposed
    )
    if initialiser.distribution == "symmetric":
        yield f"bound = {initialiser.spread_source(layer.units, inputs)}"
    if layer.scale != 1.0 and " * " in drawn and not drawn.startswith("("):
        drawn = f"({drawn})"
    yield f"{name} = {wrap(times(layer.scale, drawn))}"


def _bias(layer: Layer, name: str, wrap: Callable[[str], str]) -> Iterator[str]:
    if layer.b is not None:
        yield listed(f"{name} = np.array([", [repr(each) for each in layer.b], "])")
        yield from _again(name, layer.bias_scale, wrap)
        return
    initialiser = INITIALISERS[layer.bias_init]
    low, high = layer.bias_low, layer.bias_high
    if initialiser.distribution == "zeros":
        drawn = initialiser.source(layer.units)
    elif layer.bias == "shared-start" and initialiser.draws:
        one = times(layer.bias_scale, initialiser.source(low=low, high=high))
        drawn = f"np.full({layer.units}, {one})"
    else:
        drawn = times(layer.bias_scale, initialiser.source(layer.units, low=low, high=high))
    yield f"{name} = {wrap(drawn)}"


def _again(name: str, scale: float, wrap: Callable[[str], str]) -> Iterator[str]:
    """The statement that makes a parameter of the array ``name``, if that is not one yet."""
    made = wrap(times(scale, name))
    if made != name:
        yield f"{name} = {made}"
