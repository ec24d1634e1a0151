"""Which fixes to try: those of the findings, and the usual ones."""

from collections.abc import Iterator, Sequence
from typing import Any

from nntui.core.errors import ConfigError
from nntui.diagnosis.finding import Finding, Fix
from nntui.presets.preset import Preset
from nntui.presets.schema import merged, override
from nntui.presets.variations import optimisers, rates

CORRECTION = Fix("correct backpropagation: the update follows the stated rule", {"faults": []})
"""The fix of a proven code fault.  The check decides whether it applies; the preset's list of
faults is emptied without being read."""


def candidates(preset: Preset, findings: Sequence[Finding]) -> list[Fix]:
    """The fixes to try on ``preset``: those of ``findings`` first, the best guess leading.

    Left out are fixes that are invalid for the preset, that change nothing, or that lead to the
    same configuration as an earlier one.
    """
    wanted = [fix for finding in findings for fix in finding.fixes if fix.changes]
    if any(finding.rule.is_code_fault for finding in findings):
        wanted.insert(0, CORRECTION)
    return tried(preset, [*wanted, *standing(preset)])


def own_fixes(headline: Finding) -> tuple[Fix, ...]:
    """The fixes of the headline itself: of a code fault the correction, else those with changes."""
    if headline.rule.is_code_fault:
        return (CORRECTION,)
    return tuple(fix for fix in headline.fixes if fix.changes)


def tried(preset: Preset, fixes: Sequence[Fix]) -> list[Fix]:
    """Those of ``fixes`` that are valid and change ``preset``, without duplicates."""
    seen, kept = [(preset.configuration, preset.seed)], []
    for fix in fixes:
        try:
            changed = override(preset, fix.changes)
        except ConfigError:
            continue
        if (made := (changed.configuration, changed.seed)) not in seen:
            seen.append(made)
            kept.append(fix)
    return kept


def combined(one: Fix, other: Fix) -> Fix | None:
    """Both fixes in one; None if they change the same entry."""
    both = merged(one.changes, other.changes)
    if len(both) < len(one.changes) + len(other.changes):
        return None
    return Fix(f"{one.text}; and {other.text}", both, one.parts + other.parts)


def standing(preset: Preset) -> Iterator[Fix]:
    """The usual first attempts when a network does not learn, independent of the findings.

    They include every published answer to a scenario of the library: momentum, biases, layer
    normalisation, a linear output.
    """
    yield from _layers(preset)
    for text, changes in (*rates(preset), *optimisers(preset)):
        yield Fix(text, changes)
    training = preset.configuration.training
    if training.l1 or training.l2:
        yield Fix("no penalty on the weights", {"training.l1": 0.0, "training.l2": 0.0})
    yield Fix("inputs scaled to mean 0 and spread 1", {"data.scale_inputs": "standard"})


def _layers(preset: Preset) -> Iterator[Fix]:
    layers = preset.configuration.layers
    last, hidden = len(layers) - 1, range(len(layers) - 1)
    everywhere = [at for at, layer in enumerate(layers) if layer.bias != "per-unit"]
    yield Fix("a bias for every unit", _each(everywhere, "bias", "per-unit"))
    yield Fix("a bias for the output", {f"layers.{last}.bias": "per-unit"})
    yield Fix("a linear output", {f"layers.{last}.activation": "identity"})
    yield Fix("layer normalisation of the hidden layers", _each(hidden, "normalise", True))
    for name in ("tanh", "leaky-relu"):
        yield Fix(f"{name} in the hidden layers", _each(hidden, "activation", name))
    if hidden:
        twice = {f"layers.{at}.units": 2 * layers[at].units for at in hidden}
        yield Fix("twice the hidden units", twice)
    for name, words in (("he", "He"), ("xavier", "Xavier")):
        started = _each(range(last + 1), "init", name) | _each(range(last + 1), "scale", 1.0)
        yield Fix(f"weights drawn as {words} proposes", started)


def _each(places: Sequence[int], key: str, value: Any) -> dict[str, Any]:
    return {f"layers.{at}.{key}": value for at in places}
