"""Tells which entries of a preset have no effect as the others are, and what they would need."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from nntui.core.parts.activations import ACTIVATIONS, activation
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.initialisers import INITIALISERS
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.data_settings import SOURCE_DEFAULTS, Data
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Layer
from nntui.core.settings.report_settings import ALL, Report
from nntui.core.settings.training_settings import Training
from nntui.presets.csv_data import CsvSource
from nntui.presets.preset import Preset

CSV = "csv"
SOURCES = {"inputs": "table", "formula": "formula", "set": "set", CSV: CSV}
"""The entries that name a data source, and the name of each source."""

SOURCE_WORDS = {
    "table": "rows written in the preset",
    "formula": "a formula of x",
    "set": "a data set",
    CSV: "a CSV file",
}
"""The sources in words."""


def source_of(preset: Preset) -> str:
    """The name of the data source of ``preset``; see `SOURCES`."""
    if preset.csv_source.csv is not None:
        return CSV
    data = preset.configuration.data
    return next(SOURCES[name] for name in SOURCE_DEFAULTS if getattr(data, name) is not None)


def needed_by(preset: Preset, key: str) -> str:
    """What the entry with that dotted ``key`` needs to have an effect; empty where it has one."""
    top, *place, name = key.split(".")
    configuration = preset.configuration
    match top:
        case "faults" if place:
            return _of_fault(configuration.faults[int(place[0])], name)
        case "layers" if place:
            return _of_layer(configuration.layers[int(place[0])], name)
        case "training":
            return _of_training(configuration.training, name)
        case "report":
            return _of_report(configuration.report, configuration.training, name)
        case "data":
            return _of_data(preset, name)
    return ""


def sources_of(name: str) -> set[str]:
    """The data sources that an entry of the data is limited to; empty if it goes with any.

    The doc of such an entry begins with them: ``formula, set: ...``.
    """
    docs = {each.name: each.metadata["doc"] for kind in (CsvSource, Data) for each in fields(kind)}
    return set(docs[name].partition(":")[0].split(", ")) & set(SOURCES.values())


def _takers(registry: Mapping[str, Any], name: str) -> str:
    """Which entries of a registry read the parameter called ``name``, in words."""
    return _one_of(each for each, kind in registry.items() if name in kind.parameters)


def _one_of(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def _is_parameter(registry: Mapping[str, Any], name: str) -> bool:
    return any(name in kind.parameters for kind in registry.values())


def _of_fault(fault: FaultEntry, name: str) -> str:
    if not _is_parameter(FAULTS, name) or name in FAULTS[fault.name].parameters:
        return ""
    return f"the fault {_takers(FAULTS, name)}"


def _of_layer(layer: Layer, name: str) -> str:
    if _is_parameter(ACTIVATIONS, name):
        used = name in activation(layer.activation, layer.slope).parameters
        return "" if used else f"the activation {_takers(ACTIVATIONS, name)}"
    if name == "slope":
        return "" if layer.activation not in ACTIVATIONS else "a formula as the activation"
    of_bias = name.startswith("bias_") or name == "b"
    if of_bias and layer.bias == "none":
        return "a bias"
    limit, prefix = name.removeprefix("bias_"), "bias_" if of_bias else ""
    if _is_parameter(INITIALISERS, limit):
        given = layer.b if of_bias else layer.W
        drawn = given is None and limit in INITIALISERS[getattr(layer, f"{prefix}init")].parameters
        return "" if drawn else f"{prefix}init {_takers(INITIALISERS, limit)}"
    return ""


def _of_training(training: Training, name: str) -> str:
    if _is_parameter(OPTIMISERS, name):
        used = name in OPTIMISERS[training.optimiser].parameters
        return "" if used else f"the optimiser {_takers(OPTIMISERS, name)}"
    if name in ("schedule_decay", "schedule_every"):
        constant = SCHEDULES[training.schedule].is_constant
        return "a schedule other than constant" if constant else ""
    if name == "draws":
        return "" if training.order == "random" else "order random"
    if name == "l2_per_sample":
        return "" if training.l1 or training.l2 else "l1 or l2"
    return ""


def _of_report(report: Report, training: Training, name: str) -> str:
    if name == "penalty":
        return "" if training.l1 or training.l2 else "training.l1 or training.l2"
    if name == "when":
        return "" if report.rows == ALL else "rows all"
    return ""


def _of_data(preset: Preset, name: str) -> str:
    source, data = source_of(preset), preset.configuration.data
    if name in SOURCES:
        return "" if SOURCES[name] == source else "another source of the data"
    limited = sources_of(name)
    if limited and source not in limited:
        return f"a {_one_of(sorted(limited))}"
    if name == "seed":
        draws = data.set is not None or data.noise or data.test_share
        return "" if draws else "something drawn: a set, noise or test rows"
    return ""
