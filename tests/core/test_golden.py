"""The engine prints what the askers' eleven programs printed, seed by seed."""

import numpy as np
import pytest
from support import CHAOS, NEAR, SCENARIOS, golden, golden_parameters, tensors

import nntui


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_equals_the_askers_program(scenario: str, seed: int) -> None:
    told = golden(scenario)[seed]
    preset = nntui.load_preset(scenario)
    run = nntui.Run(preset, seed=seed)
    biased = [layer.bias != "none" for layer in preset.configuration.layers]
    initial = golden_parameters(told["init"], biased)
    for mine, theirs in zip(tensors(run.parameters), initial, strict=True):
        np.testing.assert_array_equal(mine, theirs, strict=True)

    chaotic = scenario == "xor-relu"
    losses = {int(e): loss for e, loss in told["loss"].items() if not chaotic or int(e) <= CHAOS}
    epochs = max(losses) + 1
    run.step(epochs * preset.configuration.updates_per_epoch)
    assert run.epoch == epochs
    exact = scenario.startswith("square")
    np.testing.assert_allclose(
        run.losses[list(losses)],
        list(losses.values()),
        **({"rtol": 1e-12, "atol": 0} if exact else NEAR),
    )
    if chaotic:
        return

    final = golden_parameters(told["final"], biased)
    for mine, theirs in zip(tensors(run.parameters), final, strict=True):
        np.testing.assert_allclose(mine, theirs, strict=True, **NEAR)
    if "prediction_0.1_0.5" in told:
        np.testing.assert_allclose(run.predict([[0.1, 0.5]]), told["prediction_0.1_0.5"], **NEAR)
    if "fit_at_0_0.5_1" in told:
        fit = run.predict(preset.configuration.data.probe or [])
        np.testing.assert_allclose(fit[0], told["fit_at_0_0.5_1"], **NEAR)
    if "outputs" in told:
        np.testing.assert_allclose(run.outputs[0], told["outputs"], **NEAR)
        hidden = np.abs(run.parameters[0][0])
        assert hidden.max() == pytest.approx(told["max_abs_weight"], rel=1e-9)
    if "epochs_run" in told:
        reached = [preset.goal.reached(loss) for loss in run.losses]
        assert preset.goal.stop
        assert epochs == told["epochs_run"]
        assert reached == [False] * (epochs - 1) + [told["stopped"]]


def test_all_eleven_scenarios_are_there() -> None:
    assert len(SCENARIOS) == 11
    assert all(sorted(golden(scenario)) == [0, 1, 2, 3, 4] for scenario in SCENARIOS)
