"""Makes the preset of a description: its table, and its text with the program's names."""

import os
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from nntui.core.errors import ConfigError
from nntui.core.parts.activations import KINKS
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.presets.preset import Preset
from nntui.presets.schema import read_preset
from nntui.presets.sections import read_faults
from nntui.presets.writer import to_toml
from nntui.program.recognise.description import DenseLayer, Description, Spot
from nntui.program.recognise.fitting.activation_names import kink_of, name_activation
from nntui.program.recognise.fitting.first_weights import drawn
from nntui.program.recognise.fitting.forced_updates import ForcedUpdates
from nntui.program.recognise.fitting.layer_search import (
    LayerSearch,
    Solution,
    merged_faults,
)
from nntui.program.recognise.fitting.reported_fit import Reported, ReportedFit
from nntui.program.recognise.fitting.unmatched import UnmatchedError
from nntui.program.recognise.recognised import Counterpart

Array = np.ndarray
Keys = dict[str, Any]

MOST_SCHEDULES = 24
BUDGET = 1000
"""Epochs of a preset whose program does not say how many it makes."""
HEADER = "the same network as {file}: {updates} updates{losses} agree to 1e-9"


@dataclass(frozen=True)
class Made:
    """A preset, not yet proven."""

    table: Keys
    preset: Preset
    description: Description
    reported: Reported | None
    correspondence: tuple[Counterpart, ...]


def preset_of(description: Description, seconds: float = 10.0) -> Iterator[Made]:
    """Presets that should compute what is described, the most natural first.

    A column of ones that is no bias may be one all the same, which penalties spare.  Raises
    UnmatchedError for what no preset does.
    """
    variants = [description]
    if description.column_of_ones is not None:
        variants.append(description.with_bias_of(description.column_of_ones))
    first: UnmatchedError | None = None
    until = time.monotonic() + seconds
    for deep, variant in product((False, True), variants):
        left = max(until - time.monotonic(), 1.0)
        try:
            yield from _presets(variant, deep, left)
        except UnmatchedError as error:
            first = first or error
        else:
            return
    assert first is not None
    raise first


def _presets(description: Description, deep: bool, seconds: float) -> Iterator[Made]:
    if len(description.inputs) < 1 or not np.isfinite(description.inputs).all():
        raise UnmatchedError("the data hold numbers that are not finite")
    forward_faults: list[Keys] = []
    layers = _layers(description, forward_faults)
    base = _base(description, layers)
    fit = ReportedFit(
        description, replace(base, faults=read_faults(forward_faults)), ForcedUpdates(description)
    )
    first = fit.fit()
    solution, search = _solved(
        description, layers, forward_faults, _likely(description, first), deep, seconds
    )
    named = search.named(
        solution, None if first is None else (first.keys["loss"], first.keys["reduction"])
    )
    reported = fit.fit(named.rule.keys.get("l2", 0.0))
    for order in _orders(description):
        for start in _starts(description):
            table = _table(description, layers, named, forward_faults, reported, order, start)
            preset = read_preset("program", table)
            yield Made(
                table,
                preset,
                description,
                reported,
                tuple(_correspondence(description, named, reported)),
            )


def _likely(description: Description, reported: Reported | None) -> str:
    """The loss that is most likely minimised: the one that was judged, else the reported one."""
    if description.loss in LOSSES:
        return description.loss
    return "" if reported is None else str(reported.keys["loss"])


def with_later_rates(made: Made, last: int, first: int) -> Iterator[Made]:
    """The same with each schedule that changes the rate between these two updates.

    Its constants are looked for among the numbers of the program's text.
    """
    description = made.description
    updates = int(np.count_nonzero(description.epochs == 0))
    numbers = sorted({abs(each) for each in description.literals})
    shares = [each for each in numbers if 0.0 < each < 1.0]
    shares += [1.0 / each for each in numbers if each in (2.0, 5.0, 10.0)]
    periods = [int(each) for each in numbers if last < each * updates <= first and each % 1 == 0]
    options = [("step", share, period) for period in periods for share in shares]
    options += [("exponential", share, 1) for share in shares if share > 0.9]
    options += [("inverse", share, 1) for share in shares if share < 0.1]
    for schedule, decay, every in options[:MOST_SCHEDULES]:
        keys = {"schedule": schedule, "schedule_decay": decay, "schedule_every": every}
        table = {**made.table, "training": {**made.table["training"], **keys}}
        yield replace(made, table=table, preset=read_preset("program", table))


# The network.


def _layers(description: Description, faults: list[Keys]) -> list[Keys]:
    layers = []
    samples = len(description.batches[0])
    for number, layer in enumerate(description.layers):
        if layer.b is not None and layer.shared and layer.b.shape[1] > 1:
            last = layer.b[-1]
            if (layer.b == layer.b[:, :1]).all() and (last != layer.b[0]).any():
                raise UnmatchedError("one number is the bias of all units of a layer", layer.z)
        keys: Keys = {"units": layer.W.shape[1], **name_activation(layer, number, faults, samples)}
        kink = kink_of(layer, keys)
        if kink is not None:
            keys["kink"] = kink
        if layer.b is None:
            keys["bias"] = "none"
        if layer.bias_behind:
            faults.append({"name": "bias-after-activation", "layers": [number]})
        layers.append(keys)
    return layers


def _base(description: Description, layers: Sequence[Keys]) -> Configuration:
    """The network without a training; the batch is the largest that was seen."""
    numbers = [
        {**keys, "W": layer.W[0].tolist(), **_b(layer, 0)}
        for keys, layer in zip(layers, description.layers, strict=True)
    ]
    others = [x.shape[1] for each in description.trajectories for x in each.x]
    largest = max([len(each) for each in description.batches] + others)
    rows = max(largest, len(description.inputs))
    repeated = np.resize(np.arange(len(description.inputs)), rows)
    table = {
        "data": {
            "inputs": description.inputs[repeated].tolist(),
            "targets": description.targets[repeated].tolist(),
        },
        "layers": numbers,
        "training": {"loss": "half-squared-error", "learning_rate": 1.0, "batch": largest},
        "report": {"loss": "half-squared-error"},
        "goal": {"loss": 0.0, "epochs": 1},
    }
    return read_preset("program", table).configuration


def _b(layer: DenseLayer, update: int) -> Keys:
    return {} if layer.b is None else {"b": layer.b[update].tolist()}


def _solved(
    description: Description,
    layers: list[Keys],
    faults: list[Keys],
    likely: str,
    deep: bool,
    seconds: float,
) -> tuple[Solution, LayerSearch]:
    """The training, with the kink that the program has where its formulas do not say."""
    unknown = [
        keys
        for keys, layer in zip(layers, description.layers, strict=True)
        if keys["activation"] in ("relu", "leaky-relu")
        and "kink" not in keys
        and (layer.values[0] == 0.0).any()
    ]
    first: UnmatchedError | None = None
    for kink in KINKS if unknown else (None,):
        for keys in unknown:
            keys["kink"] = kink
        base = _base(description, layers)
        search = LayerSearch(description, base, faults, likely, seconds)
        try:
            return search.solve(deep), search
        except UnmatchedError as error:
            first = first or error
    assert first is not None
    raise first


# The table.


def _orders(description: Description) -> Iterator[Keys]:
    """The entries for the order of the rows: as they stand, or as NumPy's generator draws them."""
    rows, batches, epochs = len(description.inputs), description.batches, description.epochs
    size = max(len(each) for each in batches)
    full = all(len(each) == rows for each in batches)
    if full:
        yield {}
        return
    batch: Keys = {"batch": size}
    used = [np.concatenate([b for b, e in zip(batches, epochs, strict=True) if e == at])
            for at in range(int(epochs[-1]) + 1)]  # fmt: skip
    if all((each == np.arange(rows)[: len(each)]).all() for each in used):
        yield batch
        return
    if all(len(set(each.tolist())) == len(each) for each in used):
        yield {**batch, "order": "shuffled"}
        return
    draws = len(used[0])
    yield {**batch, "order": "random", **({} if draws == rows else {"draws": draws})}


def _starts(description: Description) -> Iterator[tuple[int, Keys, list[Keys]]]:
    """Seed, draws, and what each layer starts from: draws if there are any, else numbers."""
    found = drawn(description)
    if found is not None:
        yield found
    numbers: list[Keys] = [
        {"W": layer.W[0].tolist(), **_b(layer, 0)} for layer in description.layers
    ]
    for seed in dict.fromkeys((*description.seeds, 0)):
        yield seed, {}, numbers


def _table(
    description: Description,
    layers: Sequence[Keys],
    solution: Solution,
    forward_faults: Sequence[Keys],
    reported: Reported | None,
    order: Keys,
    start: tuple[int, Keys, list[Keys]],
) -> Keys:
    seed, draws, first = start
    training = solution.configuration.training
    keys: Keys = {
        "loss": training.loss,
        "reduction": training.reduction,
        **solution.rule.keys,
        "learning_rate": solution.rule.rate,
        **order,
    }
    faults = merged_faults([*forward_faults, *solution.faults], len(layers))
    report: Keys = {"loss": training.loss, "reduction": training.reduction}
    if reported is not None:
        report = dict(reported.keys)
        faults += reported.faults
        if reported.l2 is not None:
            keys.setdefault("l2", reported.l2)
    if "l2" in keys:
        keys |= _per_sample(keys["l2"], description)
    constant = _constant_inputs(description)
    width = description.inputs.shape[1] - len(constant)
    table: Keys = {
        "seed": seed,
        "faults": faults,
        "data": {
            "inputs": description.inputs[:, :width].tolist(),
            "targets": description.targets.tolist(),
            **({"constant_inputs": constant} if constant else {}),
        },
        "layers": [{**own, **others} for own, others in zip(layers, first, strict=True)],
        "draws": draws,
        "training": keys,
        "report": report,
        "goal": _goal(description, reported),
    }
    return {key: value for key, value in table.items() if value or key not in ("faults", "draws")}


def _per_sample(l2: float, description: Description) -> Keys:
    rows = len(description.inputs)
    for each in description.constants:
        if each.value and abs(l2 * rows - each.value) <= 1e-9 * each.value:
            return {"l2": each.value, "l2_per_sample": True}
    return {"l2": l2}


def _constant_inputs(description: Description) -> list[float]:
    """A last column of ones, unless it is all there is."""
    inputs = description.inputs
    if inputs.shape[1] > 1 and len(inputs) > 1 and (inputs[:, -1] == 1.0).all():
        return [1.0]
    return []


def _goal(description: Description, reported: Reported | None) -> Keys:
    epochs = description.budget or BUDGET
    if description.stops_at is not None:
        factor = 1.0 if reported is None else reported.factor
        return {"loss": description.stops_at / factor, "epochs": epochs, "stop": True}
    values = np.zeros(1) if reported is None else reported.values
    finite = values[np.isfinite(values)]
    first = float(finite[0]) if finite.size else 0.0
    return {"loss": float(f"{0.01 * first:.1g}") if first > 0.0 else 0.0, "epochs": epochs}


# The text.


def text_of(made: Made, path: str) -> str:
    """The preset as TOML, with comments that tell what of the program it is."""
    description, reported = made.description, made.reported
    name = os.path.basename(path)
    losses = " and the losses" if reported is not None else ""
    lines = [HEADER.format(file=name, updates=description.updates, losses=losses)]
    for each in made.correspondence:
        where = "" if each.line is None else f"line {each.line}"
        if each.file is not None and os.path.basename(each.file) != name:
            where = f"{os.path.basename(each.file)} {where}"
        named = f"{each.name}, {where}" if each.name and where else each.name or where
        lines.append(f"{each.key}: {named}")
    if reported is None and description.series:
        lines.append("the reported loss is that of the training: no number that it prints is one")
    elif reported is not None and reported.factor != 1.0:
        lines.append(f"the program prints {reported.factor:.9g} times the reported loss")
    return "".join(f"# {line}\n" for line in lines) + "\n" + to_toml(made.preset)


def read_text(text: str, name: str = "program") -> Preset:
    """The preset in ``text``, as it is read from a file."""
    return read_preset(name, tomllib.loads(text))


def _correspondence(
    description: Description, solution: Solution, reported: Reported | None
) -> Iterator[Counterpart]:
    for number, layer in enumerate(description.layers):
        for key, names in (("W", layer.weights), ("b", layer.biases)):
            if names:
                shown = names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}"
                yield _counterpart(f"layers.{number}.{key}", shown, layer.z)
        yield _counterpart(f"layers.{number}.activation", "", layer.a)
    for each in description.constants:
        # A rate of 1 need not stand anywhere, and many other numbers are 1.
        if each.value == solution.rule.rate and (each.name or each.value != 1.0):
            yield _counterpart("training.learning_rate", each.name, each.spot)
            break
    if reported is not None:
        yield _counterpart("report.loss", reported.series.name, reported.series.spot)


def _counterpart(key: str, name: str, spot: Spot | None) -> Counterpart:
    return Counterpart(
        key, name, None if spot is None else spot.file, None if spot is None else spot.line
    )


__all__ = ["LOSSES", "ConfigError", "Made", "preset_of", "read_text", "text_of"]
