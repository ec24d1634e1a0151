"""The anatomy of an update: its tensors are the reference's, and every equation holds."""

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from random_presets import presets
from support import made, preset, unflat

import nntui
from nntui.core import number_text
from nntui.core.formulas.expression import Call, Expression, Negative, Number, Operation
from nntui.core.formulas.functions import FUNCTIONS
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.settings.configuration import Configuration
from nntui.presets import Preset
from nntui.presets.schema import override
from nntui.timeline import Snapshot
from nntui.timeline.microscope import Line, arithmetic, written
from nntui.timeline.microscope.computed import Anatomy, Computed, dissect
from nntui.timeline.microscope.numeric_formula import (
    Quantity,
    Total,
    minus,
    over,
    text_of,
    times,
    value_of,
)
from nntui.timeline.microscope.substeps import Phase

EPS = 1e-13


CALLED = {name: each.ufunc for name, each in FUNCTIONS.items() if each.ufunc is not None}


@st.composite
def faulty(draw: st.DrawFn) -> Preset:
    """Any small network with any faults, optimiser and clipping."""
    faults: list[dict[str, Any]] = []
    preset = draw(presets())
    depth = len(preset.configuration.layers)
    for name in draw(st.lists(st.sampled_from(sorted(FAULTS)), max_size=3)):
        fault: dict[str, Any] = {"name": name}
        if draw(st.booleans()):
            fault["layers"] = [draw(st.integers(0, depth - 1))]
        if name == "derivative":
            fault["of"] = draw(st.sampled_from(sorted(ACTIVATIONS)))
        if name == "wrong-factor":
            fault["factor"] = draw(st.sampled_from([0.5, -3.0]))
        faults.append(fault)
    return override(
        preset,
        {
            "faults": faults,
            "training.optimiser": draw(st.sampled_from(sorted(OPTIMISERS))),
            "training.momentum": draw(st.sampled_from([0.0, 0.9])),
            "training.epsilon": 1e-3,
            "training.clip_value": draw(st.sampled_from([None, 0.1])),
            "training.clip_norm": draw(st.sampled_from([None, 0.2, 5.0])),
        },
    )


def slack(e: Expression) -> float:
    """How far rounding can have moved the value of an expression, to first order."""
    match e:
        case Quantity(amount) | Number(amount):
            return EPS * abs(amount)
        case Total(terms):
            return sum(slack(term) + EPS * abs(value_of(term)) for term in terms)
        case Negative(part):
            return slack(part)
        case Operation("+" | "-", left, right):
            sizes = EPS * (abs(value_of(left)) + abs(value_of(right)))
            return slack(left) + slack(right) + sizes
        case Operation("*", left, right):
            return slack(left) * abs(value_of(right)) + slack(right) * abs(value_of(left))
        case Operation("/", top, bottom):
            return (slack(top) + abs(value_of(e)) * slack(bottom)) / abs(value_of(bottom))
        case Operation("^", left, right):
            base, exponent, size = abs(value_of(left)), value_of(right), abs(value_of(e))
            of_exponent = slack(right) * abs(size * math.log(base)) if base else 0.0
            return slack(left) * abs(exponent) * base ** (exponent - 1) + of_exponent + EPS * size
        case Call(function, arguments):
            inner = value_of(arguments[0])
            given = sum(slack(each) for each in arguments) + EPS * abs(value_of(e))
            match function:
                case "exp":
                    return given * max(math.exp(inner), 1.0)
                case "log":
                    return given / inner
                case "sqrt":
                    return given / (2 * math.sqrt(inner)) if inner > 0 else math.sqrt(given)
                case "sign":
                    return 0.0
            return given
    raise TypeError(e)


def evaluated(line: str) -> float:
    """What a printed formula comes to, read as anyone would read it."""
    line = re.sub(r"\[[\d,]+ more: ([^]]+)\]", r"(\1)", line).replace("^", "**")
    return float(eval(line, {"__builtins__": {}}, CALLED))


def assert_hold(line: Line) -> None:
    for equation in (line.made, line.correct):
        if equation is None:
            continue
        here, near = equation.expression, 10 * slack(equation.expression) + 1e-300
        assert abs(value_of(here) - equation.value) <= near, written(equation)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(number_text, "DIGITS", 17)
            for most in (3, 100):
                assert abs(evaluated(text_of(here, most)) - value_of(here)) <= near, text_of(
                    here, most
                )


def places(anatomy: Anatomy) -> list[tuple[int, int, int, int | None]]:
    """Layer, unit, sample and column: the corners, and every layer's bias."""
    found = []
    for layer, section in enumerate(anatomy.made.configuration.layers):
        width = anatomy.made.before["W", layer].shape[1]
        columns: list[int | None] = [0, width - 1]
        if ("b", layer) in anatomy.made.before:
            columns.append(None)
        for column in columns:
            for unit in {0, section.units - 1}:
                found += [(layer, unit, at, column) for at in {0, anatomy.made.samples - 1}]
    return found


def referred(run: nntui.Run, configuration: Configuration, anatomy: Anatomy) -> reference.Update:
    """The reference's next update from where the run is."""
    training, like = configuration.training, run.parameters
    slots = {
        name: unflat(vector, like)
        for name, vector in zip(reference.slots_of(training), run.state.slots, strict=True)
    }
    x, y = reference.data_of(configuration)
    rows = list(anatomy.rows)
    rate = training.learning_rate * reference.rate_factor(training, run.epoch)
    return reference.Update(
        configuration, like, slots, x[rows], y[rows], number=run.update + 1, rate=rate
    )


def assert_same_tensors(computed: Computed, update: reference.Update) -> None:
    seen = set()
    for name, layer, values in update.computed:
        last = layer == len(computed.configuration.layers) - 1
        key = "delta" if computed.fused and last and name == "upstream" else name
        if name[-1] != "W":
            values = values.reshape(-1, 1) if values.ndim == 1 else values.T
        scale = max(1.0, float(abs(values).max()))
        np.testing.assert_allclose(
            computed.tensors[key, layer], values, rtol=1e-8, atol=1e-10 * scale, err_msg=str(key)
        )
        seen.add((key, layer))
    clipped = {key for key in computed.tensors if key[0].startswith("clipped")}
    assert set(computed.tensors) - clipped == seen


@pytest.mark.slow
@given(faulty(), st.integers(0, 4))
def test_the_tensors_are_those_of_the_reference_and_every_equation_holds(
    preset: Preset, updates: int
) -> None:
    run = nntui.Run(preset)
    run.step(updates)
    anatomy, configuration = dissect(run), run.preset.configuration
    assert anatomy.rows == Snapshot.of(run).next_rows
    assert_same_tensors(anatomy.made, referred(run, configuration, anatomy))
    correct = replace(configuration, faults=())
    assert_same_tensors(anatomy.correct, referred(run, correct, anatomy))
    for place in places(anatomy):
        for line in arithmetic(anatomy, *place):
            assert_hold(line)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("name", ["add-relu", "xor-relu-layernorm", "line-tanh"])
def test_equations_hold_in_the_scenarios(name: str, optimiser: str) -> None:
    run = nntui.Run(preset(name, training__optimiser=optimiser, training__momentum=0.5))
    for update in (0, 1, 50):
        run.seek(update)
        anatomy = dissect(run)
        for place in places(anatomy):
            for line in arithmetic(anatomy, *place):
                assert_hold(line)


def test_a_run_is_dissected_where_it_is_and_does_not_move() -> None:
    run = nntui.Run(preset("add-tanh", training__momentum=0.9))
    run.step(40)
    for cursor in (40, 7, 0):
        run.seek(cursor)
        before = (run.update, run.head, run.state_hash, len(run.branch.losses))
        anatomy = dissect(run)
        assert (run.update, run.head, run.state_hash, len(run.branch.losses)) == before
        assert anatomy.update == cursor
        for layer, (W, b) in enumerate(run.parameters):
            np.testing.assert_array_equal(anatomy.made.before["W", layer], W)
            np.testing.assert_array_equal(anatomy.made.before["b", layer].ravel(), b)
        run.step()
        for layer, (W, b) in enumerate(run.parameters):
            np.testing.assert_array_equal(anatomy.made.tensors["W", layer], W)
            np.testing.assert_array_equal(anatomy.made.tensors["b", layer].ravel(), b)
        for values in anatomy.made.tensors.values():
            assert not values.flags.writeable


def test_a_change_in_the_past_counts_from_its_update_on() -> None:
    run = nntui.Run(preset("add-tanh"))
    run.step(10)
    run.change(**{"training.learning_rate": 0.5})
    run.step(10)
    for cursor, rate in ((9, 0.1), (10, 0.5), (15, 0.5)):
        run.seek(cursor)
        assert dissect(run).made.rate == rate


def test_where_a_run_diverged_it_is_the_update_that_diverged() -> None:
    run = nntui.Run(preset("xor-relu", training__learning_rate=1e5))
    run.step(10_000)
    assert run.divergence is not None
    anatomy = dissect(run)
    assert anatomy.update == run.update - 1
    assert anatomy.made.divergence == run.divergence
    assert not all(np.isfinite(values).all() for values in anatomy.made.tensors.values())
    for place in places(anatomy):
        for line in arithmetic(anatomy, *place):
            assert written(line.made)
    run.seek(run.update - 1)
    assert dissect(run).update == anatomy.update


def two_layers(faults: list[Any], **training: Any) -> nntui.Run:
    """2-2-1 on three rows, as one batch."""
    return nntui.Run(
        made(
            {
                "seed": 1,
                "faults": faults,
                "data": {"inputs": [[1, 2], [-1, 0], [0, 3]], "targets": [[1], [0], [2]]},
                "layers": [
                    {"units": 2, "activation": "tanh", "bias_init": "normal"},
                    {"units": 1, "bias_init": "normal"},
                ],
                "training": {"loss": "squared-error", "learning_rate": 0.1, **training},
            }
        )
    )


def by_name(lines: tuple[Line, ...]) -> dict[str, Line]:
    return {line.made.name: line for line in lines}


def test_a_hand_calculation() -> None:
    run = two_layers([])
    (W, b), (V, c) = run.parameters
    x, y = np.array([[1, 2], [-1, 0], [0, 3]]), np.array([1, 0, 2])
    assert b is not None
    assert c is not None
    hidden = [[math.tanh(sum(W[j] * row) + b[j]) for j in (0, 1)] for row in x]
    errors = [sum(V[0] * h) + c[0] - t for h, t in zip(hidden, y, strict=True)]
    deltas = [2 * e / 3 * V[0, 1] * (1 - h[1] ** 2) for e, h in zip(errors, hidden, strict=True)]
    g = sum(d * row[0] for d, row in zip(deltas, x, strict=True))
    lines = by_name(arithmetic(dissect(run), 0, 1, 1, 0))
    expected = {
        "z": -W[1, 0] + b[1],
        "a": hidden[1][1],
        "loss": errors[1] ** 2,
        "dL/da": 2 * errors[1] / 3 * V[0, 1],
        "tanh'(z)": 1 - hidden[1][1] ** 2,
        "delta": deltas[1],
        "g of this sample": -deltas[1],
        "g": g,
        "step": 0.1 * g,
        "new w[0]": W[1, 0] - 0.1 * g,
    }
    assert list(lines) == list(expected)
    for name, value in expected.items():
        assert lines[name].made.value == pytest.approx(value, rel=1e-12), name
    output = by_name(arithmetic(dissect(run), 1, 0, 2, None))
    assert output["error"].made.value == pytest.approx(errors[2])
    assert output["g"].made.value == pytest.approx(2 / 3 * sum(errors))


def test_it_is_written_as_one_would_write_it() -> None:
    run = nntui.Run(preset("add-relu"))
    run.step(3)
    lines = arithmetic(dissect(run), 1, 0, 0, None)
    texts = [written(line.made) for line in lines]
    assert texts[:2] == [
        "z = sum of w*x + b = 0.761038*0.709173 + 0.121675*2.26065 + 0.443863*0.0159382 "
        "+ 0.333674*1.59016 + 1.48725 = 2.83969",
        "a = max(0, z) = max(0, 2.83969) = 2.83969",
    ]
    assert texts[-3:] == [
        "g = b = 1.48725",
        "step = rate*g = 0.01*1.48725 = 0.0148725",
        "new b = b - step = 1.48725 - 0.0148725 = 1.47238",
    ]
    decayed = lines[-3]
    assert [fault.name for fault in decayed.made.faults] == ["bias-decay"]
    assert decayed.correct is not None
    assert written(decayed.correct) == "g = delta = 0"


def test_the_middle_of_a_long_sum_is_one_number() -> None:
    terms = tuple(times(Quantity(n, "w"), Quantity(-n, "x")) for n in range(1, 101))
    total = Total(terms, "sum of w*x")
    assert text_of(total, None) == "sum of w*x"
    assert text_of(total, 3) == "1*(-1) + 2*(-2) + [97 more: -328345] + 100*(-100)"
    assert value_of(total) == -338350


ONE, TWO, THREE, FOUR = (Quantity(float(n)) for n in (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        (minus(ONE, Quantity(-2.0)), "1 - (-2)"),
        (Total((Quantity(-1.0), Quantity(-2.0), times(Quantity(-3.0), FOUR))), "-1 - 2 - 3*4"),
        (Operation("^", Quantity(-2.0), TWO), "(-2)^2"),
        (over(times(TWO, THREE), times(FOUR, Quantity(5.0))), "2*3/(4*5)"),
        (times(Total((ONE, TWO)), THREE), "(1 + 2)*3"),
        (times(THREE, over(ONE, TWO)), "3*(1/2)"),
        (Negative(times(TWO, THREE)), "-2*3"),
        (Negative(Quantity(-5e23)), "-(-5e+23)"),
        (Negative(times(Quantity(-2.0), THREE)), "-(-2*3)"),
        (times(ONE, Call("exp", (Negative(Number(-2.0)),))), "1*exp(-(-2))"),
        (minus(ONE, Negative(Quantity(-2.0))), "1 - (-(-2))"),
        (Negative(Total((TWO, THREE))), "-(2 + 3)"),
        (minus(ONE, minus(TWO, THREE)), "1 - (2 - 3)"),
        (Operation("+", ONE, Quantity(-2.0)), "1 - 2"),
        (Call("max", (Quantity(0.0), Quantity(-0.0))), "max(0, 0)"),
    ],
)
def test_parentheses_stand_where_they_are_needed(expression: Expression, line: str) -> None:
    assert text_of(expression, 10) == line
    assert evaluated(line) == value_of(expression)


FAULTY = {
    "bias-decay": {"g"},
    "update-before-backprop": {"dL/da"},
    "derivative": {"slope"},
    "penalty-sum": set(),
    "derivative-at-a": {"slope"},
    "wrong-sign": {"g"},
    "sum-for-mean": {"g"},
    "wrong-factor": {"g"},
    "no-weights-in-backprop": {"dL/da"},
    "frozen-bias": {"g"},
    "gradient": {"g"},
    "bias-after-activation": {"z", "a"},
    "penalty-before-update": {"dL/da"},
    "error-for-delta": {"dL/da"},
    "softmax-over-samples": {"a"},
}
"""In which equations each fault is to be seen."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_shown_in_its_own_line_beside_the_correct_one(name: str) -> None:
    run = two_layers([name], momentum=0.5, l2=0.1)
    if name == "softmax-over-samples":
        run = nntui.Run(override(run.preset, {"layers.0.activation": "softmax"}))
    run.step(2)
    anatomy = dissect(run)
    clean = dissect(run.fork(faults=[]))
    found = set()
    for place in places(anatomy):
        right = by_name(arithmetic(clean, *place))
        for line in arithmetic(anatomy, *place):
            if line.made.faults:
                assert [each.name for each in line.made.faults] == [name]
                found.add("slope" if line.made.tensor == "slope" else line.made.name)
            if line.correct is not None:
                assert line.correct == right[line.made.name].made
                assert line.correct.value != line.made.value
    assert found == FAULTY[name]


def test_each_tensor_says_how_far_it_is_off() -> None:
    run = two_layers([{"name": "wrong-factor", "factor": 3.0, "layers": [1]}])
    anatomy = dissect(run)
    off = {(each.tensor, each.layer): each for each in anatomy.deviations}
    assert set(off) == {
        (tensor, 1)
        for tensor in ("gradient of W", "gradient of b", "step of W", "step of b", "W", "b")
    }
    deviation, g = off["gradient of W", 1], anatomy.correct.tensors["gradient of W", 1]
    assert deviation.share == pytest.approx(2.0)
    assert deviation.largest == pytest.approx(2 * abs(g).max())
    assert deviation.cell == np.unravel_index(abs(g).argmax(), g.shape)
    assert anatomy.deviation("z", 1) is None
    assert dissect(two_layers([])).deviations == ()


def test_factors_that_are_zero_are_pointed_out() -> None:
    def notes(run: nntui.Run, *place: Any) -> list[str]:
        return [note for line in arithmetic(dissect(run), *place) for note in line.made.notes]

    dead = nntui.Run(preset("add-relu", training__batch=4))
    assert (
        "relu'(z) = 0 for 4 of 4 samples of the batch (and for 6 of 6 training rows): "
        "no gradient passes" in notes(dead, 1, 2, 0, 0)
    )
    assert "delta = 0 for 4 of 4 samples of the batch: the unit gets no gradient" in notes(
        dead, 1, 2, 0, 0
    )
    run = two_layers([])
    assert "x = 0 on this sample, so this weight gets no gradient from it" in notes(run, 0, 0, 2, 0)
    assert not notes(run, 0, 0, 0, 0)
    still = two_layers([], learning_rate=0.0)
    assert notes(still, 0, 0, 0, 1) == ["the step is 0: w[1] stays as it is"]


ORDERS = [
    ([], "forward 0|forward 1|loss|backward 1|backward 0|update"),
    (
        ["update-before-backprop"],
        "forward 0|forward 1|loss|backward 1|update 1|backward 0|update 0",
    ),
    (
        [{"name": "update-before-backprop", "layers": [0]}],
        "forward 0|forward 1|loss|backward 1|backward 0|update",
    ),
    (
        [{"name": "update-before-backprop", "layers": [1]}],
        "forward 0|forward 1|loss|backward 1|update 1|backward 0|update 0",
    ),
]


@pytest.mark.parametrize(("faults", "names"), ORDERS)
def test_sub_steps_come_in_the_order_in_which_the_update_is_made(
    faults: list[Any], names: str
) -> None:
    anatomy = dissect(two_layers(faults, momentum=0.9))
    steps = anatomy.made.steps
    if faults == [{"name": "update-before-backprop", "layers": [0]}]:
        # Layer 0 is updated as soon as it can be, and nothing stands below it.
        assert [step.name for step in steps][:5] == names.split("|")[:5]
    else:
        assert "|".join(step.name for step in steps) == names
    known = [key for step in steps for key in step.tensors]
    assert sorted(known) == sorted(anatomy.made.tensors)
    assert steps[0].tensors == {("z", 0), ("a", 0)}
    for number, step in enumerate(steps):
        assert all(anatomy.step_of(*key) == number for key in step.tensors)
    with pytest.raises(KeyError):
        anatomy.step_of("nothing", 0)


@pytest.mark.parametrize("early", [[], [0], [1], [0, 1]])
def test_a_layer_that_is_updated_early_is_clipped_alone(early: list[int]) -> None:
    faults = [{"name": "update-before-backprop", "layers": early}]
    anatomy = dissect(two_layers(faults, clip_norm=0.01))
    alone = [{0}, {1}] if early else [{0, 1}]
    for place in places(anatomy):
        lines = by_name(arithmetic(anatomy, *place))
        assert_hold(lines["g clipped"])
    for layers in alone:
        squares = sum(
            float((values**2).sum())
            for (tensor, layer), values in anatomy.made.tensors.items()
            if tensor.startswith("clipped") and layer in layers
        )
        assert math.sqrt(squares) == pytest.approx(0.01)


def test_lines_become_known_in_the_order_in_which_they_stand() -> None:
    for faults in ([], ["update-before-backprop"]):
        anatomy = dissect(two_layers(faults, momentum=0.9, clip_norm=0.1))
        for place in places(anatomy):
            lines = arithmetic(anatomy, *place)
            order = [line.step for line in lines]
            assert order == sorted(order)
            phases = [anatomy.made.steps[at].phase for at in dict.fromkeys(order)]
            assert phases == [Phase.FORWARD, Phase.LOSS, Phase.BACKWARD, Phase.UPDATE]


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ((2, 0, 0, 0), "no layer 2; the last is 1"),
        ((-1, 0, 0, 0), "no layer -1"),
        ((0, 2, 0, 0), "no unit 2; the last is 1"),
        ((0, 0, 3, 0), "no sample 3; the last is 2"),
        ((0, 0, 0, 2), "no weight 2; the last is 1"),
    ],
)
def test_what_is_not_there_is_named(place: tuple[int, int, int, int], what: str) -> None:
    with pytest.raises(IndexError, match=what):
        arithmetic(dissect(two_layers([])), *place)
    with pytest.raises(IndexError, match="layer 0 has no bias"):
        arithmetic(dissect(nntui.Run(preset("line-tanh"))), 0, 0, 0, None)


def test_the_batch_of_a_shuffled_epoch_is_shown() -> None:
    run = nntui.Run(preset("add-tanh", training__order="shuffled", training__batch=4))
    seen: list[int] = []
    for _ in range(2):
        anatomy = dissect(run)
        x = Snapshot.of(run).inputs
        np.testing.assert_array_equal(anatomy.made.x, x[:, list(anatomy.rows)])
        seen += anatomy.rows
        run.step()
    assert sorted(seen) == list(range(6))
