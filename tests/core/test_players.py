"""Both players make the same updates, and each of them the same bits again."""

import multiprocessing
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import command, parsed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_presets import presets
from support import CHAOS, NEAR, SCENARIOS, flat, golden, made, preset

import nntui
from nntui.compiler import installed
from nntui.core.engine.player_names import COMPILED, NUMPY
from nntui.core.engine.trainer import Trainer, initial_state, initial_states
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.initialisers import INITIALISERS
from nntui.core.parts.losses import LOSSES
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.parts.schedules import SCHEDULES
from nntui.players.compiled_ensemble import REPLICAS, CompiledEnsemble
from nntui.players.player_choice import chosen_player, is_compilable
from nntui.players.trainers import trainer_of
from nntui.presets import Preset
from nntui.presets.schema import override
from nntui.sweeps import sweep
from nntui.timeline.history import keyframes

CLOSE, NEAR_ZERO = 1e-12, 0.1
"""The largest error of an update, relative to the largest number of the tensor, or to this."""
FORMULAS = ("z*sigmoid(z)", "sin(z) + cos(z)", "max(z, 0)^1.5", "z if z > 0.3 else log1p(exp(z))")
TABLE = {
    "data": {"inputs": [[0.1, -0.4], [0.7, 0.2], [-0.3, 0.9]], "targets": [[0.2], [0.9], [0.4]]},
    "layers": [{"units": 3, "activation": "tanh", "init": "normal"}, {"units": 1}],
    "training": {"loss": "squared-error", "learning_rate": 0.125},
    "report": {"loss": "squared-error"},
}


@pytest.fixture(autouse=True, scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What one test compiled is not compiled again by another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNTUI_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def data_folder() -> None:
    """The folders of `shared_cache` in the place of one for each test."""


@st.composite
def configured(draw: st.DrawFn) -> Preset:
    """Any network of `random_presets`, with any optimiser, schedule, clipping and faults."""
    of = draw(presets())
    optimiser = draw(st.sampled_from(sorted(OPTIMISERS)))
    changes: dict[str, Any] = {
        "training.optimiser": optimiser,
        "training.schedule": draw(st.sampled_from(sorted(SCHEDULES))),
        "training.schedule_decay": 0.5,
        "training.schedule_every": 2,
        "report.every": draw(st.sampled_from([1, 2])),
        "report.rows": draw(st.sampled_from(["batch", "all"])),
    }
    if optimiser in ("sgd", "nesterov"):
        changes["training.momentum"] = draw(st.sampled_from([0.0, 0.9]))
    if draw(st.booleans()):
        changes |= {"training.clip_norm": 0.3, "training.clip_value": 0.2}
    if draw(st.booleans()) and len(of.configuration.layers) > 1:
        changes["layers.0.activation"] = draw(st.sampled_from(FORMULAS))
    names = draw(st.lists(st.sampled_from(sorted(FAULTS)), max_size=2, unique=True))
    changes["faults"] = [{"name": name} for name in names]
    for key, value in changes.items():
        with suppress(nntui.ConfigError):  # for what this network cannot have
            of = override(of, {key: value})
    return of


def trained(of: Preset, player: str) -> tuple[Trainer, list[float]]:
    """A trainer at update 0, and the list that its reports go to."""
    losses: list[float] = []
    state = initial_state(of.configuration, of.seed, player)
    return trainer_of(state, lambda _, loss: losses.append(loss)), losses


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(configured())
def test_an_update_is_the_same_in_every_tensor(of: Preset) -> None:
    (mine, reports), (theirs, expected) = trained(of, COMPILED), trained(of, NUMPY)
    mine.advance(1)
    theirs.advance(1)
    assert (mine.divergence is None) == (theirs.divergence is None)
    for ours, other in zip(mine.written, theirs.written, strict=True):
        values, reference = np.array(ours.values), np.array(other.values)
        assert (ours.tensor, ours.layer) == (other.tensor, other.layer)
        finite = np.isfinite(reference)
        np.testing.assert_array_equal(values[~finite], reference[~finite])
        size = np.abs(reference[finite]).max(initial=0.0) + NEAR_ZERO
        assert np.abs(values[finite] - reference[finite]).max(initial=0.0) <= CLOSE * size, ours
    mine.advance(4)
    theirs.advance(4)
    ours, other = mine.state, theirs.state
    assert (ours.update, ours.epoch, ours.position) == (other.update, other.epoch, other.position)
    np.testing.assert_array_equal(ours.order, other.order)
    assert ours.random[2:] == other.random[2:]
    assert len(reports) == len(expected)
    assert ours.hash != other.hash


def many(units: list[int], samples: int, loss: str, **training: Any) -> Preset:
    """A network with wide layers and many samples, of which vectors and loops are made."""
    random = np.random.RandomState(len(units) + samples)
    targets = random.rand(samples, units[-1])
    kinds = [*ACTIVATIONS][: len(units)]
    return made(
        {
            "data": {
                "inputs": random.randn(samples, 3).tolist(),
                "targets": (targets / targets.sum(axis=1, keepdims=True)).tolist(),
            },
            "layers": [
                {"units": count, "activation": kind, "init": "xavier", "normalise": at == 1}
                for at, (count, kind) in enumerate(zip(units[:-1], kinds[::-1][1:], strict=False))
            ]
            + [{"units": units[-1], "activation": LOSSES[loss].needs_output or "tanh"}],
            "training": {"loss": loss, "learning_rate": 0.05, "reduction": "mean", **training},
            "report": {"loss": loss, "rows": "all", "when": "before"},
        }
    )


@pytest.mark.parametrize(
    "of",
    [
        many([18, 3], 67, "categorical-cross-entropy", batch=64, l2=0.01),
        many([19, 1], 201, "squared-error", optimiser="nesterov", momentum=0.9, clip_norm=0.1),
        many([70, 33, 2], 1, "half-squared-error", l1=0.01),
    ],
    ids=["batches of 64", "all 201 at once", "one sample"],
)
def test_wide_layers_and_many_samples_are_the_same_too(of: Preset) -> None:
    (mine, reports), (theirs, expected) = trained(of, COMPILED), trained(of, NUMPY)
    for _ in range(3):
        mine.advance(1)
        theirs.advance(1)
        for ours, other in zip(mine.written, theirs.written, strict=True):
            size = np.abs(other.values).max() + 1e-3
            assert np.abs(ours.values - other.values).max() <= CLOSE * size, (
                ours.tensor,
                ours.layer,
            )
    mine.advance(20)
    theirs.advance(20)
    np.testing.assert_allclose(mine.state.theta, theirs.state.theta, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(reports, expected, rtol=1e-9)


def test_every_part_of_the_registries_can_be_compiled() -> None:
    plain = made(TABLE)
    changes: list[dict[str, Any]] = [{"layers.0.activation": each} for each in ACTIVATIONS]
    changes += [{"layers.0.init": each} for each in INITIALISERS]
    changes += [{"training.optimiser": each} for each in OPTIMISERS]
    changes += [{"training.schedule": each} for each in SCHEDULES]
    changes += [{"faults": [{"name": each}]} for each in FAULTS]
    changes += [{"layers.0.activation": each} for each in FORMULAS]
    for name, loss in LOSSES.items():
        losses = {"training.loss": name, "report.loss": name}
        changes.append(losses | {"layers.1.activation": loss.needs_output or "identity"})
    for each in changes:
        assert is_compilable(override(plain, each).configuration), each


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_equals_the_askers_program(scenario: str) -> None:
    told = golden(scenario)[0]["loss"]
    epochs = min(CHAOS + 1, max(map(int, told)) + 1)
    run = nntui.Run(nntui.load_preset(scenario), seed=0, player=COMPILED)
    run.step(epochs * run.preset.configuration.updates_per_epoch)
    losses = {int(epoch): loss for epoch, loss in told.items() if int(epoch) < epochs}
    np.testing.assert_allclose(run.losses[list(losses)], list(losses.values()), **NEAR)


WALKED = made(
    {
        **TABLE,
        "training": {
            **TABLE["training"],
            "optimiser": "adam",
            "batch": 2,
            "order": "shuffled",
            "schedule": "inverse",
            "schedule_decay": 0.1,
        },
    }
)


@pytest.mark.parametrize("player", [NUMPY, COMPILED])
def test_a_walk_finds_the_same_bits_wherever_it_comes_from(
    player: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "FIRST_DISTANCE", 16)
    straight = nntui.Run(WALKED, player=player)
    hashes = [straight.state_hash]
    for _ in range(120):
        straight.step()
        hashes.append(straight.state_hash)
    run, random = nntui.Run(WALKED, player=player), np.random.RandomState(3)
    for target in random.randint(0, 121, 60).tolist():
        run.seek(target)
        assert (run.update, run.state_hash) == (target, hashes[target])
    np.testing.assert_array_equal(run.losses, straight.losses[: run.epoch])
    run.seek(50)
    fork = run.fork(**{"training.learning_rate": 0.01, "training.momentum": 0.5})
    fork.step(30)
    assert fork.player == player
    again = fork.state_hash
    fork.seek(20)
    fork.seek(80)
    assert fork.state_hash == again


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_divergence_is_found_at_the_same_number_however_far_one_steps(step: int) -> None:
    wild = {"training.optimiser": "sgd", "training.learning_rate": 30.0}
    of = override(WALKED, {**wild, "report.loss": "half-absolute-error"})
    runs = [nntui.Run(of, player=player) for player in (NUMPY, COMPILED)]
    for run in runs:
        while run.divergence is None:
            run.step(step)
    assert runs[0].divergence == runs[1].divergence
    assert runs[0].update == runs[1].update == runs[1].head
    assert runs[0].epoch == runs[1].epoch
    ended = runs[1].state_hash
    runs[1].seek(0)
    runs[1].seek(10**6)
    assert runs[1].state_hash == ended
    # The buffers of the last update hold what it computed.
    bad = [each.tensor for each in runs[1].trainer.written if not np.isfinite(each.values).all()]
    assert bad[0] == runs[1].divergence.tensor


@pytest.mark.parametrize(
    "changes",
    [
        {"training.order": "random", "training.draws": 5, "training.batch": 2},
        {"report.rows": "all", "report.when": "after", "report.every": 2, "training.batch": 1},
    ],
)
def test_replicas_are_what_single_networks_are(changes: dict[str, Any]) -> None:
    of, seeds, epochs = override(WALKED, {"training.order": "in-order", **changes}), range(5), 9
    configuration = of.configuration
    ensemble = CompiledEnsemble(list(initial_states(configuration, seeds, COMPILED)))
    told, losses = [], []
    for count in (2, epochs - 2):
        reports, rows = ensemble.trained(count)
        told += reports
        losses += list(rows)
    assert ensemble.count == len(seeds) < REPLICAS
    for column, seed in enumerate(seeds):
        run = nntui.Run(of, seed=seed, player=NUMPY)
        run.step(epochs * configuration.updates_per_epoch)
        np.testing.assert_array_equal(told, run.reported_epochs)
        np.testing.assert_allclose([each[column] for each in losses], run.losses, rtol=1e-9)
        now = ensemble.state().replica(column)
        np.testing.assert_allclose(now.theta, run.state.theta, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(now.order, run.state.order)
        assert now.player == COMPILED


@pytest.mark.parametrize("name", ["line-leaky-relu-bias", "xor-relu"])
def test_a_sweep_ends_its_seeds_where_single_runs_end(name: str) -> None:
    # The rate lets some diverge; the others of line-leaky-relu-bias stop at their target.
    rate = {"line-leaky-relu-bias": 2e-2, "xor-relu": 0.05}[name]
    of = preset(name, training__learning_rate=rate)
    seeds, epochs = range(20), 300
    found = sweep(of, seeds, epochs=epochs, player=COMPILED)
    expected = sweep(of, seeds, epochs=epochs, player=NUMPY)
    assert found.players == {COMPILED: 20}
    for mine, theirs in zip(found.outcomes, expected.outcomes, strict=True):
        assert (mine.seed, mine.diverged, mine.updates) == (
            theirs.seed,
            theirs.diverged,
            theirs.updates,
        )
        if not mine.diverged:
            assert mine.final_loss == pytest.approx(theirs.final_loss, rel=1e-9)


def test_the_player_is_chosen_by_what_is_asked_and_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = made(TABLE).configuration
    wide = [{"units": 700, "activation": "relu"}] * 2
    large = override(made(TABLE), {"layers": [*wide, {"units": 1}]}).configuration
    assert chosen_player("auto", small) == NUMPY  # as NNTUI_PLAYER says in tests
    monkeypatch.delenv("NNTUI_PLAYER")
    assert chosen_player("auto", small) == chosen_player(COMPILED, large) == COMPILED
    assert chosen_player("auto", large) == chosen_player(NUMPY, small) == NUMPY
    installed.is_installed.cache_clear()
    monkeypatch.setattr(installed, "find_spec", lambda name: None)
    try:
        assert chosen_player("auto", small) == NUMPY
        with pytest.raises(nntui.ConfigError, match=r"pip install 'nntui\[fast\]'"):
            nntui.Run(made(TABLE), player=COMPILED)
    finally:
        installed.is_installed.cache_clear()
    with pytest.raises(nntui.ConfigError, match="must be one of auto, numpy, compiled"):
        nntui.Run(made(TABLE), player="jax")


def test_a_session_keeps_its_player_and_goes_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = nntui.Run(WALKED, player=COMPILED)
    run.step(90)
    run.save(tmp_path / "it.nntui")
    again = nntui.load_session(tmp_path / "it.nntui")
    assert (again.player, again.state_hash, again.tree.note) == (COMPILED, run.state_hash, "")
    run.step(30)
    again.step(30)
    assert again.state_hash == run.state_hash
    monkeypatch.setattr("nntui.timeline.sessions.unpack.is_installed", lambda: False)
    other = nntui.load_session(tmp_path / "it.nntui")
    assert other.player == NUMPY
    assert "nntui[fast]" in other.tree.note
    other.seek(120)
    np.testing.assert_allclose(flat(other.parameters), flat(run.parameters), rtol=1e-9)


def test_states_of_one_player_are_not_played_by_the_other() -> None:
    state = initial_state(made(TABLE).configuration, 0)
    assert replace(state, player=COMPILED).hash != state.hash
    with pytest.raises(ValueError, match="a state of the player compiled"):
        Trainer(replace(state, player=COMPILED))


def _hash_of(folder: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNTUI_CACHE_DIR", folder)
        run = nntui.Run(WALKED, player=COMPILED)
        run.step(20)
        return run.state_hash


def test_two_processes_compile_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.map(_hash_of, [str(tmp_path)] * 2, chunksize=1)
    assert first == second == _hash_of(str(tmp_path))
    assert all(len(each.name) == 64 for each in (tmp_path / "compiled").iterdir())


@pytest.mark.parametrize("player", [NUMPY, COMPILED])
@pytest.mark.parametrize("distance", [6, 64])
def test_training_stops_at_the_end_of_the_first_epoch_that_is_low_enough(
    player: str, distance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "FIRST_DISTANCE", distance)
    whole = nntui.Run(WALKED, player=player)
    whole.step(400)
    lowest = float(np.minimum.accumulate(whole.losses)[60])
    epoch = int(np.flatnonzero(whole.losses <= lowest)[0])
    run = nntui.Run(WALKED, player=player)
    run.step(400, stop=lowest)
    assert (run.epoch, run.position, run.head) == (epoch + 1, 0, 2 * (epoch + 1))
    again = nntui.Run(WALKED, player=player)
    again.step(run.update)
    assert run.state_hash == again.state_hash
    for mine, theirs in zip(run.trainer.written, again.trainer.written, strict=True):
        np.testing.assert_array_equal(mine.values, theirs.values)
    run.seek(3)
    run.step(400, stop=lowest)
    assert run.update == again.update


def test_commands_say_what_made_the_updates(tmp_path: Path) -> None:
    run = nntui.Run(preset("add-relu"), player=COMPILED)
    run.step(60)
    told = parsed(
        command("run", "add-relu", "--player", COMPILED, "--updates", "60", "--json").stdout
    )
    assert (told["player"], told["state_hash"]) == (COMPILED, run.state_hash)
    text = command("run", "add-relu", "--player", COMPILED, "--updates", "60").stdout
    assert f"state    {run.state_hash}, by compiled updates" in text
    many = ("sweep", "add-relu", "--seeds", "5", "--epochs", "9")
    assert parsed(command(*many, "--player", COMPILED, "--json").stdout)["players"] == {COMPILED: 5}
    assert "player   5 by compiled updates" in command(*many, "--player", COMPILED).stdout
    for plain in (("run", "add-relu", "--updates", "6"), many):
        assert not {"player", "players"} & set(parsed(command(*plain, "--json").stdout))
    path = tmp_path / "it.nntui"
    run.save(path)
    on = parsed(command("run", str(path), "--updates", "90", "--json").stdout)
    run.step(30)
    assert on["state_hash"] == run.state_hash
    done = command("run", str(path), "--player", NUMPY)
    assert (done.returncode, done.stdout) == (2, "")
    assert "made by compiled, and it goes on with that" in done.stderr


@pytest.mark.parametrize(
    "line", [("run", "add-relu"), ("sweep", "add-relu"), ("why", "add-relu"), ()]
)
def test_a_player_that_is_not_installed_is_one_line(
    line: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nntui.players.player_choice.is_installed", lambda: False)
    done = command(*(line or ("add-relu",)), "--player", COMPILED)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "pip install 'nntui[fast]'" in done.stderr
