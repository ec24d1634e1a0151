"""Presets written again: as TOML, and as one short string."""

import base64
import hashlib
import json
import random
import stat
import string
import tomllib
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import preset

import nntui
from nntui.core.parts.datasets import DATASETS
from nntui.presets import (
    Preset,
    atomic_write,
    compact_string,
    decode,
    encode,
    load_preset,
    preset_names,
    read_preset,
    save_preset,
    to_toml,
    toml_text,
)
from nntui.presets.compact_string import LARGEST_TEXT, LONGEST, PREFIX
from nntui.presets.lookup import preset_of_text
from nntui.presets.preset_table import plain_values, table_of
from nntui.presets.toml_text import LARGEST_TOML
from nntui.presets.writer import WIDTH

CSV = """
[data]
csv = "rows.csv"
input_columns = ["a", "b"]
classes_from = "kind"
delimiter = ";"
scale_inputs = "standard"
[[layers]]
units = 2
activation = "softmax"
[training]
loss = "categorical-cross-entropy"
learning_rate = 0.1
[report]
loss = "categorical-cross-entropy"
[goal]
loss = 0.1
epochs = 5
"""


def read(text: str, name: str = "it") -> Preset:
    return read_preset(name, tomllib.loads(text))


def same(one: Preset, other: Preset, *, story: bool = True) -> None:
    """Two presets that are the same but for their names."""
    assert one.configuration == other.configuration
    assert (one.goal, one.seed) == (other.goal, other.seed)
    assert not story or one.story == other.story
    assert nntui.Run(one).state_hash == nntui.Run(other).state_hash


@pytest.fixture
def from_csv(tmp_path: Path) -> Preset:
    (tmp_path / "rows.csv").write_text("a;b;kind\n1;2.5;x\n3;-1e-3;y\n0.1;4;x\n")
    (tmp_path / "it.toml").write_text(CSV)
    return load_preset(str(tmp_path / "it.toml"))


VARIED: dict[str, Preset] = {
    **{name: load_preset(name) for name in preset_names()},
    "fault tables": preset(
        "xor-relu",
        faults=[{"name": "derivative", "of": "gelu", "layers": (0,)}, {"name": "wrong-factor"}],
    ),
    "numpy numbers": preset("add-relu", training__momentum=np.float64(0.5), seed=np.int64(4)),
    "taken back": preset("add-relu", training__clip_norm=None, data__probe=None),
    "another seed": replace(preset("add-relu"), seed=7),
    "seed 0 again": replace(preset("add-relu", seed=5), seed=0),
    "long table": preset(
        "add-relu",
        data__inputs=[[i / 7, -i * 1e-20] for i in range(300)],
        data__targets=[[1e300 / (i + 1)] for i in range(300)],
        data__probe=[[i, 2] for i in range(50)],
    ),
    **{
        name: preset("add-relu", data={"set": name, "samples": 9, "noise": 0.1, "seed": 3})
        for name in DATASETS
    },
}


@pytest.mark.parametrize("name", VARIED)
def test_toml_is_read_as_the_same_preset(name: str) -> None:
    text = to_toml(VARIED[name])
    same(read(text), VARIED[name])
    assert to_toml(read(text)) == text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_tables_stand_in_the_order_of_the_library_s_files() -> None:
    text = to_toml(VARIED["fault tables"])
    places = [text.index(f"\n[{key}]") for key in ("data", "training", "report", "goal", "story")]
    assert places == sorted(places)
    assert text.index("faults = ") < text.index("[data]") < text.index("[[layers]]")
    assert '{ name = "derivative", layers = [0], of = "gelu" }' in text
    assert "\nseed = " not in f"\n{text}"
    # Keys of a string come in no order of their own.
    again = to_toml(decode(encode(VARIED["fault tables"])))
    assert text.startswith(again.rstrip())


TEXTS = st.text(
    st.characters(codec="utf-8").filter(lambda each: each.isprintable() or each in "\n\t"),
    max_size=300,
)
WORDS = st.lists(
    st.sampled_from(["word", " ", "   ", "\n", '"""', "\\", "\t", "é" * 30, "x" * 120])
)


@given(st.one_of(TEXTS, WORDS.map("".join)))
def test_any_story_is_read_as_it_was(text: str) -> None:
    told = preset("add-relu", story={"question": text, "steps": [{"do": text, "see": ""}]})
    again = read(to_toml(told))
    assert again.story == told.story


@pytest.mark.parametrize("length", range(WIDTH - 12, WIDTH + 3))
def test_spaces_where_a_line_is_broken_stay(length: int) -> None:
    text = f"a {'x' * (length - 2)}{' ' * 6}and more words"
    told = preset("add-relu", story={"question": text})
    assert read(to_toml(told)).story.question == text


def test_a_saved_preset_needs_no_csv(from_csv: Preset, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.toml"
    save_preset(from_csv, path)
    (tmp_path / "rows.csv").unlink()
    same(load_preset(str(path)), from_csv)
    same(load_preset(encode(from_csv)), from_csv)


def test_a_preset_is_saved_whole_and_for_others_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "it.toml"
    save_preset(preset("add-relu"), path)
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    before = path.read_text()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_write.os, "replace", fail)
    with pytest.raises(nntui.ConfigError, match=r"it\.toml: cannot be written \(No space"):
        save_preset(preset("xor-relu"), path)
    assert path.read_text() == before
    assert sorted(tmp_path.iterdir()) == [path, plain]


def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toml_text, "MOST_MARKS", 400)
    monkeypatch.setattr(compact_string, "LARGEST_TEXT", 2000)
    rows = [[i / 7] * 4 for i in range(100)]
    many = preset("square-fixed", data={"inputs": rows, "targets": [[1]] * 100})
    for write in (to_toml, lambda given: save_preset(given, tmp_path / "it.toml")):
        with pytest.raises(nntui.ConfigError, match=r"square-fixed as TOML has \d+ commas"):
            write(many)
    with pytest.raises(nntui.ConfigError, match="keep it as a file"):
        encode(many)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#" * LARGEST_TOML + "\n", "is larger than 4 MiB"),
        ("#" + "ü" * (LARGEST_TOML // 2), "is larger than 4 MiB"),
        ("x = [" + "[0, 1]," * 150_000 + "]", "has 300,001 commas, equals signs and line ends"),
        (
            "#\n" * 300_001,
            "has 300,001 commas, equals signs and line ends; at most 300,000 are read",
        ),
        ("[a.1.1.1.1.1.1.1.1.1]\n" * 7000, "has 56,000 dots that are no decimal points"),
        ("a.b.c.d.e.f.g.h.i.j = 1\n" * 5600, "has 50,400 dots that are no decimal points"),
        ("a.b.c.d.e.f.g.h.i.j.k = 1", "line 1 has a key of more than 10 parts"),
    ],
)
def test_toml_that_would_take_long_to_read_is_refused_unread(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toml_text.tomllib, "loads", None)
    with pytest.raises(nntui.ConfigError, match=said):
        preset_of_text(text, "it")


def test_decimal_numbers_and_sentences_are_no_keys() -> None:
    numbers = "x = [" + "0.5, 1.25e-3, -7.0, " * 40_000 + "]\n"
    story = 'y = """' + "Each word ends... e.g. in a dot. " * 5_000 + '"""'
    assert len(toml_text.parse_toml(numbers + story)["x"]) == 120_000


def test_a_preset_that_a_program_made_is_written_like_one_that_was_read() -> None:
    whole = preset("add-relu")
    bare = Preset(name="bare", configuration=whole.configuration, goal=whole.goal)
    same(read_preset("bare", tomllib.loads(to_toml(bare))), bare)
    same(load_preset(encode(bare)), bare)


# Strings


@pytest.mark.parametrize("name", VARIED)
def test_a_string_is_read_as_the_same_preset(name: str) -> None:
    text = encode(VARIED[name])
    again = load_preset(text)
    same(again, VARIED[name], story=False)
    assert again.name == VARIED[name].name
    assert again.story.question == ""
    assert encode(again) == text
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")


def test_a_string_may_have_been_broken_into_lines() -> None:
    text = encode(preset("add-relu"))
    same(load_preset(f" {text[:70]}\n  {text[70:]}\n"), preset("add-relu"), story=False)


def refused(text: str) -> str:
    with pytest.raises(nntui.ConfigError) as caught:
        load_preset(text)
    said = str(caught.value)
    assert said.startswith("the preset string")
    assert said.isprintable()
    return said.removeprefix("the preset string ")


def test_no_string_survives_a_change() -> None:
    text, draw = encode(preset("xor-relu")), random.Random(0)
    start = len(PREFIX)
    for place in range(start, len(text)):
        other = draw.choice([each for each in string.ascii_letters + "-_" if each != text[place]])
        assert "altered" in refused(text[:place] + other + text[place + 1 :])
        assert "cut off" in refused(text[:place])
        assert "altered" in refused(text[:place] + text[place + 1 :])
    for extra in ("A", "=", "=====", "é", "!", "A" * 4):
        assert "altered" in refused(text + extra)
    assert "altered" in refused(text.swapcase().replace("NNTUI1", "nntui1"))


def packed(content: bytes) -> str:
    """A string whose checksum is right, of any content."""
    check = hashlib.sha256(PREFIX.encode() + content).digest()[:4]
    return PREFIX + base64.urlsafe_b64encode(check + content).decode().rstrip("=")


def told(content: Any) -> str:
    return packed(zlib.compress(json.dumps(content).encode()))


def test_strings_that_someone_made_up_are_refused_in_one_line() -> None:
    source = plain_values(table_of(preset("add-relu")))
    bare = {key: value for key, value in source.items() if key != "story"}
    assert load_preset(told({"name": "it", "source": bare})).name == "it"
    for content in (
        {"name": "it"},
        {"name": "it", "source": bare, "more": 1},
        {"name": 3, "source": bare},
        {"name": "", "source": bare},
        {"name": "../it", "source": bare},
        {"name": "a\nb", "source": bare},
        {"name": "x" * 256, "source": bare},
        {"name": "it", "source": []},
        [],
        None,
    ):
        assert refused(told(content)) == "holds no preset"
    csv = {**bare, "data": {"csv": "/etc/passwd", "input_columns": ["a"], "target_columns": ["b"]}}
    assert "CSV" in refused(told({"name": "it", "source": csv}))
    assert "story" in refused(told({"name": "it", "source": source}))
    wrong = {**bare, "training": {**bare["training"], "momentum": 2}}
    assert "training.momentum: must be less than 1" in refused(told({"name": "a", "source": wrong}))
    nan = json.dumps({"name": "it", "source": wrong}).replace('"momentum": 2', '"momentum": NaN')
    assert "finite" in refused(packed(zlib.compress(nan.encode())))
    for junk in (b"", b"junk", zlib.compress(b"[" * 100_000), zlib.compress(b"\xff{"), b"\0" * 9):
        assert refused(packed(junk)) == "holds no preset"
    whole = zlib.compress(json.dumps({"name": "it", "source": bare}).encode())
    assert refused(packed(whole + b"more")) == "holds no preset"
    assert refused(packed(whole[:-2])) == "holds no preset"


def test_a_string_unpacks_no_more_than_it_may_hold() -> None:
    bomb = zlib.compress(b" " * (LARGEST_TEXT + 1), 9)
    assert len(packed(bomb)) < LONGEST
    assert refused(packed(bomb)) == "holds more than 2 MiB; keep it as a file"
    assert refused(PREFIX + "A" * LONGEST) == "has more than 131,000 characters"


def test_other_versions_and_names_are_told_apart(tmp_path: Path) -> None:
    assert "version" in refused("nntui2-abc")
    with pytest.raises(nntui.ConfigError, match="there is no preset"):
        load_preset("nntui-abc")
    path = tmp_path / "nntui1-x.toml"
    save_preset(preset("add-relu"), path)
    same(load_preset(str(path)), preset("add-relu"))
