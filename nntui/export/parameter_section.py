"""The part of a script that draws the first parameters, in nntui's order."""

from collections.abc import Callable, Iterator

from nntui.core.settings.configuration import Configuration, Layer
from nntui.export.formatting import times


def _within(rows: int, columns: int) -> str:
    return f"random.uniform(-bound, bound, ({rows}, {columns}))"


INITIALISERS: dict[str, Callable[[int, int], str]] = {
    "normal": lambda rows, columns: f"random.randn({rows}, {columns})",
    "uniform": lambda rows, columns: f"random.rand({rows}, {columns})",
    "he": lambda rows, columns: f"random.randn({rows}, {columns}) * np.sqrt(2 / {columns})",
    "he-uniform": _within,
    "xavier": lambda rows, columns: (
        f"random.randn({rows}, {columns}) * np.sqrt(2 / {rows + columns})"
    ),
    "xavier-uniform": _within,
    "lecun": lambda rows, columns: f"random.randn({rows}, {columns}) * np.sqrt(1 / {columns})",
    "lecun-uniform": _within,
    "zeros": lambda rows, columns: f"np.zeros(({rows}, {columns}))",
}
"""Expressions that draw a matrix of (units out, units in)."""

BOUNDS: dict[str, Callable[[int, int], str]] = {
    "he-uniform": lambda rows, columns: f"np.sqrt(6 / {columns})",
    "xavier-uniform": lambda rows, columns: f"np.sqrt(6 / {rows + columns})",
    "lecun-uniform": lambda rows, columns: f"np.sqrt(3 / {columns})",
}
"""What some of these call ``bound``."""

_BIASES = {"zeros": "np.zeros({})", "normal": "random.randn({})", "uniform": "random.rand({})"}


def parameter_section(configuration: Configuration, wrap: Callable[[str], str]) -> Iterator[str]:
    """Statements that make W0, b0, W1, ...; ``wrap`` turns an array into what is trained."""
    yield "# Parameters: W is (units out, units in); the draws are those of nntui for this seed."
    yield "random = np.random.RandomState(SEED)"
    inputs = configuration.data.width
    for k, layer in enumerate(configuration.layers):
        drawn = INITIALISERS[layer.init](layer.units, inputs)
        if layer.init in BOUNDS:
            yield f"bound = {BOUNDS[layer.init](layer.units, inputs)}"
        if layer.scale != 1.0 and " * " in drawn:
            drawn = f"({drawn})"
        yield f"W{k} = {wrap(times(layer.scale, drawn))}"
        if layer.bias != "none":
            yield f"b{k} = {wrap(_bias(layer))}"
        inputs = layer.units


def _bias(layer: Layer) -> str:
    draw = _BIASES[layer.bias_init]
    if layer.bias == "shared-start" and layer.bias_init != "zeros":
        return f"np.full({layer.units}, {times(layer.bias_scale, draw.format(''))})"
    scale = layer.bias_scale if layer.bias_init != "zeros" else 1.0
    return times(scale, draw.format(layer.units))
