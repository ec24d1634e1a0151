"""Scratch folders: none stays behind, whatever ends the process that made it."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nntui.program.control.world import scratch_folder
from nntui.program.control.world.scratch_folder import make_scratch, remove_scratch, sweep

MAKE = """
import sys
from nntui.program.control.world.scratch_folder import make_scratch
print(make_scratch(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, for this test alone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch_folder, "_swept", [])
    return tmp_path


def test_the_folder_of_a_killed_process_is_removed_at_the_next_start(temporary: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", MAKE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    try:
        assert owner.stdout is not None
        left = Path(owner.stdout.readline().strip())
        (left / "output").write_text("0.5\n")
        sweep()
        assert left.is_dir(), "its owner is alive"
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        assert left.is_dir()
        own = make_scratch()
        assert [str(each) for each in temporary.iterdir()] == [own]
        sweep()
        remove_scratch(own)
    finally:
        owner.kill()
        owner.communicate()
    assert not list(temporary.iterdir())


def test_only_what_is_left_behind_is_removed(temporary: Path) -> None:
    mine = temporary / "mine"
    mine.mkdir()
    (mine / "file").write_text("")
    (temporary / f"{scratch_folder.PREFIX}link").symlink_to(mine)
    young, old = (temporary / f"{scratch_folder.PREFIX}{name}" for name in ("young", "old"))
    young.mkdir()
    old.mkdir()
    os.utime(old, (0, 0))
    sweep()
    assert sorted(each.name for each in temporary.iterdir()) == sorted(
        ["mine", f"{scratch_folder.PREFIX}link", young.name]
    )
    assert (mine / "file").exists()
