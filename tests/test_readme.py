"""README: short, its keys and links are true, and its own preset trains."""

import re
from pathlib import Path

import pytest

import nntui
from nntui.manual import topics
from nntui.tui.actions import WORKBENCH

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_BYTES = 10 * 1024


def test_it_is_short() -> None:
    assert len(TEXT.encode()) <= MOST_BYTES


def test_ten_keys_are_those_of_the_app() -> None:
    told = re.findall(r"^\| `(.+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert len(told) == 10
    assert set(told) <= {(action.key, action.help) for action in WORKBENCH}


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert all((ROOT / link).exists() for link in links)
    pages = {Path(link).stem for link in links if link.endswith(".md") and "/manual/" in link}
    assert pages == set(topics())


def test_the_picture_is_of_the_app() -> None:
    picture = (ROOT / ".github" / "nntui.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert all(text in picture for text in ("add-relu", "Activations", "Why?", "FAULT"))
    assert "url(" not in re.sub(r"url\(#", "", picture)


def test_own_data_are_trained_as_shown(tmp_path: Path) -> None:
    csv = re.search(r"^Say `(.+?)`.*?^```csv\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    preset = re.search(r"^cat > (\S+) <<'END'\n(.*?)^END$", TEXT, re.MULTILINE | re.DOTALL)
    assert csv
    assert preset
    for name, content in (csv.groups(), preset.groups()):
        (tmp_path / name).write_text(content)
    run = nntui.Run(nntui.load_preset(str(tmp_path / preset[1])))
    run.step(run.preset.goal.epochs)
    assert run.losses[-1] <= run.preset.goal.loss
    assert run.predict([[100.0, 4.0]]).shape == (1, 1)


DOCUMENTS = [
    *sorted((ROOT / ".github").glob("*.md")),
    *sorted((ROOT / "nntui/manual").glob("*.md")),
]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_file_that_a_document_names_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"`((?:nntui|presets|tests|\.github)/[\w./-]+)`", text)
    made_up = ("presets/NAME.toml", "nntui/manual/TOPIC.md")
    assert [each for each in named if not (ROOT / each).exists() and each not in made_up] == []
    links = re.findall(r"\]\(([^)#]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    assert all((path.parent / link).exists() for link in links)
