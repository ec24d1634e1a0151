"""`nntui list`: whatever the registries and the declarations hold is listed, and nothing else."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import click
import pytest
from support import preset

import nntui
from nntui.catalogue import KINDS, SECTIONS, CatalogueEntry, Key, as_lines, as_table, catalogue
from nntui.cli import commands
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.datasets import DATASETS
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.initialisers import INITIALISERS
from nntui.core.parts.losses import LOSSES
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.layer_settings import Layer
from nntui.core.settings.training_settings import Training
from nntui.diagnosis.rules.finding_kinds import RULES
from nntui.presets import Story
from nntui.presets.schema import TABLES

REGISTRIES: dict[str, Mapping[str, Any]] = {
    "activations": ACTIVATIONS,
    "losses": LOSSES,
    "initialisers": INITIALISERS,
    "optimisers": OPTIMISERS,
    "schedules": SCHEDULES,
    "faults": FAULTS,
    "data": {"table": None, "formula": None, "csv": None, **DATASETS},
    "findings": RULES,
}
ENTRIES = [each for kind in REGISTRIES if kind != "findings" for each in catalogue(kind)]
"""Findings apart: those of a fault bear its name."""
KEYS = {each.key: each for each in catalogue("keys") if isinstance(each, Key)}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    commands.main(["list", *arguments], standalone_mode=False)
    return capsys.readouterr().out


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_entry_of_a_registry_is_listed(kind: str) -> None:
    assert [each.name for each in catalogue(kind) if isinstance(each, CatalogueEntry)] == list(
        REGISTRIES[kind]
    )


def test_every_kind_is_tested() -> None:
    assert [*REGISTRIES, "keys"] == list(KINDS)


def test_every_key_of_every_section_is_listed() -> None:
    expected = {"seed", "faults"}
    for prefix, section in SECTIONS:
        expected |= {f"{prefix}.{each.name}" for each in fields(section)}
    expected.remove("story.steps")  # a list of tables; their keys are listed
    assert set(KEYS) == expected
    assert {key.partition(".")[0] for key in KEYS} == set(TABLES)
    assert "steps" in {each.name for each in fields(Story)}


def test_an_entry_tells_formula_parameters_and_source() -> None:
    found = {each.name: each for each in ENTRIES if isinstance(each, CatalogueEntry)}
    leaky = found["leaky-relu"]
    assert leaky.formula == "a = max(z, leak*z)"
    assert leaky.parameters == {"leak": 0.01, "kink": "left"}
    assert leaky.source == "Maas, Hannun and Ng 2013"
    assert found["he"].source == "He et al. 2015"
    assert "2015" not in found["he"].summary
    assert found["binary-cross-entropy"].source == "Bishop 2006, section 5.2"
    assert found["cosine"].parameters == {"schedule_decay": 0.5, "schedule_every": 100}
    assert found["constant"].parameters == {}
    assert found["spiral"].parameters == {
        "classes": 2, "one_hot": False, "samples": 101, "noise": 0.0
    }  # fmt: skip
    assert found["derivative"].parameters == {"of": "identity"}
    for name, fault in FAULTS.items():
        assert all(text in found[name].summary for text in (fault.what, fault.symptom, fault.fix))


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        ("activations", Layer),
        ("initialisers", Layer),
        ("optimisers", Training),
        ("schedules", Training),
    ],
)
def test_parameters_are_keys_with_their_defaults(kind: str, section: type[Any]) -> None:
    defaults = {each.name: each.default for each in fields(section)}
    for each in catalogue(kind):
        assert isinstance(each, CatalogueEntry)
        assert each.parameters.items() <= defaults.items()


def test_every_parameter_of_an_activation_or_optimiser_can_be_set() -> None:
    for registry, section in ((ACTIVATIONS, Layer), (OPTIMISERS, Training)):
        known = {each.name for each in fields(section)}
        for kind in registry.values():
            assert set(kind.parameters) <= known


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_is_one_line(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, kind).splitlines()
    assert lines == as_lines(kind)
    names = [each.key if isinstance(each, Key) else each.name for each in catalogue(kind)]
    assert [line.split()[0] for line in lines] == names
    assert all(line.isprintable() and line == line.rstrip() for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_json(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, kind, "--json"))
    assert told == json.loads(json.dumps(as_table(kind)))
    assert told["kind"] == kind
    keys = {"key", "type", "default", "required", "allowed", "doc"}
    entries = {"name", "formula", "summary", "parameters", "source"}
    assert all(set(each) == (keys if kind == "keys" else entries) for each in told["entries"])


def test_keys_tell_type_default_and_limits() -> None:
    assert KEYS["training.momentum"] == Key(
        "training.momentum",
        "number",
        0.0,
        False,
        "at least 0, less than 1",
        "share of the last step that is kept",
    )
    assert KEYS["goal.epochs"].required
    assert KEYS["goal.epochs"].allowed == "at least 0, at most 1,000,000,000"
    assert KEYS["layers.N.kink"].allowed == "one of: left, right, zero"
    assert KEYS["seed"].allowed == "at least 0, at most 4,294,967,295"
    assert KEYS["data.probe"].type == "rows of numbers"
    assert KEYS["faults.N.layers"].type == "list of whole numbers"
    assert not any(each.required and each.default is not None for each in KEYS.values())


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_listed_key_is_known_to_the_validator(key: str) -> None:
    """A value of no known type is refused under the key itself, and not as an unknown key."""
    changes = {
        "faults": [{"name": "bias-decay"}],
        "story.steps": [{"do": "Look.", "see": "It."}],
    }
    place = key.replace(".N.", ".0.")
    with pytest.raises(nntui.ConfigError) as caught:
        preset("add-relu", **{**changes, place: {"no": object()}})
    assert "is not known; did you mean" not in str(caught.value)
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize("kind", ["nothing", "finding", "Keys", ""])
def test_an_unknown_kind_is_refused_with_those_there_are(kind: str) -> None:
    with pytest.raises(nntui.ConfigError, match=f"one of: {', '.join(KINDS)}$"):
        commands.main(["list", kind], standalone_mode=False)


def test_no_kind_is_refused_likewise() -> None:
    with pytest.raises(click.UsageError, match=r"One of: activations, .*keys"):
        commands.main(["list"], standalone_mode=False)


def test_help_names_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "--help")
    assert all(kind in said for kind in KINDS)
