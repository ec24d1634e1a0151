"""Puts the description of a network together from the updates that were read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.recognise.description import (
    Checkpoint,
    Constant,
    DenseLayer,
    Description,
    Fault,
    Series,
    Trajectory,
)
from nntui.program.recognise.reading.data_rows import data_rows
from nntui.program.recognise.reading.extent import shuffles_of
from nntui.program.recognise.reading.layers.update_numbers import LayerNumbers, UpdateNumbers
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.recognise.reading.numbers_seen import spot_of
from nntui.program.recognise.reading.traits import literals_in, seeds_in
from nntui.program.record.places import Places

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

Array = np.ndarray

SAMPLES_KEPT = 1000
"""Samples of which activations are kept."""


@dataclass
class Seen:
    """What was read of a program's updates."""

    places: Places
    loss: str
    snapshots: list[UpdateNumbers] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    """By update, the turn of the loop around."""
    last: dict[str, Any] = field(default_factory=dict)
    """The parameters behind the last update, by name."""
    ended: bool = False
    """Whether the program made no more updates."""
    varied: list[dict[str, Any]] = field(default_factory=list)
    """Replies of `trajectory_of`."""
    held: list[Array] = field(default_factory=list)
    formulas: list[tuple[str | None, tuple[str, ...]]] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=dict)
    """By parameter, the place where it gets its new value."""
    memories: tuple[str, ...] = ()
    adapts: bool = False
    clips: bool = False
    budget: int | None = None
    stops_at: float | None = None
    printed: list[int] = field(default_factory=list)
    later: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Updates behind those that were read, and the parameters then, by name."""


def trajectory_of(seen: Seen) -> dict[str, Any]:
    """The updates as they are: the reply of a fork with other first parameters."""
    snapshots = seen.snapshots
    if len(snapshots) < 2:
        return {}
    layers = [[each.layers[at] for each in snapshots] for at in range(len(snapshots[0].layers))]
    return {
        "W": [np.stack([each.W for each in own]) for own in layers],
        "b": [_biases(own) for own in layers],
        "x": [each.x for each in snapshots[:-1]],
        "y": [each.y for each in snapshots[:-1]],
        "values": [_activations(own) for own in layers],
        "clips": seen.clips,
    }


def assembled(
    seen: Seen, execution: "Execution", series: tuple[Series, ...], faults: tuple[Fault, ...]
) -> Description:
    """The description; raises NoCounterpartError for what changes from update to update."""
    snapshots = seen.snapshots
    if len(snapshots) + seen.ended < 2:
        raise NoCounterpartError("fewer than two updates could be read")
    first = snapshots[0]
    shapes = [layer.W.shape for layer in first.layers]
    if any([layer.W.shape for layer in each.layers] != shapes for each in snapshots):
        raise NoCounterpartError("the network changes from update to update")
    samples = [(each.x, each.y) for each in snapshots]
    rows = data_rows(samples, seen.turns, seen.held, seen.ended)
    # Of an update without a successor it is known where it ends only if it is the very last.
    count = len(snapshots) if seen.ended else len(snapshots) - 1
    chosen = execution.world.seeding.chosen
    found = Description(
        layers=tuple(_layer(seen, at) for at in range(len(first.layers))),
        inputs=rows.inputs,
        targets=rows.targets,
        batches=tuple(rows.batches[:count]),
        epochs=rows.epochs[:count],
        trajectories=tuple(
            Trajectory(*(tuple(each[name]) for name in ("W", "b", "x", "y")))
            for each in seen.varied
        ),
        checkpoints=tuple(_checkpoints(seen)),
        budget=int(rows.epochs[-1]) + 1 if seen.ended else seen.budget,
        printed=np.array(seen.printed, int),
        shuffles=shuffles_of(execution.sources, execution.source.path),
        stops_at=seen.stops_at,
        loss=seen.loss,
        series=series,
        constants=tuple(seen.constants),
        literals=literals_in(execution.sources),
        memories=seen.memories,
        adapts=seen.adapts,
        clips=seen.clips or any(each["clips"] for each in seen.varied),
        faults=faults,
        seeds=seeds_in(execution.sources) if chosen is None else (chosen,),
    )
    return _with_own_bias(found, first.layers[0])


def _layer(seen: Seen, at: int) -> DenseLayer:
    own = [each.layers[at] for each in seen.snapshots]
    first, last = own[0], own[-1]
    W, b = [each.W for each in own], _biases(own)
    if seen.ended:
        W.append(_held(last.W_names, last.W_places, seen.last))
        end = _held_bias(last, seen.last)
        if b is not None and end is not None:
            b = np.concatenate([b, [end]])
    formula, slopes = seen.formulas[at]
    return DenseLayer(
        weights=first.W_names,
        biases=next((each.b_names for each in own if each.b is not None), ()),
        W=np.stack(W),
        b=b,
        transposed=_is_transposed(first.W_places),
        values=np.concatenate(
            [_activations(own), *(each["values"][at] for each in seen.varied)], axis=2
        ),
        formula=formula,
        slopes=slopes,
        bias_behind=first.behind,
        z=spot_of(seen.places, first.z_place),
        a=spot_of(seen.places, first.f_place),
        step=spot_of(seen.places, seen.steps.get(first.W_names[0], -1)),
        shared=first.shared,
    )


def _activations(own: Sequence[LayerNumbers]) -> Array:
    """z and f(z) of a layer, (2, units, samples), of its first samples."""
    z = np.concatenate([each.z for each in own], axis=1)
    f = np.concatenate([each.f for each in own], axis=1)
    return np.stack([z, f])[:, :, :SAMPLES_KEPT]


def _is_transposed(places: Array) -> bool:
    """Whether the units' weights are columns of the array that the program keeps."""
    return bool(
        places.shape[0] > 1
        and places.shape[1] > 1
        and places[0, 1] - places[0, 0] > places[1, 0] - places[0, 0]
    )


def _held(names: Sequence[str], places: Array, values: Mapping[str, Any]) -> Array:
    """What the program's variables hold where ``places`` are, see `LayerNumbers.W_places`."""
    found = np.empty(places.shape)
    for number, name in enumerate(names):
        here = places >> 32 == number
        found[here] = np.asarray(values[name], float).reshape(-1)[places[here] & 0xFFFFFFFF]
    return found


def _held_bias(numbers: LayerNumbers, values: Mapping[str, Any]) -> Array | None:
    if numbers.b_places is None:
        return None
    return numbers.b_sign * _held(numbers.b_names, numbers.b_places, values)


def _checkpoints(seen: Seen) -> Iterator[Checkpoint]:
    layers = seen.snapshots[-1].layers
    wanted = {name for each in layers for name in (*each.W_names, *each.b_names)}
    for update, values in seen.later:
        if update < len(seen.snapshots) or not wanted <= set(values):
            continue
        W = [_held(each.W_names, each.W_places, values) for each in layers]
        yield Checkpoint(update, tuple(W), tuple(_held_bias(each, values) for each in layers))


def _biases(own: Sequence[LayerNumbers]) -> Array | None:
    """By update, b; zeros where it was not there yet."""
    if all(each.b is None for each in own):
        return None
    zeros = np.zeros(len(own[0].W))
    return np.stack([zeros if each.b is None else each.b for each in own])


def _with_own_bias(description: Description, numbers: LayerNumbers) -> Description:
    """A parameter of its own that is multiplied by ones, as in ``B1.dot(ones)``, is a bias."""
    layer, column = description.layers[0], description.column_of_ones
    if column is None or len(layer.weights) != 2:
        return description
    owners = numbers.W_places >> 32
    own, others = owners[:, column], np.delete(owners, column, axis=1)
    if (own != own[0]).any() or (others != 1 - own[0]).any():
        return description
    found = description.with_bias_of(column)
    weights, biases = (layer.weights[1 - own[0]],), (layer.weights[own[0]],)
    layer = replace(found.layers[0], weights=weights, biases=biases)
    return replace(found, layers=(layer, *found.layers[1:]))
