"""The manual: its topics are printed, its tables are made, and what it says by hand is true."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import numpy as np
import pytest

import nntui
from nntui.catalogue import KINDS, CatalogueEntry, Key, catalogue
from nntui.cli import commands
from nntui.core.formulas.functions import FUNCTIONS
from nntui.core.parts.activations import activation
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.initialisers import INITIALISERS
from nntui.core.settings.data_settings import MOST_ROWS
from nntui.core.settings.fault_settings import FaultEntry
from nntui.diagnosis.rules.finding_kinds import RULES
from nntui.manual import source, topics
from nntui.manual.generated_tables import MARKER, filled, tables
from nntui.manual.plain_text import WIDTH, cells, plain_text
from nntui.presets.csv_data import MOST_CLASSES
from nntui.presets.sections import MOST_LAYERS
from nntui.tui.actions import ACTIONS, WORKBENCH

PAGES = {topic: filled(source(topic), ACTIONS) for topic in topics()}
"""Every topic as it is shown."""
BLOCKS = [
    (topic, language, text)
    for topic, page in PAGES.items()
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
]
PYTHON = ("python", "python")
PRESETS = [text for _, language, text in BLOCKS if language == "toml"]
FILES = [text for _, language, text in BLOCKS if language == "csv"]
KEYS = {each.key: each for each in catalogue("keys") if isinstance(each, Key)}


def rows(topic: str, head: str) -> list[list[str]]:
    """The rows of all tables of ``topic`` whose first column is headed ``head``."""
    found = []
    for block in re.findall(r"(?:^\|.*\n?)+", PAGES[topic], flags=re.MULTILINE):
        header, _, *body = (cells(line) for line in block.splitlines())
        assert all(len(row) == len(header) for row in body)
        found += body if header[0] == head else []
    return found


def named(topic: str, head: str) -> list[str]:
    return [name for row in rows(topic, head) for name in re.findall(r"`([^`]+)`", row[0])]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    commands.main(["help", *arguments], standalone_mode=False)
    return capsys.readouterr().out


# How it is shown


def test_the_topics_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    assert [line.split()[0] for line in lines] == list(topics())
    assert all(len(line.split()) > 3 for line in lines)
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("topic", topics())
def test_a_topic_is_printed_as_plain_text(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, topic)
    title, _, about = said.splitlines()[:3]
    assert title == source(topic).splitlines()[0].removeprefix("# ").upper()
    assert about == topics()[topic]
    for line in said.splitlines():
        assert len(line) <= WIDTH or line.startswith("    ") or " " not in line.strip()
        assert not line.startswith(("#", "|", "```"))
    assert "](" not in said
    assert "<!--" not in said


@pytest.mark.parametrize("topic", ["keyz", "preset", "momentum", "", "../LICENSE"])
def test_an_unknown_topic_is_refused_in_one_line(topic: str) -> None:
    program = f"import sys; from nntui.cli import main; sys.argv = ['nntui', 'help', {topic!r}]; "
    done = subprocess.run(
        [sys.executable, "-c", program + "sys.exit(main())"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    near = {"keyz": "did you mean keys?", "preset": "did you mean presets?"}
    assert near.get(topic, "one of: app, bench") in line


def test_the_list_of_topics_loads_nothing_that_is_slow() -> None:
    program = "import sys; from nntui.manual import source, topics; topics(), source('keys'); "
    program += "print([x for x in ('numpy', 'textual', 'rich', 'click') if x in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_printing_a_topic_loads_no_terminal() -> None:
    program = "import sys; from nntui.manual import source; "
    program += "from nntui.manual.generated_tables import filled; "
    program += "from nntui.tui.actions import ACTIONS; filled(source('keys'), ACTIONS); "
    program += "print([x for x in ('textual', 'rich', 'plotext') if x in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_plain_text_of_every_kind_of_block() -> None:
    markdown = (
        "# A title\n\nSome **bold** words, a [link](other.md) and `co*de|`.\n\n"
        "- one\n  and on\n- two\n\n```python\na = [1](2)\n\n# no title\n```\n\n"
        "| key | meaning |\n|---|---|\n| `a` | x\\|y and many more words |\n"
    )
    assert plain_text(markdown, 24).splitlines() == [
        "A TITLE",
        "",
        "Some bold words, a link",
        "and `co*de|`.",
        "",
        "- one and on",
        "- two",
        "",
        "    a = [1](2)",
        "",
        "    # no title",
        "",
        "key  meaning",
        "----------------------",
        "a    x|y and many more",
        "     words",
    ]


# What it says


def test_every_table_has_its_place() -> None:
    placed = [name for topic in topics() for name in MARKER.findall(source(topic))]
    known = tables(ACTIONS)
    assert set(placed) <= set(known)
    actions = {f"{place} actions" for place in ACTIONS} - {"workbench actions"}
    assert set(known) - set(placed) == actions


def test_every_link_leads_to_a_topic() -> None:
    for page in PAGES.values():
        for target in re.findall(r"\]\(([^)]+)\)", re.sub(r"```.*?```", "", page, flags=re.DOTALL)):
            assert target.removesuffix(".md") in topics()


def test_every_key_of_every_place_is_told() -> None:
    told = named("keys", "key")
    assert told == [action.key for actions in ACTIONS.values() for action in actions]
    helps = [row[1].replace("\\", "") for row in rows("keys", "key")]
    assert helps == [action.help for actions in ACTIONS.values() for action in actions]


def test_a_story_s_actions_are_those_of_the_workbench() -> None:
    assert named("story", "action") == [action.name for action in WORKBENCH]


PREFIXES = {
    "presets": ("", "report", "goal"),
    "data": ("data",),
    "layers": ("layers.N", "draws"),
    "training": ("training",),
    "faults": ("faults.N",),
    "story": ("story", "story.steps.N"),
}


def test_every_key_of_a_preset_is_told_where_it_belongs() -> None:
    for topic, prefixes in PREFIXES.items():
        keys = [key for key in KEYS if key.rpartition(".")[0] in prefixes]
        assert sorted(named(topic, "key")) == sorted(key.rpartition(".")[2] for key in keys)
    assert {key.rpartition(".")[0] for key in KEYS} == {
        p for each in PREFIXES.values() for p in each
    }


@pytest.mark.parametrize("key", KEYS)
def test_type_default_and_limits_of_a_key_are_told(key: str) -> None:
    prefix, _, name = key.rpartition(".")
    topic = next(topic for topic, prefixes in PREFIXES.items() if prefix in prefixes)
    known = KEYS[key]
    meanings = [said for first, said in rows(topic, "key") if first == f"`{name}`"]
    (said,) = [said.replace("\\", "") for said in meanings if known.doc in said.replace("\\", "")]
    assert known.allowed in said
    assert known.type in said
    assert ("required" in said) is known.required
    if known.default is not None and not isinstance(known.default, (tuple, bool)):
        shown = known.default if isinstance(known.default, str) else f"{known.default:g}"
        assert f"default {shown}" in said.replace('"', "")


TOLD_IN = {
    "activations": ("layers", "activation"),
    "initialisers": ("layers", "init"),
    "losses": ("training", "loss"),
    "optimisers": ("training", "optimiser"),
    "schedules": ("training", "schedule"),
    "faults": ("faults", "fault"),
    "data": ("data", "set"),
}


def test_whatever_can_be_named_is_explained_and_nothing_else() -> None:
    assert {*TOLD_IN, "keys", "findings"} == set(KINDS)
    for kind, (topic, head) in TOLD_IN.items():
        names = [each.name for each in catalogue(kind) if isinstance(each, CatalogueEntry)]
        if kind == "data":
            sources = [name for name in names if name not in named(topic, head)]
            assert sources == ["table", "formula", "csv"]
            assert all(f"**{name}**".lower() in PAGES[topic].lower() for name in sources)
        assert [name for name in names if name in named(topic, head)] == named(topic, head)
        assert set(names) - {"table", "formula", "csv"} == set(named(topic, head))


def test_the_findings_are_told_as_they_are() -> None:
    told = [(name, said.replace("\\", "")) for name, said in rows("findings", "finding")]
    assert told == [(f"`{each.code}`", f"{each.klass}: {each.title}") for each in RULES.values()]


def test_every_command_is_told_with_all_its_options() -> None:
    usage = re.search(r"```\n(.*?)```", PAGES["commands"], re.DOTALL)
    assert usage
    told: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=nntui)", usage[1].strip()):
        words = entry.split()
        command = "app" if words[1].startswith("[") or words[1] == "FILE.py" else words[1]
        told.setdefault(command, set()).update(re.findall(r"(?<=[\s\[])--?[a-z][a-z-]*", entry))
    assert told.pop("--version") == {"--version"}
    known = {
        name: {
            max(option.opts, key=len) if option.opts[0] != "-o" else "-o"
            for option in command.params
            if isinstance(option, click.Option)
        }
        for name, command in commands.commands.items()
    }
    assert told == known
    drawing = {*re.findall(r"^\| `(--[a-z-]+)`", PAGES["ssh"], re.MULTILINE)}
    assert drawing == known["open"]


@pytest.mark.parametrize("text", PRESETS, ids=lambda text: text.splitlines()[0][2:20])
def test_every_preset_loads_and_trains_two_epochs(text: str, tmp_path: Path) -> None:
    for name, content in zip(
        re.findall(r'^csv = "(.*)"$', text, re.MULTILINE), FILES, strict=False
    ):
        (tmp_path / name).write_text(content)
    (tmp_path / "manual.toml").write_text(text)
    preset = nntui.load_preset(str(tmp_path / "manual.toml"))
    run = nntui.Run(preset)
    run.step(2 * preset.configuration.updates_per_epoch)
    assert run.epoch == 2
    assert np.isfinite(run.losses).all()
    assert run.losses[1] < run.losses[0]


def test_what_the_library_s_page_imports_is_there() -> None:
    code = "".join(text for topic, language, text in BLOCKS if (topic, language) == PYTHON)
    imported = re.findall(r"^(?:from \S+ )?import .+$", code, flags=re.MULTILINE)
    assert len(imported) > 5
    exec("\n".join(imported), {})
    for name in re.findall(r"\brun\.(\w+)", code):
        assert hasattr(nntui.Run(nntui.load_preset("add-relu")), name)


def test_there_are_two_presets_and_the_file_of_one() -> None:
    assert len(PRESETS) == 2
    assert len(FILES) == 1


def test_the_functions_of_a_formula_are_those_that_are_named() -> None:
    named = PAGES["formulas"].partition("and the functions")[2].partition(". ")[0]
    assert sorted(re.findall(r"`(\w+)`", named)) == sorted(FUNCTIONS)


@pytest.mark.parametrize("formula", re.findall(r"activation = \"(.+?)\"", PAGES["formulas"]))
def test_an_activation_of_the_page_is_one(formula: str) -> None:
    assert np.isfinite(activation(formula).at_zero)


@pytest.mark.parametrize("entry", re.findall(r"`(\{name = .+?\})`", PAGES["formulas"]))
def test_a_fault_of_the_page_is_one(entry: str) -> None:
    fault = FaultEntry(**tomllib.loads(f"fault = {entry}")["fault"])
    assert fault.name in FAULTS


def test_the_way_to_draw_from_minus_one_to_one() -> None:
    assert '`init = "uniform"`, `low = -1.0`, `high = 1.0`' in PAGES["layers"]
    own = INITIALISERS["uniform"].draw(np.random.RandomState(0), 5, 3, low=-1.0, high=1.0)
    expected = 2 * np.random.RandomState(0).random_sample((5, 3)) - 1
    np.testing.assert_array_equal(own, expected)


def test_limits_are_those_of_the_code() -> None:
    assert f"at most {MOST_LAYERS}," in PAGES["layers"]
    assert f"{MOST_LAYERS} layers;" in PAGES["presets"]
    assert (MOST_ROWS, MOST_CLASSES) == (1_000_000, 1000)
