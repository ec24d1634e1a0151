"""README's section on the preset format: its presets run, its tables are complete and true."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import nntui
from nntui.catalogue import KINDS, Entry, Key, catalogue
from nntui.core.parts.formula import evaluate_formula
from nntui.core.parts.initialisers import INITIALISERS
from nntui.core.settings.configuration import MOST_ROWS
from nntui.presets.csv_data import MOST_CLASSES
from nntui.presets.sections import MOST_LAYERS
from nntui.tui.actions import WORKBENCH

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
FORMAT = re.split(r"^## ", TEXT, flags=re.MULTILINE)
FORMAT_TEXT = next(part for part in FORMAT if part.startswith("The preset format\n"))
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
PRESETS = [text for language, text in BLOCKS if language == "toml"]
FILES = [text for language, text in BLOCKS if language == "csv"]

PREFIXES = {
    "Top level": "",
    "`[data]`": "data.",
    "`[[layers]]`": "layers.N.",
    "`[training]`": "training.",
    "`[report]`": "report.",
    "Faults": "faults.N.",
    "`[goal]`": "goal.",
    "`[story]`": "story.",
}
"""The subsections with tables of keys, and where those keys stand."""


def cells(line: str) -> list[str]:
    """The cells of a row of a table; an escaped bar separates nothing."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def tables() -> dict[str, list[list[list[str]]]]:
    """Per subsection of the format, its tables as rows of cells, the header first."""
    found: dict[str, list[list[list[str]]]] = {}
    for part in re.split(r"^### ", FORMAT_TEXT, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        blocks = re.findall(r"(?:^\|.*\n)+", body, flags=re.MULTILINE)
        found[title] = [[cells(line) for line in block.splitlines()] for block in blocks]
        for table in found[title]:
            assert len({len(row) for row in table}) == 1, table[0]
            del table[1]
    return found


TABLES = tables()
KEYS = {each.key: each for each in catalogue("keys") if isinstance(each, Key)}


def documented() -> dict[str, list[str]]:
    """Dotted key to its row, from all tables of keys."""
    rows: dict[str, list[str]] = {}
    for title, prefix in PREFIXES.items():
        for table in TABLES[title]:
            if table[0][0] == "key":
                of_steps = title == "`[story]`" and table[1][0] == "`do`"
                for row in table[1:]:
                    key = f"{prefix}{'steps.N.' if of_steps else ''}{row[0].strip('`')}"
                    assert key not in rows
                    rows[key] = row
    return rows


def test_the_tables_hold_exactly_the_keys_that_there_are() -> None:
    assert sorted(documented()) == sorted(KEYS)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_type_and_default_of_a_key_are_told_as_they_are(key: str) -> None:
    _, kind, default, _, meaning = documented()[key]
    known = KEYS[key]
    assert kind == known.type
    assert meaning
    told = default.strip("`")
    if known.required:
        assert told == "needed"
    elif known.default is None:
        assert told == "not set"
    else:
        value = list(known.default) if isinstance(known.default, tuple) else known.default
        assert tomllib.loads(f"value = {told}")["value"] == value


@pytest.mark.parametrize("key", sorted(KEYS))
def test_limits_of_a_key_are_told_as_they_are(key: str) -> None:
    allowed, meaning = documented()[key][3:]
    known = KEYS[key].allowed
    if known.startswith("one of: "):
        names = known.removeprefix("one of: ").split(", ")
        assert all(f"`{name}`" in FORMAT_TEXT for name in names)
        if "`" in allowed:  # a choice of many is a table of its own
            assert re.findall(r"`([\w-]+)`", allowed) == names
        return
    if known and "e+300" not in known:
        assert numbers(allowed) == numbers(known), meaning


def numbers(text: str) -> set[float]:
    """The numbers in ``text``; 1,000 is one of them."""
    return {float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:e\d+)?\b", text)}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("keys", "findings")])
def test_whatever_can_be_named_is_explained(kind: str) -> None:
    first_cells = [row[0] for rows in TABLES.values() for table in rows for row in table[1:]]
    names = {name for cell in first_cells for name in re.findall(r"`([\w-]+)`", cell)}
    for each in catalogue(kind):
        assert isinstance(each, Entry)
        assert (
            each.name in names
            or f"**{each.name.capitalize()}**" in FORMAT_TEXT
            or (each.name == "csv" and "**CSV**" in FORMAT_TEXT)
        )


def test_no_table_explains_what_does_not_exist() -> None:
    kinds = {"activation": "activations", "init": "initialisers", "loss": "losses", "set": "data"}
    kinds |= {"optimiser": "optimisers", "schedule": "schedules", "fault": "faults"}
    seen = set()
    for rows in TABLES.values():
        for header, *body in rows:
            if header[0] in kinds:
                seen.add(header[0])
                names = {
                    each.name for each in catalogue(kinds[header[0]]) if isinstance(each, Entry)
                }
                assert {name for row in body for name in re.findall(r"`([\w-]+)`", row[0])} <= names
    assert seen == set(kinds)


@pytest.mark.parametrize("text", PRESETS, ids=lambda text: text.splitlines()[0][2:20])
def test_every_preset_loads_and_trains_two_epochs(text: str, tmp_path: Path) -> None:
    for name, content in zip(
        re.findall(r'^csv = "(.*)"$', text, re.MULTILINE), FILES, strict=False
    ):
        (tmp_path / name).write_text(content)
    (tmp_path / "readme.toml").write_text(text)
    preset = nntui.load_preset(str(tmp_path / "readme.toml"))
    run = nntui.Run(preset)
    run.step(2 * preset.configuration.updates_per_epoch)
    assert run.epoch == 2
    assert np.isfinite(run.losses).all()
    assert run.losses[1] < run.losses[0]


def test_there_are_two_presets_and_the_file_of_one() -> None:
    assert len(PRESETS) == 2
    assert len(FILES) == 1


def test_the_functions_of_a_formula_are_those_that_are_named() -> None:
    named = FORMAT_TEXT[FORMAT_TEXT.index("**Formula**") : FORMAT_TEXT.index("**Set**")]
    functions = re.findall(r"`(\w{3,})`", named.partition("parentheses, and")[2])
    x = np.array([0.5])
    for name in functions:
        evaluate_formula("formula", f"{name}(x) + pi*e", x)
    with pytest.raises(nntui.ConfigError) as caught:
        evaluate_formula("formula", "nothing(x)", x)
    assert str(caught.value).endswith(", ".join(functions))


def test_the_way_to_draw_from_minus_one_to_one() -> None:
    """``lecun-uniform`` with the scales that the section gives."""
    for units_in, scale in ((3, 1.0), (2, 0.8165), (4, 1.1547)):
        drawn = scale * INITIALISERS["lecun-uniform"].draw(np.random.RandomState(0), 5, units_in)
        expected = 2 * np.random.RandomState(0).random_sample((5, units_in)) - 1
        np.testing.assert_allclose(drawn, expected, atol=1e-4)


def test_limits_and_actions_are_those_of_the_code() -> None:
    assert f"at most {MOST_LAYERS}." in FORMAT_TEXT
    assert (MOST_ROWS, MOST_CLASSES) == (1_000_000, 1000)
    actions = re.search(r"^Actions are (.*?)\.$", FORMAT_TEXT, re.MULTILINE | re.DOTALL)
    assert actions
    assert re.findall(r"`(\w+)`", actions[1]) == [action.name for action in WORKBENCH]
