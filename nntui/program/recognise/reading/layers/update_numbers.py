"""One recorded update in numbers: parameters, samples, targets and activations of every layer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nntui.program.judge.update.recorded_update import Recording, ancestors
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.recognise.reading.layers.stack import Level, Stack
from nntui.program.recognise.reading.layers.targets import find_targets
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.record.node import Node
from nntui.program.record.places import Places

Array = np.ndarray


@dataclass
class LayerNumbers:
    """A layer at the start of one update, and what it computed."""

    W: Array
    b: Array | None
    W_names: tuple[str, ...]
    W_places: Array
    """Of each weight, its number in `W_names` times 2**32 plus its flat position there."""
    b_names: tuple[str, ...]
    b_places: Array | None
    b_sign: float
    """-1 where the program subtracts it."""
    shared: bool
    behind: bool
    z: Array
    f: Array
    z_place: int
    f_place: int
    level: Level | None


@dataclass
class UpdateNumbers:
    """One update: (inputs, samples), (outputs, samples), and its layers."""

    x: Array
    y: Array
    layers: list[LayerNumbers] = field(default_factory=list)
    stack: Stack | None = None

    def forget(self) -> None:
        """Let go of the recording that it was read off."""
        self.stack = None
        for each in self.layers:
            each.level = None

    @property
    def is_finite(self) -> bool:
        """Whether all its numbers are."""
        arrays = [self.x, self.y]
        for each in self.layers:
            arrays += [each.W, each.z, each.f, *([] if each.b is None else [each.b])]
        return all(np.isfinite(each).all() for each in arrays)


def read_update(
    recording: Recording,
    parameters: Sequence[str],
    loss: Loss,
    places: Places,
    tops: Sequence[Node] | None = None,
) -> UpdateNumbers:
    """The numbers of ``recording``; the output is read off ``tops`` if given, else off the loss.

    Raises NoCounterpartError for what is no stack of dense layers.
    """
    tops = list(tops or loss.tops(recording))
    if not tops:
        raise NoCounterpartError("the loss is not computed in every update")
    forward = sorted(ancestors(tops))
    stack = Stack(recording, parameters, forward, places)
    targets = find_targets(stack, loss, places)
    layers = [_numbers(stack, level) for level in stack.levels]
    used: dict[tuple[str, int], int] = {}
    for at, layer in enumerate(layers):
        for code in layer.W_places.reshape(-1).tolist():
            name, flat = layer.W_names[code >> 32], code & 0xFFFFFFFF
            if used.setdefault((name, flat), at) != at:
                raise NoCounterpartError(
                    f"{name} is used again by another layer, as in a recurrent network",
                    layer.level.products[0] if layer.level else None,
                )
    unread = [name for name in parameters if not any(each[0] == name for each in used)]
    biases = {name for layer in layers for name in layer.b_names}
    for name in unread:
        if name not in biases:
            raise NoCounterpartError(
                f"{name} is neither the weights nor the bias of a layer",
                next(iter(recording.users[recording.start[name].number]), None),
            )
    return UpdateNumbers(stack.levels[0].x, targets, layers, stack)


def _numbers(stack: Stack, level: Level) -> LayerNumbers:
    W, W_names, W_places = _values(stack, level.weights)
    b: Array | None = None
    b_names: tuple[str, ...] = ()
    b_places: Array | None = None
    shared = False
    if level.bias is not None:
        b, b_names, b_places = _values(stack, level.bias)
        shared = len(level.bias) > 1 and bool((level.bias == level.bias[0]).all())
        if level.negative:
            b = -b
    return LayerNumbers(
        W,
        b,
        W_names,
        W_places,
        b_names,
        b_places,
        -1.0 if level.negative else 1.0,
        shared,
        level.behind,
        level.z,
        level.f,
        _place(level.roots[0]),
        _place(level.f_nodes[0]) if level.f_nodes else -1,
        level,
    )


def _place(node: Node) -> int:
    while node.place < 0 and node.inputs:
        node = node.inputs[0]
    return node.place


def _values(stack: Stack, numbers: Array) -> tuple[Array, tuple[str, ...], Array]:
    """The values of parameters by their identities, and where each is kept."""
    owners, flat = stack.kept(numbers)
    values = np.empty(numbers.shape)
    places = np.empty(numbers.shape, np.int64)
    _, order = np.unique(owners.reshape(-1), return_index=True)
    names: list[str] = []
    for owner in owners.reshape(-1)[np.sort(order)].tolist():
        here = owners == owner
        name = stack.names[owner]
        held = np.asarray(stack.recording.start[name].value, float).reshape(-1)
        values[here] = held[flat[here]]
        places[here] = (len(names) << 32) + flat[here]
        names.append(name)
    return values, tuple(names), places
