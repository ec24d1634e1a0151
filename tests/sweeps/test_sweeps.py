"""Sweeps: each replica equals a single run of its seed, whatever the others do."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from sessions_of_processes import all_gone, members
from support import preset

import nntui
from nntui.core.engine.ensemble import Ensemble, worthwhile
from nntui.core.engine.trainer import initial_state
from nntui.presets import Preset, preset_names
from nntui.sweeps import SweepResult, sweep
from nntui.sweeps import block as blocks
from nntui.sweeps.block import Outcome
from nntui.sweeps.processes import local_processes
from nntui.sweeps.result import wilson
from nntui.timeline.history.termination import Termination

EPOCHS = {"square": 30, "xor": 200}
DIFFICULT: dict[str, Preset] = {
    "xor-relu": preset("xor-relu"),
    "stops": preset("line-leaky-relu-bias", goal__loss=3.0),
    "shuffled adam": preset(
        "add-fixed", training__order="shuffled", training__batch=4, training__optimiser="adam"
    ),
    "random draws": preset("add-tanh", training__order="random", training__draws=11),
    "all rows": preset(
        "add-tanh",
        training__order="random",
        training__draws=1,
        report__rows="all",
        report__every=7,
    ),
    "stops at a report": preset(
        "line-leaky-relu-bias",
        goal__loss=3.0,
        training__order="random",
        training__draws=2,
        report__rows="all",
        report__when="after",
        report__every=5,
    ),
    "penalties": preset("add-tanh", training__l1=1e-3, training__l2=1e-2, report__penalty=True),
    "clipped": preset("add-relu", training__clip_norm=0.5, training__schedule="step"),
    "some diverge": preset(
        "add-relu",
        training__learning_rate=1.0,
        faults=[],
        **{f"layers__{layer}__activation": "leaky-relu" for layer in range(3)},
    ),
    "all diverge": preset("xor-relu", training__learning_rate=1e5),
    "normalised": preset("xor-relu-layernorm"),
}


def single(of: Preset, seed: int, epochs: int) -> tuple[float | None, bool, int]:
    """The last loss, whether it diverged, and how many updates it made."""
    run = nntui.Run(of, seed=seed)
    ending = Termination(epochs)
    while ending.reason(run) is None:
        run.step(ending.next_check(run) - run.update)
    return run.loss, run.divergence is not None, run.update


def compare(of: Preset, result: SweepResult, epochs: int) -> None:
    for outcome in result.outcomes:
        loss, diverged, updates = single(of, outcome.seed, epochs)
        assert (outcome.diverged, outcome.updates) == (diverged, updates), outcome
        if loss is None or not math.isfinite(loss):
            assert outcome.final_loss is None or not math.isfinite(outcome.final_loss)
        else:
            assert outcome.final_loss == pytest.approx(loss, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_sweeps_as_its_runs_run(name: str) -> None:
    epochs = EPOCHS.get(name.partition("-")[0], 120)
    of = preset(name)
    seeds = range(6) if name.startswith("square") else range(12)
    result = sweep(of, seeds, epochs=epochs)
    assert result.seeds == list(seeds)
    compare(of, result, epochs)


@pytest.mark.slow
@pytest.mark.parametrize("name", DIFFICULT)
def test_difficult_replicas_do_not_disturb_the_others(name: str) -> None:
    of, epochs = DIFFICULT[name], {"stops": 400, "some diverge": 8}.get(name, 150)
    result = sweep(of, range(25), epochs=epochs)
    compare(of, result, epochs)
    assert result.diverged == sum(outcome.diverged for outcome in result.outcomes)
    if name == "some diverge":
        assert 0 < result.diverged < 25
    if name == "stops":
        assert sum(result.solved) > 0
        assert len({outcome.updates for outcome in result.outcomes}) > 2


def test_initial_parameters_are_those_of_the_seed() -> None:
    of = preset("add-relu")
    ensemble = Ensemble([initial_state(of.configuration, seed) for seed in range(5, 20)])
    for column, seed in enumerate(range(5, 20)):
        run = nntui.Run(of, seed=seed)
        assert np.array_equal(ensemble.theta[:, column], run.state.theta)
        assert ensemble.state().replica(column).hash == run.state_hash


def test_a_seed_does_not_depend_on_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    of = preset("add-relu")
    assert worthwhile(of.configuration)
    whole = sweep(of, range(40), epochs=60)
    monkeypatch.setattr(blocks, "CACHE", 12_000)
    small = sweep(of, range(40), epochs=60)
    backwards = sweep(of, reversed(range(40)), epochs=60)
    for other in (small.outcomes, backwards.outcomes[::-1]):
        for a, b in zip(whole.outcomes, other, strict=True):
            assert a.final_loss == pytest.approx(b.final_loss, rel=1e-12)


def test_a_seed_that_diverges_early_keeps_the_loss_it_had() -> None:
    of = preset("square-leaky-relu", training__learning_rate=3.0, training__batch=7)
    seeds = range(100, 124)
    result = sweep(of, seeds, epochs=60)
    assert result.diverged > 10
    compare(of, result, 60)
    assert sweep(of, [104], epochs=60).final_losses == [result.final_losses[4]]


def test_any_executor_gives_the_same() -> None:
    of = preset("xor-sigmoid")
    here = sweep(of, range(30), epochs=50)
    with ThreadPoolExecutor(2) as threads:
        assert sweep(of, range(30), threads, epochs=50).final_losses == here.final_losses
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        assert sweep(of, range(30), processes, epochs=50).final_losses == here.final_losses


@pytest.mark.slow
def test_local_processes_are_used_where_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    of = preset("add-relu")
    here = sweep(of, range(24), epochs=40)
    monkeypatch.setattr("nntui.sweeps.runner.WORTH_PROCESSES", 0.0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert sweep(of, range(24), epochs=40).final_losses == here.final_losses


@pytest.mark.slow
def test_local_processes_end_with_their_context_whatever_they_do() -> None:
    with local_processes(2) as pool:
        assert pool is not None
        workers = {pool.submit(os.getpid).result() for _ in range(20)}
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()
        endless = [pool.submit(time.sleep, 10**6) for _ in range(4)]
    for each in endless:
        assert isinstance(each.exception(), BrokenProcessPool)
    assert isinstance(pool.submit(os.getpid).exception(), BrokenProcessPool)
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@pytest.mark.slow
def test_a_worker_that_is_killed_fails_what_is_left() -> None:
    with local_processes(2) as pool:
        assert pool is not None
        worker = pool.submit(os.getpid).result()
        waiting = [pool.submit(time.sleep, 10**6) for _ in range(4)]
        os.kill(worker, signal.SIGKILL)
        assert isinstance(waiting[3].exception(), BrokenProcessPool)
        assert isinstance(pool.submit(os.getpid).exception(), BrokenProcessPool)


def test_losses_near_the_largest_number_add_up_without_a_warning() -> None:
    of = preset("xor-relu", data__targets=[[0.0], [5e-324], [1e308], [1e200]])
    assert sweep(of, range(8), epochs=3).diverged == 8


OWNER = """
import os, sys, time
from nntui.sweeps.processes import local_processes
with local_processes(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 10**6).result()
"""


def test_a_worker_ends_with_the_process_that_started_it_however_that_ends() -> None:
    command = [sys.executable, "-c", OWNER]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert owner.stdout is not None
    worker = int(owner.stdout.readline())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # they are the owner's to hear
        os.kill(worker, number)
    assert members(owner.pid) == [owner.pid, worker]
    owner.kill()
    owner.communicate()
    all_gone(owner.pid)


def test_a_sweep_ended_early_reports_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "CACHE", 12_000)
    calls: list[tuple[int, int]] = []

    def stop(done: Sequence[Outcome], of: int) -> bool:
        calls.append((len(done), of))
        return len(calls) < 2

    result = sweep(preset("add-relu"), range(100), epochs=5, progress=stop)
    assert 0 < len(result.seeds) < 100
    assert calls[-1] == (len(result.seeds), 100)
    assert result.seeds == list(range(len(result.seeds)))


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_a_tiny_budget(epochs: int) -> None:
    result = sweep(preset("add-relu"), range(5), epochs=epochs)
    compare(preset("add-relu"), result, epochs)
    assert result.final_losses == ([None] * 5 if epochs == 0 else result.final_losses)


def test_bad_seeds_are_refused() -> None:
    for seed in (-1, 2**32, True):
        with pytest.raises(nntui.ConfigError, match="seed"):
            sweep(preset("add-relu"), [seed], epochs=1)
    assert sweep(preset("add-relu"), [], epochs=1).outcomes == ()


def test_the_json_has_no_nan() -> None:
    result = sweep(preset("add-relu", training__learning_rate=1e6), range(6), epochs=3)
    value: dict[str, Any] = result.as_json()
    assert list(value) == [
        "preset",
        "seeds",
        "epochs",
        "goal",
        "solved",
        "success_rate",
        "interval",
        "final_losses",
        "diverged",
        "elapsed_seconds",
        "updates_per_second",
    ]
    assert all(loss is None or math.isfinite(loss) for loss in value["final_losses"])


@pytest.mark.parametrize(
    ("solved", "count", "low", "high"),
    # Newcombe 1998, table I: the score interval without continuity correction.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(solved: int, count: int, low: float, high: float) -> None:
    assert wilson(solved, count) == pytest.approx((low, high), abs=6e-5)
    assert wilson(0, 0) == (0.0, 1.0)
