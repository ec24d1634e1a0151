"""The diff of a mend is what ``patch -p1`` and ``git apply`` take."""

import subprocess
from pathlib import Path

import pytest

from nntui.program.mending.unified_diff import diff_of, without_one

TEXTS = [
    ("a\nb\nc\n", "a\nB\nc\n"),
    ("a\nb", "a\nB"),
    ("a\nb", "a\nb\n"),
    ("\n".join(map(str, range(40))) + "\n", "\n".join(map(str, range(1, 41))) + "\n"),
    ("x = 'é'\n", "x = 'è'\n"),
    ("a\n\x0cb\x85c\n", "a\n\x0cb\x85d\n"),
]


@pytest.mark.system("patch")
@pytest.mark.parametrize(("before", "after"), TEXTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_patch_makes_one_text_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, end: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "nets" / "my net.py"
    file.parent.mkdir()
    file.write_bytes(before.replace("\n", end).encode())
    diff = diff_of({str(file): before}, {str(file): after})
    assert diff.startswith("--- a/nets/my net.py\t\n+++ b/nets/my net.py\t\n@@")
    done = subprocess.run(
        ["patch", "-p1", "--binary"], input=diff.encode(), capture_output=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout
    assert file.read_bytes() == after.replace("\n", end).encode()


def test_a_file_elsewhere_is_named_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    file = str(tmp_path / "net.py")
    assert diff_of({file: "a\n"}, {file: "b\n"}).startswith("--- a/net.py\n+++ b/net.py\n")


def test_runs_of_lines_are_taken_back_one_at_a_time() -> None:
    before, after = "a\nb\nc\nd\n", "A\nb\nc\nD\n"
    assert list(without_one(before, after)) == ["a\nb\nc\nD\n", "A\nb\nc\nd\n"]
