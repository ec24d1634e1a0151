"""The engine against the askers' programs, for seeds that no golden file holds."""

import numpy as np
import pytest
from published_programs import PROGRAMS
from support import CHAOS, NEAR, SCENARIOS, Array, golden, golden_parameters, tensors

import nntui

EPOCHS = 150
SEEDS = [*range(5, 13), 123456, 2**32 - 1]
CASES = [(scenario, EPOCHS, seed) for scenario in sorted(PROGRAMS) for seed in SEEDS]
# Weights grow from early on here: many seeds and every epoch before the chaos.
CASES += [("xor-relu", CHAOS, seed) for seed in range(13, 38)]


def assert_near(mine: list[Array], theirs: list[Array]) -> None:
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, strict=True, **NEAR)


def biased(scenario: str) -> list[bool]:
    layers = nntui.load_preset(scenario).configuration.layers
    return [layer.bias != "none" for layer in layers]


def test_there_is_one_program_for_each_golden_file() -> None:
    assert sorted(PROGRAMS) == SCENARIOS


@pytest.mark.parametrize("seed", [0, 4])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_program_is_the_askers_own(scenario: str, seed: int) -> None:
    told = golden(scenario)[seed]
    losses = {int(epoch): loss for epoch, loss in told["loss"].items() if int(epoch) <= CHAOS}
    program = PROGRAMS[scenario](seed, max(losses) + 1)
    for mine, theirs in zip(
        program.initial, golden_parameters(told["init"], biased(scenario)), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs, strict=True)
    np.testing.assert_allclose(
        [program.losses[epoch] for epoch in losses], list(losses.values()), rtol=1e-11, atol=0
    )


@pytest.mark.parametrize(("scenario", "epochs", "seed"), CASES)
def test_the_engine_equals_the_program(scenario: str, epochs: int, seed: int) -> None:
    program = PROGRAMS[scenario](seed, epochs)
    run = nntui.Run(nntui.load_preset(scenario), seed=seed)
    for mine, theirs in zip(tensors(run.parameters), program.initial, strict=True):
        np.testing.assert_array_equal(mine, theirs, strict=True)
    run.step(epochs * run.preset.configuration.updates_per_epoch)
    np.testing.assert_allclose(run.losses, program.losses, **NEAR)
    assert_near(tensors(run.parameters), program.final)
