"""Sessions of a program: what was seen comes back, nothing runs, and altered files are refused."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from controlled import written

from nntui.core.errors import ConfigError
from nntui.program.checking import CheckRequest
from nntui.program.debugging.program_run import ProgramRun
from nntui.program.debugging.sessions.program_session import (
    is_program_session,
    load_program_session,
    write_program_session,
)
from nntui.program.debugging.snapshot_of_run import seen_of
from nntui.timeline.sessions.archive import read_archive, write_archive
from nntui.timeline.sessions.session import load
from nntui.timeline.sessions.session_folder import entries, find, new_path

PROGRAM = """
    import sys
    import numpy as np
    open("ran.txt", "a").write("once")
    X, W, rate = np.arange(6.0).reshape(3, 2), np.ones((2, 1)), 0.01
    for epoch in range(9):
        for x in X:
            error = x[:, None].T @ W - float(sys.argv[1])
            loss = float(np.sum(error ** 2))
            W = W - rate * 2 * x[:, None] @ error
        print(epoch, loss)
    """


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProgramRun, Path]]:
    """A program with a fork, stepped and saved."""
    folder = tmp_path_factory.mktemp("kept")
    run = ProgramRun(CheckRequest(written(folder, PROGRAM), ("2",)))
    run.open()
    run.seek(8)
    run.checkpoint()
    run.fork("rate", 0.02)
    run.seek(11)
    run.look()
    seen_of(run)
    path = folder / "kept.nntui"
    write_program_session(path, *run.keep())
    yield run, path
    run.close()


def test_a_session_is_found_by_the_name_of_its_program(saved: tuple[ProgramRun, Path]) -> None:
    run, _ = saved
    path = new_path("mynet.py")
    write_program_session(path, *run.keep())
    assert find("mynet") == find("mynet.py") == find(path.stem) == path


def test_what_was_seen_comes_back_and_nothing_runs(saved: tuple[ProgramRun, Path]) -> None:
    run, path = saved
    assert is_program_session(path)
    kept = ProgramRun.from_session(load_program_session(path))
    before, after = seen_of(run), seen_of(kept)
    assert kept.is_kept
    assert kept.branch.timeline is None, "no process"
    for name in (
        *("path", "arguments", "seed", "files", "loop", "epoch_loop", "update", "head", "epoch"),
        *("epochs", "loss", "loss_name", "check", "output", "variables", "events", "state_hash"),
        *("overlaid", "marks"),
    ):
        assert getattr(after, name) == getattr(before, name), name
    assert [each.name for each in after.branches] == [each.name for each in before.branches]
    for mine, theirs in zip(before.branches, after.branches, strict=True):
        assert np.array_equal(mine.losses.read(), theirs.losses.read())
    line = before.seen.lines[-1]
    same = after.seen.lines[-1]
    assert (same.line, same.target, same.times) == (line.line, line.target, line.times)
    assert np.array_equal(same.last.number, line.last.number)
    assert kept.branches[0].checkpoints == {8}


def test_running_it_again_compares_the_state(saved: tuple[ProgramRun, Path]) -> None:
    _, path = saved
    kept = ProgramRun.from_session(load_program_session(path))
    try:
        assert kept.run_again().startswith("the same state")
        assert (kept.update, kept.is_kept) == (11, False)
        kept.show(kept.branches[0])
        assert kept.update == 8
        assert kept.branch.value("rate") == 0.01
    finally:
        kept.close()
    other = ProgramRun.from_session(load_program_session(path))
    try:
        other.branch.texts[other.file] = other.branch.texts[other.file].replace("ones", "zeros")
        assert other.run_again().startswith("another state")
    finally:
        other.close()


def test_the_text_that_was_kept_runs_whatever_the_file_holds(
    saved: tuple[ProgramRun, Path],
) -> None:
    run, path = saved
    file = Path(run.file)
    text = file.read_text()
    try:
        file.write_text(text.replace("9", "3"))
        kept = ProgramRun.from_session(load_program_session(path))
        assert "+for epoch in range(3):" in kept.difference()
        kept.branches[0].texts[kept.file] = file.read_text()
        assert not kept.difference(), "that is the text of another branch"
        file.unlink()
        assert "no such file" in kept.difference()
        assert kept.run_again().startswith("the same state")
        kept.close()
    finally:
        file.write_text(text)


def test_the_folder_lists_it_and_presets_refuse_it(saved: tuple[ProgramRun, Path]) -> None:
    run, _ = saved
    path = new_path("mynet")
    write_program_session(path, *run.keep())
    (entry,) = entries()
    assert (entry.preset, entry.program, entry.update, entry.branches, entry.problem) == (
        "mynet.py",
        os.path.abspath(run.request.path),
        11,
        2,
        None,
    )
    with pytest.raises(ConfigError, match="a program of your own; nntui open"):
        load(path)


def _less(program: dict[str, Any]) -> None:
    del program["branches"][0]["texts"]


def _beyond(program: dict[str, Any]) -> None:
    program["branches"][0]["losses"]["start"] = 10**9


def _of_nobody(program: dict[str, Any]) -> None:
    program["branches"][1]["parent"] = 1


def _python(program: dict[str, Any]) -> None:
    program["python"] = "/bin/sh"


@pytest.mark.parametrize("change", [_less, _beyond, _of_nobody, _python])
def test_a_file_that_says_something_else_is_refused(
    saved: tuple[ProgramRun, Path], tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    manifest, vectors = read_archive(saved[1])
    change(manifest["program"])
    path = tmp_path / "altered.nntui"
    write_archive(path, json.dumps(manifest), {name: [each] for name, each in vectors.items()})
    with pytest.raises(ConfigError, match=r"altered\.nntui: is not a valid session"):
        load_program_session(path)
