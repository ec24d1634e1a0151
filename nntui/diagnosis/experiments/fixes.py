"""Which fixes to try: those of the findings, and the usual ones."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np

from nntui.core.engine.data import load_data
from nntui.core.errors import ConfigError
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.layer_settings import Layer
from nntui.core.tape import Array
from nntui.diagnosis.finding import Finding, Fix
from nntui.diagnosis.rules.usual_fixes import hidden_layer
from nntui.presets.preset import Preset
from nntui.presets.schema import merged, override
from nntui.presets.variations import optimisers, rates

CORRECTION = Fix("mend every code fault", {"faults": []})
"""The fix of proven code faults.  The check decides whether it applies; the preset's list of
faults is emptied without being read."""
LARGEST_BUDGET = 20
"""The most by which a budget is multiplied."""


def candidates(preset: Preset, findings: Sequence[Finding]) -> list[Fix]:
    """The fixes to try on ``preset``: those of ``findings`` first, the best guess leading.

    Left out are fixes that are invalid for the preset, that change nothing, that make its task
    trivial, or that lead to the same configuration as an earlier one.
    """
    wanted = [fix for finding in findings for fix in finding.fixes if fix.changes]
    if any(finding.rule.is_code_fault for finding in findings):
        wanted.insert(0, correction(findings))
    return tried(preset, [*wanted, *standing(preset)])


def correction(findings: Sequence[Finding]) -> Fix:
    """`CORRECTION`, and without the wrong slopes that the code faults of ``findings`` name."""
    keys = [key for finding in findings for fix in finding.fixes for key in fix.changes]
    slopes = [key for key in keys if key.endswith(".slope")]
    return replace(CORRECTION, changes={**CORRECTION.changes, **dict.fromkeys(slopes)})


def own_fixes(finding: Finding) -> tuple[Fix, ...]:
    """The fixes of ``finding`` itself that can be tried."""
    return tuple(fix for fix in finding.fixes if fix.changes)


def tried(preset: Preset, fixes: Sequence[Fix]) -> list[Fix]:
    """Those of ``fixes`` that `candidates` does not leave out."""
    seen, kept = [(preset.configuration, preset.seed, preset.goal)], []
    for fix in fixes:
        try:
            changed = override(preset, fix.changes)
        except ConfigError:
            continue
        made = changed.configuration, changed.seed, changed.goal
        if made not in seen and not _is_trivial(changed.configuration, preset.configuration):
            seen.append(made)
            kept.append(fix)
    return kept


def _is_trivial(changed: Configuration, before: Configuration) -> bool:
    """Whether ``changed`` has nothing left to learn that ``before`` has.

    Scaling makes a constant column 0: constant targets would be met by outputs of 0, and a single
    row would lose its inputs.
    """
    if changed.data == before.data:
        return False
    now, then = load_data(changed), load_data(before)
    return _lost(now.x, then.x) == len(now.x) or _lost(now.y, then.y) > 0


def _lost(now: Array, then: Array) -> int:
    """How many rows of ``now`` are 0 throughout, and were not so ``then``."""
    if now.shape != then.shape:
        return 0
    return int(np.sum(~now.any(axis=1) & then.any(axis=1)))


def combined(one: Fix, other: Fix) -> Fix | None:
    """Both fixes in one; None if they change the same entry."""
    if any(_overlap(mine, yours) for mine in one.changes for yours in other.changes):
        return None
    both = merged(one.changes, other.changes)
    return Fix(f"{one.text}; and {other.text}", both, one.parts + other.parts)


def _overlap(one: str, other: str) -> bool:
    """Whether one of two dotted keys is or contains the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def standing(preset: Preset) -> Iterator[Fix]:
    """The usual first attempts when a network does not learn, independent of the findings.

    They include every published answer to a scenario of the library: momentum, biases, layer
    normalisation, a linear output.
    """
    for text, changes in (*optimisers(preset), *rates(preset)):
        yield Fix(text, changes)
    yield from _layers(preset)
    training = preset.configuration.training
    if training.l1 or training.l2:
        yield Fix("no penalty on the weights", {"training.l1": 0.0, "training.l2": 0.0})
    yield Fix("inputs scaled to mean 0 and spread 1", {"data.scale_inputs": "standard"})
    losses = training.loss, preset.configuration.report.loss
    # A cross-entropy has no least value for targets outside of 0 to 1, so that any goal is reached.
    if not any(LOSSES[each].is_entropy for each in losses):
        yield Fix("targets scaled to mean 0 and spread 1", {"data.scale_targets": "standard"})


def _layers(preset: Preset) -> Iterator[Fix]:
    layers = preset.configuration.layers
    last, hidden = len(layers) - 1, range(len(layers) - 1)
    everywhere = [at for at, layer in enumerate(layers) if layer.bias != "per-unit"]
    yield Fix("a bias for every unit", _each(everywhere, "bias", "per-unit"))
    yield Fix("a bias for the output", {f"layers.{last}.bias": "per-unit"})
    yield Fix("a linear output", {f"layers.{last}.activation": "identity"})
    for name in ("tanh", "leaky-relu"):
        yield Fix(f"{name} in the hidden layers", _each(hidden, "activation", name))
    yield from _starts(preset)
    if hidden:
        twice = {f"layers.{at}.units": 2 * layers[at].units for at in hidden}
        yield Fix("twice the hidden units", twice | _drawn_anew(layers))
    else:
        yield hidden_layer(preset)
    yield Fix("layer normalisation of the hidden layers", _each(hidden, "normalise", True))


def _starts(preset: Preset) -> Iterator[Fix]:
    """Other first weights."""
    layers = preset.configuration.layers
    for name, words in (("he", "He"), ("xavier", "Xavier")):
        started = _each(range(len(layers)), "init", name) | _each(range(len(layers)), "scale", 1.0)
        yield Fix(f"weights drawn as {words} proposes", started)
    for factor, words in ((4.0, "four times"), (0.25, "a quarter of")):
        scales = {f"layers.{at}.scale": layer.scale * factor for at, layer in enumerate(layers)}
        yield Fix(f"first weights {words} their size", scales)


def longer(preset: Preset, epochs_needed: float) -> Fix | None:
    """A budget in which a run that needs ``epochs_needed`` in all learns; None if none is sane.

    It is half as much again, rounded up to one digit.
    """
    given = preset.goal.epochs
    if not isfinite(epochs_needed) or not given < epochs_needed * 1.5 <= LARGEST_BUDGET * given:
        return None
    unit = 10 ** (len(str(int(epochs_needed * 1.5))) - 1)
    epochs = -(-int(epochs_needed * 1.5) // unit) * unit
    return Fix(f"train for longer: {epochs:,} epochs", {"goal.epochs": epochs})


def _drawn_anew(layers: Sequence[Layer]) -> dict[str, Any]:
    """What draws the parameters that are given as numbers, where these would no longer fit."""
    weights = {f"layers.{at}.init": x.init for at, x in enumerate(layers) if x.W is not None}
    biases = {f"layers.{at}.bias_init": x.bias_init for at, x in enumerate(layers) if x.b}
    return weights | biases


def _each(places: Sequence[int], key: str, value: Any) -> dict[str, Any]:
    return {f"layers.{at}.{key}": value for at in places}
