"""Changed input of every kind: an answer, or one line that costs little; never a traceback.

``NNTUI_FUZZ=N`` tries N times as many inputs (1), each drawn by its number, so that a failure is
repeated by the same number.
"""

import base64
import hashlib
import json
import os
import random
import tomllib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fuzzing import mutations
from fuzzing.limited_commands import Server, server

import nntui
from nntui.presets import load_preset, preset_names
from nntui.presets.compact_string import PREFIX, decode, encode
from nntui.presets.lookup import find_preset
from nntui.presets.preset_table import plain_values, table_of
from nntui.timeline.sessions.archive import read_archive, write_archive

TIMES = int(os.environ.get("NNTUI_FUZZ", "1"))
PROGRAMS = Path(__file__).parents[1] / "programs" / "documents"
PRESETS = [name for name in preset_names() if not name.startswith("square")]

CSV = "a,b,kind\n" + "".join(f"{at},{at * 0.5},{'xyz'[at % 3]}\n" for at in range(12))
WITH_CSV = """
data = { csv = "rows.csv", input_columns = ["a", "b"], classes_from = "kind" }
layers = [{ units = 3, activation = "softmax" }]
training = { loss = "categorical-cross-entropy", learning_rate = 0.1 }
report = { loss = "categorical-cross-entropy" }
goal = { loss = 0.1, epochs = 3 }
"""

Command = tuple[str, ...]


def asked(about: str, draw: random.Random) -> Command:
    """A command about a preset, a string or a session."""
    return draw.choice(
        (
            ("show", about),
            ("show", about, "--string"),
            ("run", about, "--updates", "3"),
            ("run", about, "--epochs", "1", "--json"),
            ("export", about, "--as", draw.choice(("numpy", "pytorch"))),
            ("sweep", about, "--seeds", "2", "--epochs", "1"),
            ("check", about),
        )
    )


def presets(draw: random.Random, folder: Path) -> Command:
    text = find_preset(draw.choice(PRESETS)).read_text(encoding="utf-8")
    if draw.random() < 0.3:
        tree = tomllib.loads(text)
        key = draw.choice(sorted(tree))
        tree[key] = mutations.of_tree(tree[key], draw)
        text = "".join(f"{name} = {toml(value)}\n" for name, value in tree.items())
    else:
        text = mutations.of_text(text, draw)
    (folder / "it.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
    return asked("it.toml", draw)


def toml(value: Any) -> str:
    """``value`` as TOML, as far as it has it."""
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def strings(draw: random.Random, folder: Path) -> Command:
    string = encode(load_preset(draw.choice(PRESETS)))
    if draw.random() < 0.3:
        return asked("".join(mutations.of_text(string, draw).split("\0"))[:100_000] or "x", draw)
    content = {"name": "it", "source": plain_values(table_of(decode(string)))}
    content["source"].pop("story", None)
    packed = zlib.compress(json.dumps(mutations.of_tree(content, draw)).encode(), 9)
    check = hashlib.sha256(PREFIX.encode() + packed).digest()[:4]
    made = PREFIX + base64.urlsafe_b64encode(check + packed).decode().rstrip("=")
    return asked(made, draw)


def tables(draw: random.Random, folder: Path) -> Command:
    content = mutations.of_text(CSV, draw).encode(errors="surrogateescape")
    if draw.random() < 0.3:
        content = mutations.of_bytes(content, draw)
    (folder / "rows.csv").write_bytes(content)
    (folder / "csv.toml").write_text(WITH_CSV)
    return asked("csv.toml", draw)


def sessions(draw: random.Random, folder: Path) -> Command:
    whole = folder / "whole.nntui"
    if not whole.exists():
        run = nntui.Run(load_preset("add-relu"))
        run.step(200)
        run.seek(100)
        run.change(**{"training.learning_rate": 0.1})
        run.step(20)
        run.save(whole)
    file = folder / "it.nntui"
    if draw.random() < 0.3:
        file.write_bytes(mutations.of_bytes(whole.read_bytes(), draw))
    else:
        manifest, vectors = read_archive(whole)
        text = json.dumps(mutations.of_tree(manifest, draw))
        write_archive(file, text, {name: [each] for name, each in vectors.items()})
    return asked("it.nntui", draw)


WORDS = (
    *("run", "sweep", "check", "why", "show", "export", "open", "sessions", "presets", "list"),
    *("help", "--help", "--version", "-h", "bench", "app", "add-relu", "xor-relu", "nope", ""),
    *("--set", "--seed", "--seeds", "--epochs", "--updates", "--predict", "--json", "--string"),
    *("--as", "numpy", "-o", "--time", "--at-update", "--first-seed", "--delete", "--loop", "--"),
    *("0", "1", "-1", "3", "9" * 20, "nan", "1e308", "1,2", "training.learning_rate=0.1", "a=b"),
    *("layers.0.units=100000", "data.inputs=[[1]]", "layers=[]", "=", "faults=[]", "seed=1"),
    *("training.batch=1", "keys", "faults", "formulas", "./x.toml", "x.nntui", "x.py", "\udc80"),
)
SHORT = ("--epochs", "2", "--seeds", "2")


def lines(draw: random.Random, folder: Path) -> Command:
    words = [draw.choice(WORDS) for _ in range(draw.randint(0, 6))]
    if words and words[0] in ("run", "sweep"):
        words += SHORT[: 2 if words[0] == "run" else 4]
    if words and words[0] in ("why", "bench", "app"):  # these take as long as they are given
        words[0] = "list"
    return tuple(words)


def programs(draw: random.Random, folder: Path) -> Command:
    text = (PROGRAMS / draw.choice(("add_relu.py", "line_leaky.py"))).read_text(encoding="utf-8")
    (folder / "it.py").write_text(mutations.of_text(text, draw), encoding="utf-8")
    return ("check", "it.py", "--time", "2")


KINDS: dict[Callable[[random.Random, Path], Command], int] = {
    presets: 40,
    strings: 40,
    tables: 25,
    sessions: 30,
    lines: 40,
    programs: 3,
}
"""How many inputs of each kind are tried."""


@pytest.fixture(scope="module")
def nntui_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    folder = tmp_path_factory.mktemp("fuzz")
    with server(folder) as running:
        yield running, folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_changed_input_is_answered_or_refused_in_one_line_at_little_cost(
    kind: Callable[[random.Random, Path], Command], nntui_server: tuple[Server, Path]
) -> None:
    running, folder = nntui_server
    for number in range(KINDS[kind] * TIMES):
        command = kind(random.Random(f"{kind.__name__} {number}"), folder)
        ended = running.run(*command)
        assert not ended.complaints, (kind.__name__, number, command, ended)


HUGE: dict[str, dict[str, Any]] = {
    "rows": {"data.inputs": [[0.0]] * 600_000},
    "probes": {"data.probe": [[0.0, 0.0]] * 200_000},
    "constants": {"data.constant_inputs": [1.0] * 300_000},
    "layers": {"layers": [{"units": 1}] * 100_000},
    "parameters": {"layers": [{"units": 100_000}, {"units": 100_000}, {"units": 1}]},
    "samples": {
        "data": {"formula": "x", "samples": 10**6},
        "layers": [{"units": 90}, {"units": 1}],
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGE)
def test_a_short_string_that_is_huge_inside_is_refused_at_little_cost(
    name: str, nntui_server: tuple[Server, Path]
) -> None:
    source = plain_values(table_of(load_preset("add-relu")))
    del source["story"]
    for key, value in HUGE[name].items():
        top, _, rest = key.partition(".")
        source[top] = {**source[top], rest: value} if rest else value
    packed = zlib.compress(json.dumps({"name": "it", "source": source}).encode(), 9)
    check = hashlib.sha256(PREFIX.encode() + packed).digest()[:4]
    string = PREFIX + base64.urlsafe_b64encode(check + packed).decode().rstrip("=")
    ended = nntui_server[0].run("run", string)
    assert ended.code == 2, ended
    assert not ended.complaints, ended


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        *("a." * 90_000 + "b = 1", f"[a{'.a' * 90_000}]", "x = " + "[" * 90_000, "a=1\n" * 9),
        *("x = [" + "[0,1]," * 500_000 + "]", "[[layers]]\n" * 500_000, "#" * 15_000_000),
        "".join(f"[k{at}.1.1.1.1.1.1.1.1.1]\n" for at in range(40_000)),
    ],
    ids=range(8),
)
def test_a_short_file_that_takes_long_to_read_is_refused_at_little_cost(
    text: str, nntui_server: tuple[Server, Path]
) -> None:
    running, folder = nntui_server
    (folder / "it.toml").write_text(text)
    ended = running.run("run", "it.toml")
    assert ended.code == 2, ended
    assert not ended.complaints, ended
