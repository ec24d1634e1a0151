"""A sweep on a Dask cluster: a scheduler and two workers on loopback, real processes."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from support import preset

from nntui.sweeps import sweep
from nntui.sweeps.block import Outcome
from nntui.sweeps.cluster import cluster

pytestmark = pytest.mark.slow

SEEDS = range(48)
EPOCHS = 400


def _start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _await(process: subprocess.Popen[str], pattern: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found[0]
    raise AssertionError(f"the process ended without saying {pattern}")


@contextmanager
def loopback() -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """The scheduler's address and its two workers."""
    quiet = ["--no-dashboard", "--host", "127.0.0.1"]
    scheduler = _start("scheduler", *quiet, "--port", "0")
    workers: list[subprocess.Popen[str]] = []
    try:
        address = _await(scheduler, r"tcp://127\.0\.0\.1:\d+")
        few = ["--nthreads", "1", "--no-nanny"]
        workers += [_start("worker", *quiet, *few, address) for _ in range(2)]
        for worker in workers:
            _await(worker, "Registered to")
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


@pytest.fixture(scope="module")
def here() -> list[float | None]:
    return sweep(preset("add-tanh"), SEEDS, epochs=EPOCHS).final_losses


def test_a_cluster_gives_the_same_result(here: list[float | None]) -> None:
    with loopback() as (address, _):
        with cluster(address) as executor:
            assert executor is not None
            assert sweep(preset("add-tanh"), SEEDS, executor, epochs=EPOCHS).final_losses == here
        asked = ["--seeds", str(len(SEEDS)), "--epochs", str(EPOCHS), "--json"]
        command = [sys.executable, "-m", "nntui", "sweep", "add-tanh", "--scheduler", address]
        done = subprocess.run([*command, *asked], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["final_losses"] == here


def test_a_worker_that_dies_half_way_changes_nothing(here: list[float | None]) -> None:
    with loopback() as (address, workers), cluster(address) as executor:
        killed = []

        def kill_one(done: Sequence[Outcome], of: int) -> bool:
            if not killed and done:
                workers[0].kill()
                killed.append(len(done))
            return True

        result = sweep(preset("add-tanh"), SEEDS, executor, epochs=EPOCHS, progress=kill_one)
        assert killed
        assert killed[0] < len(SEEDS)
        assert result.final_losses == here


def test_nobody_at_the_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nntui.sweeps.cluster.PATIENCE", 0.5)
    with pytest.raises(ValueError, match="no answer") as refused, cluster("tcp://127.0.0.1:9"):
        pass
    assert "\n" not in str(refused.value)
