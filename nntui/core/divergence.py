"""Where the numbers ended: the first buffer of an update that holds no finite number."""

import numpy as np

from nntui.core.configuration import Configuration
from nntui.core.network import Layout
from nntui.core.state import Divergence
from nntui.core.tape import Arena, Array


def locate(
    arena: Arena, configuration: Configuration, update: int, first_row: int, samples: int
) -> Divergence:
    """The first non-finite number of the update whose buffers ``arena`` holds.

    The arena's order is the order of computation.  ``first_row`` is the data row of the batch's
    first column, ``samples`` how many columns the batch has.
    """
    for name in arena.names:
        tensor = name.rstrip("0123456789")
        number = name[len(tensor) :]
        if number:
            layer = int(number)
            values = arena.view(name, configuration.layers[layer].units, samples)
        elif tensor in ("batch", "error"):
            layer = len(configuration.layers) - 1
            values = arena.view(name, arena.count(name) // configuration.batch_size, samples)
        else:
            found = _in_parameters(
                configuration, update, tensor, arena.view(name, arena.count(name))
            )
            if found is not None:
                return found
            continue
        bad = _first_bad(values)
        if bad is not None:
            (unit, column), value = bad
            return Divergence(update, tensor, layer, (unit,), first_row + column, value)
    return Divergence(update, "loss", None, (), None, "not finite")


def _in_parameters(
    configuration: Configuration, update: int, tensor: str, flat: Array
) -> Divergence | None:
    for layer, tensors in enumerate(Layout.of(configuration).views(flat)):
        for letter, values in zip("Wb", tensors, strict=True):
            bad = None if values is None else _first_bad(values)
            if bad is not None:
                cell, value = bad
                named = letter if tensor == "theta" else f"{tensor} of {letter}"
                return Divergence(
                    update, named, layer, cell if letter == "W" else cell[:1], None, value
                )
    return None


def _first_bad(values: Array) -> tuple[tuple[int, ...], str] | None:
    bad = np.argwhere(~np.isfinite(values))
    if not len(bad):
        return None
    cell = tuple(int(index) for index in bad[0])
    return cell, f"{values[cell]:g}"
