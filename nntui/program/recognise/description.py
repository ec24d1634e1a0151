"""What a program trains: its layers, data, batches, losses and updates, as they were observed.

It is read off a recording inside the program's process and travels to nntui's, where a preset is
made of it.  It imports the standard library and NumPy alone.

Layers, samples, epochs and updates count from 0; update k is the state after k updates.  Whatever
orientation the program keeps its arrays in, here W is (units, inputs), b is (units,), rows of data
are samples.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Spot:
    """A place in the program."""

    file: str
    line: int
    text: str = ""
    """Its source."""


@dataclass(frozen=True)
class DenseLayer:
    """One layer of the program: z = W x + b, a = f(z)."""

    weights: tuple[str, ...]
    """The program's names of what holds W: one for a matrix, several where it is kept in parts."""
    biases: tuple[str, ...]
    """Likewise of b; empty without a bias."""
    W: Array
    """By update, (updates + 1, units, inputs); a constant input that is no bias has a column."""
    b: Array | None
    """By update, (updates + 1, units)."""
    transposed: bool
    """Whether the program keeps W as (inputs, units)."""
    values: Array
    """z and f(z) as they were seen, (2, units, samples)."""
    formula: str | None
    """f(z) as the program writes it, as a formula of z; None where it is no such formula."""
    slopes: tuple[str, ...]
    """What the program multiplies by on its way back, as formulas of z and a."""
    bias_behind: bool
    """Whether b is added to f(W x)."""
    z: Spot | None
    """Where W x + b is computed."""
    a: Spot | None
    """Where f is."""
    step: Spot | None = None
    """Where W gets its new value."""
    shared: bool = False
    """Whether one number is the bias of all units."""


@dataclass(frozen=True)
class Trajectory:
    """Updates that the program made from other first parameters, its optimiser's memory at 0."""

    W: tuple[Array, ...]
    """By layer, (updates + 1, units, inputs)."""
    b: tuple[Array | None, ...]
    """By layer, (updates + 1, units)."""
    x: tuple[Array, ...]
    """By update, the inputs, (inputs, samples)."""
    y: tuple[Array, ...]
    """By update, the targets, (outputs, samples)."""


@dataclass(frozen=True)
class Checkpoint:
    """The parameters at a later update, up to which the program ran unobserved."""

    update: int
    W: tuple[Array, ...]
    """By layer, (units, inputs)."""
    b: tuple[Array | None, ...]
    """By layer, (units,)."""


@dataclass(frozen=True)
class Series:
    """A number that the program computes again and again, such as its loss."""

    name: str
    """The variable that held it first; may be empty."""
    spot: Spot | None
    printed: bool
    """Whether it is printed or kept in a list."""
    updates: Array
    """By occurrence, the update in whose turn of the loop it was computed, (occurrences,)."""
    values: Array
    """(occurrences,)."""


@dataclass(frozen=True)
class Constant:
    """A number that goes into the updates, such as a learning rate."""

    value: float
    name: str
    spot: Spot | None


@dataclass(frozen=True)
class Fault:
    """A finding of the check, as far as it helps to name nntui's fault."""

    code: str
    file: str | None
    line: int | None
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """A program's network, data and training; `reason` if it has a part without counterpart."""

    layers: tuple[DenseLayer, ...] = ()
    inputs: Array = field(default_factory=lambda: np.zeros((0, 0)))
    """The rows that training uses, (rows, inputs), in the order of the program's own array if that
    was found, else as the first epoch uses them."""
    targets: Array = field(default_factory=lambda: np.zeros((0, 0)))
    """(rows, outputs)."""
    batches: tuple[Array, ...] = ()
    """By update, the numbers of the rows that it uses, in this order."""
    epochs: Array = field(default_factory=lambda: np.zeros(0, int))
    """By update, the epoch that it belongs to."""
    trajectories: tuple[Trajectory, ...] = ()
    """From other first parameters, which show what saturated and dead units hide."""
    checkpoints: tuple[Checkpoint, ...] = ()
    """In the order of their updates."""
    budget: int | None = None
    """How many epochs the program makes, if its loop says so."""
    printed: Array = field(default_factory=lambda: np.zeros(0, int))
    """The updates in whose turns something was printed, as far as the program was watched."""
    shuffles: tuple[Spot, ...] = ()
    """Where the program draws an order or a sample of its rows."""
    stops_at: float | None = None
    """The loss at which its loop stops, if it does."""
    loss: str = ""
    """The kind of the loss that the check held the updates against."""
    series: tuple[Series, ...] = ()
    """What may be the reported loss, the most likely first."""
    constants: tuple[Constant, ...] = ()
    literals: tuple[float, ...] = ()
    """The numbers in the program's text."""
    memories: tuple[str, ...] = ()
    """The optimiser's, by the program's names."""
    adapts: bool = False
    """Whether a root or a power of a memory comes into the updates, as with Adam."""
    clips: bool = False
    """Whether what could clip a gradient comes into the updates."""
    faults: tuple[Fault, ...] = ()
    seeds: tuple[int, ...] = ()
    """That NumPy's legacy generator may have begun with."""
    reason: str | None = None
    """What has no counterpart in a preset, as a clause; None if all was read."""
    spot: Spot | None = None
    """Where that is."""

    @property
    def updates(self) -> int:
        """How many updates were observed."""
        return len(self.batches)

    def named(self, name: str) -> tuple[int, str] | None:
        """The layer and ``W`` or ``b`` that the program's ``name`` holds; None for others."""
        for at, layer in enumerate(self.layers):
            if name in layer.weights:
                return at, "W"
            if name in layer.biases:
                return at, "b"
        return None

    @property
    def column_of_ones(self) -> int | None:
        """The first input that is 1 in all rows, if the first layer has no bias."""
        if not self.layers or self.layers[0].b is not None or self.inputs.shape[1] < 2:
            return None
        ones = np.flatnonzero((self.inputs == 1.0).all(axis=0))
        return int(ones[0]) if ones.size else None

    def with_bias_of(self, column: int) -> "Description":
        """The same with the first layer's weights of an input that is 1 as its bias."""
        first = self.layers[0]
        layer = replace(first, W=np.delete(first.W, column, axis=2), b=first.W[:, :, column].copy())
        moved = [
            replace(
                each,
                W=(np.delete(each.W[0], column, axis=2), *each.W[1:]),
                b=(each.W[0][:, :, column].copy(), *each.b[1:]),
                x=tuple(np.delete(x, column, axis=0) for x in each.x),
            )
            for each in self.trajectories
        ]
        later = [
            replace(
                each,
                W=(np.delete(each.W[0], column, axis=1), *each.W[1:]),
                b=(each.W[0][:, column].copy(), *each.b[1:]),
            )
            for each in self.checkpoints
        ]
        return replace(
            self,
            checkpoints=tuple(later),
            layers=(layer, *self.layers[1:]),
            inputs=np.delete(self.inputs, column, axis=1),
            trajectories=tuple(moved),
        )

    def as_plain(self) -> dict[str, Any]:
        """Dictionaries, lists, numbers and arrays, as `nntui.program.control.wire` sends them."""
        plain: dict[str, Any] = _plain(self)
        return plain

    @classmethod
    def from_plain(cls, value: Mapping[str, Any]) -> "Description":
        """The description that `as_plain` wrote."""
        read = dict(value)
        read["layers"] = tuple(
            DenseLayer(
                **{
                    **each,
                    "weights": tuple(each["weights"]),
                    "biases": tuple(each["biases"]),
                    "slopes": tuple(each["slopes"]),
                    **{name: _spot(each[name]) for name in ("z", "a", "step")},
                }
            )
            for each in value["layers"]
        )
        read["trajectories"] = tuple(
            Trajectory(**{name: tuple(part) for name, part in each.items()})
            for each in value["trajectories"]
        )
        read["checkpoints"] = tuple(
            Checkpoint(each["update"], tuple(each["W"]), tuple(each["b"]))
            for each in value["checkpoints"]
        )
        read["series"] = tuple(
            Series(**{**each, "spot": _spot(each["spot"])}) for each in value["series"]
        )
        read["constants"] = tuple(
            Constant(**{**each, "spot": _spot(each["spot"])}) for each in value["constants"]
        )
        read["faults"] = tuple(
            Fault(**{**each, "parameters": tuple(each["parameters"])}) for each in value["faults"]
        )
        for name in ("batches", "memories", "seeds", "literals"):
            read[name] = tuple(value[name])
        read["shuffles"] = tuple(Spot(**each) for each in value["shuffles"])
        read["spot"] = _spot(value["spot"])
        return cls(**read)


def _spot(value: Mapping[str, Any] | None) -> Spot | None:
    return None if value is None else Spot(**value)


def _plain(value: Any) -> Any:
    if isinstance(
        value, (Description, DenseLayer, Trajectory, Checkpoint, Series, Constant, Fault, Spot)
    ):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
