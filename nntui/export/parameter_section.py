"""The section of a script that draws the first parameters, in the same order as nntui."""

from collections.abc import Callable, Iterator

from nntui.core.parts.initialisers import INITIALISERS
from nntui.core.settings.configuration import Configuration, Layer
from nntui.export.formatting import times


def parameter_section(configuration: Configuration, wrap: Callable[[str], str]) -> Iterator[str]:
    """Statements that make W0, b0, W1, ...; ``wrap`` turns an array into a trainable tensor."""
    yield "# Parameters: W is (units out, units in); the draws are those of nntui for this seed."
    yield "random = np.random.RandomState(SEED)"
    inputs = configuration.data.width
    for k, layer in enumerate(configuration.layers):
        initialiser = INITIALISERS[layer.init]
        drawn = initialiser.source(layer.units, inputs)
        if initialiser.distribution == "symmetric":
            yield f"bound = {initialiser.spread_source(layer.units, inputs)}"
        if layer.scale != 1.0 and " * " in drawn:
            drawn = f"({drawn})"
        yield f"W{k} = {wrap(times(layer.scale, drawn))}"
        if layer.bias != "none":
            yield f"b{k} = {wrap(_bias(layer))}"
        inputs = layer.units


def _bias(layer: Layer) -> str:
    initialiser = INITIALISERS[layer.bias_init]
    if initialiser.distribution == "zeros":
        return initialiser.source(layer.units)
    if layer.bias == "shared-start":
        return f"np.full({layer.units}, {times(layer.bias_scale, initialiser.source())})"
    return times(layer.bias_scale, initialiser.source(layer.units))
