"""The checks: correct programs pass, wrong ones are found and named, and no fault list is read."""

import json
import sys
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from commands import command, refused
from hypothesis import assume, given
from hypothesis import strategies as st
from random_presets import presets
from support import Array, made, preset

import nntui
from nntui.core.engine.network import Layout, has_effect
from nntui.core.engine.state import Order
from nntui.core.parts.faults import FAULTS, Fault, LayerGradient
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.tape import Tape
from nntui.diagnosis import subject
from nntui.diagnosis.check import Check, check
from nntui.diagnosis.check_text import render_check
from nntui.diagnosis.checks import replays, tensor_names
from nntui.diagnosis.checks.examination import Examined, examine
from nntui.diagnosis.checks.forward_check import AFTER, OVER, PENALTY
from nntui.diagnosis.checks.naming import KNOWN
from nntui.diagnosis.checks.oracle import true_gradient
from nntui.diagnosis.checks.tensor_names import tensors_of
from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.finding import PROOF
from nntui.diagnosis.observation import observe
from nntui.diagnosis.rules.code_faults import RULES, code_faults, findings_of
from nntui.diagnosis.subject import LayerValues, Observed, Program
from nntui.presets import Preset, load_preset, read_preset
from nntui.presets.lookup import library
from nntui.presets.schema import override

INPUTS = [[0.3, -0.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.8], [-1.2, -0.1]]
TARGETS = [[0.4, 0.9], [-0.3, 0.6], [0.7, -0.2], [0.1, 0.3], [-0.5, 0.2]]
OTHERS: dict[str, dict[str, Any]] = {
    "derivative": {"of": "softplus"},
    "wrong-factor": {"factor": -0.5},
}
"""What some faults also take."""
LETTERS = sorted(FAULTS)
"""All faults by name."""


def network(faults: list[Any], activation: str = "tanh", **training: Any) -> nntui.Run:
    """A 2-4-3-2 network on five rows, its biases 0 at first."""
    if any(each == OVER or (isinstance(each, dict) and each["name"] == OVER) for each in faults):
        activation = "softmax"
    start = {"activation": activation, "init": "normal", "leak": 0.2}
    source = {
        "faults": faults,
        "data": {"inputs": INPUTS, "targets": TARGETS},
        "layers": [{"units": units, **start} for units in (4, 3, 2)],
        "training": {"loss": "squared-error", "learning_rate": 0.125, "l2": 0.1, **training},
        "report": {"loss": "squared-error", "penalty": True},
    }
    return nntui.Run(made(source), seed=3)


def examined(run: nntui.Run) -> Examined:
    return examine(Program(run.preset.configuration), run.state)


def named(run: nntui.Run) -> dict[str, tuple[int, ...] | None]:
    """What was found, by name, with the layers."""
    found = examined(run)
    assert found.explanation.unknown == ()
    assert found.forward.unknown is None
    assert found.printed is not None
    assert not found.printed.unknown
    return {entry.name: entry.layers for entry in found.rules}


def planted(configuration: Configuration) -> dict[str, tuple[int, ...]]:
    """The faults of a configuration and the layers in which each has an effect."""
    layers = range(len(configuration.layers))
    return {
        entry.name: tuple(
            layer
            for layer in layers
            if entry.concerns(layer) and has_effect(configuration, replace(entry, layers=(layer,)))
        )
        for entry in configuration.faults
    }


def assert_passes(checked: Check) -> None:
    assert checked.ok, [finding.evidence for finding in checked.findings]
    assert {each.verdict for each in checked.gradient} <= {"ok", "too small"}, render_check(checked)
    assert {each.verdict for each in checked.updates} <= {"ok", "too small"}
    assert checked.causes == {}


EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        "training.optimiser": st.sampled_from(["sgd", "nesterov", "rmsprop", "adam"]),
        "training.momentum": st.sampled_from([0.5, 0.9]),
        "training.learning_rate": st.sampled_from([1e-9, 1e-4, 0.3, 5.0]),
        "training.clip_norm": st.sampled_from([0.01, 1.0]),
        "training.clip_value": st.sampled_from([0.01, 1.0]),
        "training.schedule": st.sampled_from(["exponential", "cosine"]),
    },
)
"""What random presets do not vary by themselves."""


@given(presets(), EXTRAS, st.integers(0, 60))
def test_a_correct_program_passes(preset: Preset, extras: dict[str, Any], updates: int) -> None:
    run = nntui.Run(override(preset, extras))
    run.step(updates)
    checked = check(run)
    assert_passes(checked)
    json.dumps(checked.as_json(), allow_nan=False)


@given(presets())
def test_the_complex_step_is_what_backpropagation_gives(preset: Preset) -> None:
    program = Program(preset.configuration)
    theta = nntui.Run(preset).state.theta
    rows = np.arange(preset.configuration.batch_size) % program.data.x.shape[1]
    gradient = program.updates(theta, [rows])[0].gradient
    exact = true_gradient(program.stated, theta, program.data.x[:, rows], program.data.y[:, rows])
    scale = max(1.0, float(np.abs(exact).max()))
    np.testing.assert_allclose(gradient, exact, rtol=1e-12, atol=1e-12 * scale)


@pytest.mark.parametrize("updates", [0, 300])
@pytest.mark.parametrize("name", [each.name for each in library()])
def test_each_scenario_has_the_faults_that_it_states(name: str, updates: int) -> None:
    run = nntui.Run(preset(name))
    run.step(updates)
    found = named(run)
    expected = planted(run.preset.configuration)
    assert found == expected
    checked = check(run)
    assert checked.ok == (not expected)
    if not expected:
        assert_passes(checked)


@pytest.mark.parametrize("batch", [1, "full"])
@pytest.mark.parametrize("layers", [None, [1]], ids=["everywhere", "in layer 1"])
@pytest.mark.parametrize("name", LETTERS)
def test_each_fault_is_named_with_its_layers(name: str, layers: Any, batch: int | str) -> None:
    where = {} if layers is None else {"layers": layers}
    run = network([{"name": name, **where, **OTHERS.get(name, {})}], batch=batch)
    if name == "sum-for-mean" and batch == 1:  # of one sample they are the same
        assert named(run) == {}
    else:
        assert named(run) == planted(run.preset.configuration)


@pytest.mark.parametrize("optimiser", ["nesterov", "rmsprop", "adam"])
@pytest.mark.parametrize("name", LETTERS)
def test_a_fault_is_named_whatever_the_optimiser(name: str, optimiser: str) -> None:
    run = network(
        [{"name": name, **OTHERS.get(name, {})}], optimiser=optimiser, momentum=0.9, clip_norm=0.5
    )
    run.step(7)
    assert named(run) == planted(run.preset.configuration)


PAIRS = [(one, two) for at, one in enumerate(LETTERS) for two in LETTERS[at + 1 :]]
SAME_PLACE = [
    {"bias-decay", "frozen-bias"},
    {"derivative", "derivative-at-a"},
    {"wrong-sign", "wrong-factor"},
    {"no-weights-in-backprop", "update-before-backprop"},
    {"no-weights-in-backprop", "penalty-before-update"},
]
"""Pairs of which one hides the other, or which are one rule with another number."""


@pytest.mark.parametrize(
    "pair", [pair for pair in PAIRS if set(pair) not in SAME_PLACE], ids=" and ".join
)
def test_two_faults_are_named_together(pair: tuple[str, str]) -> None:
    faults = [{"name": name, **OTHERS.get(name, {})} for name in pair]
    run = network(faults, "sigmoid")
    assert named(run) == planted(run.preset.configuration)


@pytest.mark.slow
@given(
    presets(),
    st.sampled_from([name for name in LETTERS if name != PENALTY]),
    st.data(),
)
def test_a_fault_that_changes_an_update_is_found(
    drawn: Preset, name: str, data: st.DataObject
) -> None:
    entry = {"name": name, **OTHERS.get(name, {})}
    if data.draw(st.booleans()):
        entry["layers"] = [data.draw(st.integers(0, len(drawn.configuration.layers) - 1))]
    run = nntui.Run(override(drawn, {"faults": [entry]}))
    found = examined(run)
    program, stated = Program(run.preset.configuration), Program(found.replays.stated)
    theta = np.random.RandomState(5).randn(run.state.theta.size)
    rows = np.arange(min(3, drawn.configuration.batch_size)) % program.data.x.shape[1]
    mine, right = (each.updates(theta, [rows])[0] for each in (program, stated))
    far = np.linalg.norm(mine.gradient - right.gradient) > 1e-6 * np.linalg.norm(right.gradient)
    assume(far)
    assert findings_of(found)


def test_a_network_whose_gradients_cancel_is_not_wrong() -> None:
    """One unit on a parabola ends where its deltas add up to what rounding leaves of them."""
    x = np.linspace(-1.0, 1.0, 21)
    one = read_preset(
        "one-unit",
        {
            "data": {
                "inputs": x.reshape(-1, 1).tolist(),
                "targets": (x * x).reshape(-1, 1).tolist(),
            },
            "layers": [
                {"units": 1, "activation": "tanh", "init": "xavier"},
                {"units": 1, "activation": "identity", "init": "xavier"},
            ],
            "training": {"loss": "squared-error", "learning_rate": 0.05, "momentum": 0.9},
            "report": {"loss": "squared-error"},
            "goal": {"loss": 0.005, "epochs": 400},
        },
    )
    for seed in range(8):
        run = nntui.Run(one, seed)
        run.step(400)
        assert code_faults(Evidence(Program(one.configuration), observe(run))) == []


def test_a_gradient_that_is_only_rounding_is_not_called_wrong() -> None:
    """Signs whose deltas cancel above a rectifier at its kink: 1e-15 beside a gradient of 1e-2."""
    signs = [[1, 1], [1, 1], [1, 1], [-1, 1], [-1, -1], [-1, 1], [1, 1], [1, -1], [1, 1]]
    tanh = {"activation": "tanh", "bias": "none"}
    asked = {
        "data": {
            "inputs": signs,
            "targets": [[-1], [1], [-1], [1], [-1], [1], [1], [-1], [1]],
        },
        "layers": [
            {"units": 2, "init": "normal", "scale": 0.019411994626490722, **tanh},
            {"units": 5, "init": "uniform", "scale": 3.4533116680729995e-05, **tanh},
            {"units": 5, "activation": "relu", "scale": 0.21863129167331832},
            {"units": 1, "activation": "sigmoid"},
        ],
        "training": {"loss": "half-absolute-error", "learning_rate": 8.928709244194895e-06},
        "report": {"loss": "squared-error"},
        "goal": {"loss": 0.001, "epochs": 10},
    }
    run = nntui.Run(read_preset("signs", asked), 65)
    run.step(100)
    checked = check(run)
    assert checked.ok
    assert {each.verdict for each in checked.gradient} <= {"ok", "too small"}


def test_a_check_says_at_which_parameters_each_statement_holds() -> None:
    """At the first parameters no unit is below 0, where the slope of this program is wrong."""
    checked = check(nntui.Run(load_preset("line-leaky-relu")))
    (right,) = (each.tensor.name for each in checked.gradient if each.verdict == "ok")
    assert checked.places == {"W0": "at the parameters of the run", right: "at other parameters"}
    text = " ".join(render_check(checked).split())
    assert "At update 0, not the slope of the loss: W0" in text
    assert "at update 0: W0; first seen at other parameters: W1." in text
    where = {each["tensor"]: each["where"] for each in checked.as_json()["update_check"]}
    assert where == checked.places


def test_weights_that_have_come_to_nothing_are_not_wrong() -> None:
    """A plane cannot part two circles, so the weights end near 0, where their last bits are too."""
    asked = {
        "data": {"set": "circles", "samples": 200, "noise": 0.05},
        "layers": [{"units": 1, "activation": "sigmoid", "init": "xavier"}],
        "training": {"loss": "binary-cross-entropy", "learning_rate": 0.3},
        "report": {"loss": "binary-cross-entropy"},
        "goal": {"loss": 0.001, "epochs": 5000},
    }
    for optimiser, rate in (("sgd", 0.3), ("adam", 0.01)):
        changes = {"training.optimiser": optimiser, "training.learning_rate": rate}
        run = nntui.Run(override(read_preset("circles", asked), changes))
        for update in (1000, 3000):
            run.seek(update)
            assert check(run).ok


def test_numbers_that_are_none_can_be_checked() -> None:
    wild = {"training.learning_rate": 1000.0, "faults": []}
    run = nntui.Run(override(load_preset("square-leaky-relu"), wild))
    run.step(20)
    assert run.divergence is not None
    assert check(run).ok


def test_a_rule_that_is_none_here_is_not_claimed() -> None:
    assert named(network(["derivative"], "identity")) == {}
    run = network(["derivative"])
    mixed = nntui.Run(override(run.preset, {"layers.1.activation": "identity"}), seed=3)
    assert named(mixed) == {"derivative": (0, 2)}


def test_two_rules_that_nothing_tells_apart_are_both_told() -> None:
    run = network(["derivative-at-a"], "relu")
    right = {f"layers.{layer}.kink": "right" for layer in range(3)}
    run = nntui.Run(override(run.preset, right), seed=3)
    (finding,) = code_faults(Evidence(Program(run.preset.configuration), observe(run)))
    assert finding.code == "derivative"
    assert finding.evidence.endswith("(here the same as derivative-at-a)")


def test_a_mended_program_has_the_other_faults_only() -> None:
    run = network(
        ["bias-decay", {"name": "wrong-factor", "factor": 3.0, "layers": [1]}, "penalty-sum"]
    )
    found = code_faults(Evidence(Program(run.preset.configuration), observe(run)))
    assert {finding.code for finding in found} == {"bias-decay", "wrong-factor", "penalty-sum"}
    for finding in found:
        mended = nntui.Run(override(run.preset, finding.fixes[0].changes), seed=3)
        assert set(named(mended)) == {each.code for each in found} - {finding.code}


def test_findings_are_proofs_with_numbers_from_the_first_update_on() -> None:
    run = nntui.Run(preset("add-relu"))
    first, second = code_faults(Evidence(Program(run.preset.configuration), observe(run)))
    assert (first.code, second.code) == ("bias-decay", "update-before-backprop")
    assert first.weight > second.weight > 0
    for finding in (first, second):
        assert finding.rule.klass == PROOF
        assert finding.rule.is_code_fault
        assert finding.first_update == 0
    assert first.fixes[0].changes == {"faults": ["update-before-backprop"]}
    b = run.parameters[0][1]
    assert b is not None
    moved = 0.01 * float(np.linalg.norm(b))
    assert f"b of layer 0 moved by {moved:.3g}" in first.evidence
    assert "in layers 0, 1 and 2" in first.evidence
    assert "in layers 1 and 2" in second.evidence


def test_there_is_a_rule_for_each_fault_and_no_code_twice() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert {*KNOWN, AFTER, OVER, PENALTY} == set(FAULTS)
    assert set(FAULTS) | {"update-wrong", "forward-wrong", "printed-loss-wrong"} == set(codes)


class Stranger(Fault):
    """Not in the library: half of each bias's gradient, and a little of the bias."""

    def record_gradient(self, tape: Tape, layer: LayerGradient) -> None:
        if layer.gb is not None and layer.b is not None:
            tape.add(np.multiply, layer.gb, 0.5, layer.gb)
            rest = np.empty_like(layer.gb)
            tape.add(np.multiply, layer.b, 0.25, rest)
            tape.add(np.add, layer.gb, rest, layer.gb)


class Crooked(Program):
    """A program that does in layer 1 what no rule of the library says."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(
            replace(configuration, faults=(FaultEntry(name="frozen-bias", layers=(1,)),))
        )


@pytest.mark.parametrize("fault", ["bias-decay", "update-before-backprop", "wrong-sign"])
def test_faults_are_named_where_only_some_parameters_are_compared(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensor_names, "MOST_COMPARED", 18)
    monkeypatch.setattr(replays, "MANY", 20)
    run = network([fault])
    assert set(named(run)) == {fault}
    assert "updates compared at 16 of the 35 parameters" in check(run).limits
    assert check(network([])).ok


def test_what_is_compared_of_a_matrix_lies_in_all_of_its_columns() -> None:
    run = network([])
    W = tensors_of(run.preset.configuration)[2]._replace(inputs=4, span=slice(5, 45))
    for most in (1, 5, 10, 20, 40, 100):
        places = W.places(most)
        assert len(places) <= most
        assert W.span.start <= places.min() <= places.max() < W.span.stop
    assert {int(each) % 4 for each in W.places(10)} == {0, 1, 2, 3}


def test_a_check_takes_memory_in_proportion_to_the_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = {
        "data": {"inputs": [[0.5]], "targets": [[0.25]]},
        "layers": [{"units": units, "activation": "tanh"} for units in (400, 400, 1)],
        "training": {"loss": "squared-error", "learning_rate": 0.1},
        "report": {"loss": "squared-error"},
    }
    run = nntui.Run(made(source), seed=0)
    monkeypatch.setattr(tensor_names, "MOST_COMPARED", 1000)
    monkeypatch.setattr(replays, "MANY", 1000)
    tracemalloc.start()
    try:
        assert check(run).ok
        numbers = tracemalloc.get_traced_memory()[1] / 8
        assert numbers < 30 * Layout.of(run.preset.configuration).size
    finally:
        tracemalloc.stop()


def test_what_no_rule_explains_is_left_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    run = network([])
    program = Crooked(run.preset.configuration)
    original = Program.updates

    def updates(self: Program, *arguments: Any) -> list[Observed]:
        if isinstance(self, Crooked):
            with monkeypatch.context() as patched:
                patched.setitem(FAULTS, "frozen-bias", Stranger("frozen-bias"))
                return original(self, *arguments)
        return original(self, *arguments)

    monkeypatch.setattr(Program, "updates", updates)
    finding, *others = code_faults(Evidence(program, observe(run)))
    assert [each.code for each in others] in ([], ["printed-loss-wrong"])
    assert finding.code == "update-wrong"
    assert finding.layer == 1
    assert "b of layer 1" in finding.evidence
    assert "it is 0.5 times the right step - 0.03125*theta" in finding.evidence
    assert "in layer 1 (b1), beginning in layer 1" in finding.evidence
    assert finding.fixes[0].changes == {"faults": []}


class Backwards(Program):
    """A program that reports the right gradient and climbs along it."""

    def updates(self, theta: Array, batches: Sequence[Order], epoch: int = 0) -> list[Observed]:
        found = []
        for batch in batches:
            (made,) = super().updates(theta, [batch], epoch)
            found.append(replace(made, after=2.0 * made.before - made.after))
            theta = found[-1].after
        return found


def test_a_wrong_step_is_named_where_the_reported_gradient_is_right() -> None:
    run = network([], batch=2)
    (finding,) = code_faults(Evidence(Backwards(run.preset.configuration), observe(run)))
    assert finding.code == "wrong-sign"
    assert "in layers 0, 1 and 2" in finding.evidence


class Misreporting(Program):
    """A program that makes the right steps and reports another gradient."""

    def updates(self, *arguments: Any) -> list[Observed]:
        wrong = np.linspace(1.0, 2.0, Layout.of(self.stated).size)
        made = super().updates(*arguments)
        return [replace(each, gradient=each.gradient * wrong) for each in made]


def test_a_wrong_report_of_right_steps_is_found() -> None:
    run = network([])
    (finding,) = code_faults(Evidence(Misreporting(run.preset.configuration), observe(run)))
    assert (finding.code, finding.layer) == ("update-wrong", 2)
    assert "(r = 0, of the reported gradient 0." in finding.evidence


class Shifted(Program):
    """A program whose layer 1 adds a little that it does not state."""

    def forward(self, theta: Array, x: Array) -> list[LayerValues]:
        layers = super().forward(theta, x)
        layers[1] = replace(layers[1], a=layers[1].a + 1e-3, h=layers[1].h + 1e-3)
        return layers


def test_another_forward_pass_is_found_in_its_layer() -> None:
    run = network([])
    (finding,) = code_faults(Evidence(Shifted(run.preset.configuration), observe(run)))
    assert (finding.code, finding.layer) == ("forward-wrong", 1)
    assert finding.fixes[0].changes == {"faults": []}


class Talkative(Program):
    """A program that prints twice its loss."""

    def printed(self, theta: Array) -> float:
        return 2.0 * super().printed(theta)


def test_another_printed_loss_is_found() -> None:
    run = network([])
    (finding,) = code_faults(Evidence(Talkative(run.preset.configuration), observe(run)))
    assert finding.code == "printed-loss-wrong"
    assert finding.weight == 0.0


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> list[Configuration]:
    """Configurations whose faults nobody but a `Program` may read."""
    secret: list[Configuration] = []
    real = Configuration.__getattribute__

    def guarded(self: Configuration, name: str) -> Any:
        if name == "faults" and any(self is each for each in secret):
            frame: Any = sys._getframe(1)
            while frame is not None:
                module = frame.f_globals.get("__name__", "")
                if isinstance(frame.f_locals.get("self"), Program):
                    break
                if module.startswith("nntui.diagnosis") and module != subject.__name__:
                    raise AssertionError(f"{module} reads the fault list")
                frame = frame.f_back
        return real(self, name)

    monkeypatch.setattr(Configuration, "__getattribute__", guarded)
    return secret


@pytest.mark.parametrize("name", ["add-relu", "square-leaky-relu", "xor-relu-fixed"])
def test_the_verdicts_are_the_same_with_the_fault_list_hidden(
    name: str, hidden: list[Configuration]
) -> None:
    run = nntui.Run(preset(name))
    run.step(5)
    open_verdict = check(run).as_json()
    hidden.append(run.preset.configuration)
    with pytest.raises(AssertionError, match="reads the fault list"):
        exec("secret.faults", {"__name__": "nntui.diagnosis.spy", "secret": hidden[0]})
    assert check(run).as_json() == open_verdict
    found = code_faults(Evidence(Program(run.preset.configuration), observe(run)))
    assert [each.as_json() for each in found] == open_verdict["findings"]


def test_a_program_with_another_slope_on_its_kinks_is_not_wrong() -> None:
    # Without biases, z is 0 wherever x is; the last unit's error is not.
    source = {
        "data": {"inputs": [[0.0], [1.0]], "targets": [[1.0], [2.0]]},
        "layers": [
            {"units": 3, "activation": "relu", "bias": "none"},
            {"units": 1, "activation": "leaky-relu"},
        ],
        "training": {"loss": "squared-error", "learning_rate": 0.1},
    }
    first = made(source)
    kinks = {f"layers.{layer}.kink": "right" for layer in range(2)}
    run, other = nntui.Run(first), override(first, kinks)
    program = Program(other.configuration)
    program.stated = first.configuration
    assert code_faults(Evidence(program, observe(run))) == []


def test_coordinates_on_a_kink_are_counted_and_named() -> None:
    checked = check(nntui.Run(preset("square-leaky-relu")))
    by_name = {each.tensor.name: each for each in checked.gradient}
    hidden = by_name["b0"]
    # At x = 0 with biases 0 every unit is on its kink; W0 is multiplied by 0 there.
    assert (hidden.kinks, by_name["W0"].kinks) == (64, 0)
    assert {f"unit 0.{unit} at sample 0" for unit in range(64)} <= set(hidden.at)
    assert {each.verdict for each in checked.gradient} == {"ok"}
    assert all(each.relative_error is not None for each in checked.gradient)
    text = render_check(checked)
    assert "b0: 64 at a kink (unit 0.0 at sample 0, " in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_wrong_gradient_is_seen_by_differences_too() -> None:
    checked = check(network([{"name": "wrong-factor", "layers": [1]}]))
    found = {each.tensor.name: each for each in checked.gradient}
    # (2 - 1)/(2 + 1)
    assert found["W1"].relative_error == pytest.approx(1 / 3, rel=1e-6)
    assert found["W1"].oracle_error == pytest.approx(1 / 3, rel=1e-9)
    verdicts = {name: each.verdict for name, each in found.items()}
    assert verdicts == {
        **dict.fromkeys(("W0", "b0", "W2", "b2"), "ok"),
        "W1": "wrong",
        "b1": "wrong",
    }
    assert checked.causes == {"W1": "wrong-factor", "b1": "wrong-factor"}


def test_a_check_leaves_the_run_where_it_is() -> None:
    run = nntui.Run(preset("xor-relu"))
    run.step(9)
    run.seek(4)
    before = run.state_hash
    checked = check(run)
    assert (run.update, run.head, run.state_hash) == (4, 9, before)
    assert checked.update == 4


def test_a_run_that_has_diverged_is_checked_elsewhere() -> None:
    run = network(["wrong-sign"], "identity", learning_rate=10.0)
    run.step(2000)
    assert run.divergence is not None
    checked = check(run)
    assert [finding.code for finding in checked.findings] == ["wrong-sign"]
    json.dumps(checked.as_json(), allow_nan=False)


def test_check_prints_what_its_contract_says() -> None:
    done = command("check", "add-relu", "--seed", "2", "--at-update", "30", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    result = json.loads(done.stdout)
    assert (result["preset"], result["seed"], result["update"]) == ("add-relu", 2, 30)
    names = ["W0", "b0", "W1", "b1", "W2", "b2"]
    keys = {"tensor", "relative_error", "analytic_norm", "numeric_norm", "kinks", "verdict"}
    assert [each["tensor"] for each in result["gradient"]] == names
    assert all(keys <= set(each) for each in result["gradient"])
    assert [each["tensor"] for each in result["update_check"]] == names
    assert {each["cause"] for each in result["update_check"]} == {
        None,
        "bias-decay",
        "update-before-backprop",
    }
    assert result["ok"] is False
    assert result["forward"] == {"residual": 0.0, "verdict": "ok"}


def test_check_says_in_words_what_it_found_and_ends_so() -> None:
    done = command("check", "line-tanh")
    assert done.returncode == 1
    assert "1 fault found" in done.stdout
    assert "1. update-before-backprop: " in done.stdout
    done = command("check", "line-tanh", "--set", "faults=[]")
    assert done.returncode == 0
    assert "No fault found: the program computes what it states." in done.stdout
    assert "no-such-preset" in refused("check", "no-such-preset")
    assert "--at-update" in refused("check", "add-relu", "--at-update", "-1")
