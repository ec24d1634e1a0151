"""What a diagnosis says of layers and keys, in the names and lines of a program."""

from dataclasses import replace

import numpy as np
import pytest

from nntui.diagnosis.finding import Finding, Fix
from nntui.diagnosis.rules.finding_kinds import RULES
from nntui.program.answer import PROVEN, ProgramCheck, ProgramFinding
from nntui.program.follow.request import Request, Sought
from nntui.program.recognise.description import DenseLayer, Description, Spot
from nntui.program.why.changes.literals import Literal
from nntui.program.why.changes.source_edits import Edit
from nntui.program.why.changes.variants import BIASES, DRAWN, EPOCHS, LINES, RATE, Source
from nntui.program.why.findings.located import mend_in_words, mends_by_line, of_check, proven_first
from nntui.program.why.findings.own_names import OwnNames, in_own_words, in_program, merged

FILE = "/net.py"


def layer(name: str, line: int) -> DenseLayer:
    values = np.zeros((2, 1, 1))
    W = np.ones((1, 1, 1))
    return DenseLayer(
        weights=(f"{name}_w",),
        biases=(f"{name}_b",),
        W=W,
        b=np.zeros((1, 1)),
        transposed=False,
        values=values,
        formula=None,
        slopes=(),
        bias_behind=False,
        z=Spot(FILE, line),
        a=None,
    )


NET = Description(layers=(layer("first", 5), layer("second", 8)))
SOURCE = Source(
    texts={FILE: "lr = 0.2\n"},
    request=Request((FILE, 20), (FILE, 18), Sought("own", "x"), ("first_w",)),
    weights=("first_w", "second_w"),
    biases=("first_b", "second_b"),
    epochs=100,
    rate=Literal(FILE, 1, 5, 8, 0.2, "lr"),
    mends={12: (Edit(FILE, (12, 0), (13, 0), "pass\n"),)},
)
STALE, BIAS = "update-before-backprop", "bias-decay"


def finding(code: str, line: int, *parameters: str) -> ProgramFinding:
    return ProgramFinding(
        code, FILE, line, f"line {line}", f"it is {code}", parameters, "numbers", "mend it", PROVEN
    )


def checked(*findings: ProgramFinding, ok: bool = False) -> ProgramCheck:
    empty: tuple[()] = ()
    return ProgramCheck(FILE, "python", empty, None, None, 8, None, True, empty, findings, None, ok)


@pytest.mark.parametrize(
    ("said", "own"),
    [
        ("layer 1 is dead", "layer 1 (second_w) is dead"),
        ("layer 0 and again layer 0", "layer 0 (first_w) and again layer 0"),
        ("W of layer 0 moved", "first_w moved"),
        ("b of layer 1 moved", "second_b moved"),
        ("in layers 0 and 1", "in layers 0 and 1 (first_w, second_w)"),
        ("layer 7 of another net", "layer 7 of another net"),
        ("seed 1 of 3", "seed 1 of 3"),
    ],
)
def test_layers_are_named_as_the_program_names_their_weights(said: str, own: str) -> None:
    assert OwnNames(NET).said(said) == own


def test_a_finding_stands_where_its_layer_is_computed_and_one_of_the_rate_at_the_number() -> None:
    dead = Finding(RULES["dead-layer"], "slope 0", layer=1, fixes=(Fix("x", {"layers": []}),))
    slow = Finding(RULES["rate-too-low"], "slow", fixes=(Fix("faster", {RATE: 2.0}),))
    names = OwnNames(NET)
    assert names.finding(dead, SOURCE).line == 8
    assert names.finding(slow, SOURCE).line == 1
    assert "second_w" in names.finding(dead, SOURCE).title


def test_a_code_fault_takes_the_line_that_the_check_has_named() -> None:
    code = of_check(checked(finding(BIAS, 12, "first_b"), finding("other", 30, "second_w")), {})
    by_kind = Finding(RULES[BIAS], "0.3", layer=0, fixes=(Fix("x", {"faults": []}),))
    by_layer = Finding(RULES[STALE], "0.2", layer=1, fixes=(Fix("y", {"faults": [BIAS]}),))
    one, two = merged([by_kind, by_layer], code, NET, SOURCE)
    assert (one.code, one.line, one.fixes[0].changes) == (BIAS, 12, {"faults": []})
    assert (two.code, two.line, two.fixes[0].text) == (STALE, 30, "mend it")


def test_what_only_one_of_both_knows_is_kept() -> None:
    code = of_check(checked(finding("transposed", 12)), {})
    floor = Finding(RULES["no-bias"], "low")
    unknown = Finding(RULES["update-wrong"], "no known kind", layer=0)
    found = merged([floor, unknown], code, NET, SOURCE)
    assert [each.code for each in found] == ["no-bias", "transposed"]


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({"training.learning_rate": 0.3}, {RATE: 0.6}),
        ({"faults": []}, {LINES: [12]}),
        ({"faults": [], "layers.0.slope": None}, {LINES: [12]}),
        ({"goal.epochs": 500}, {EPOCHS: 500}),
        ({"layers.0.init": "he", "layers.1.init": "he", "layers.0.scale": 1.0}, {DRAWN: "xavier"}),
        ({"layers.0.bias_init": "zeros"}, {BIASES: "zeros"}),
        ({"layers.0.activation": "tanh"}, {}),
        ({"faults": [], "training.momentum": 0.9}, {}),
    ],
)
def test_changes_of_the_preset_are_made_in_the_program_where_it_has_a_place_for_them(
    changes: dict[str, object], own: dict[str, object]
) -> None:
    # The preset's rate is half of the number in the program: its loss is twice as large.
    assert in_program(Fix("words", changes), SOURCE, 0.1).changes == own


@pytest.mark.parametrize(
    "said",
    ["the learning rate 0.3", "three times the learning rate: 0.3", "the learning rate 3e-1"],
)
def test_the_rate_of_a_fix_is_the_number_that_the_program_needs(said: str) -> None:
    fix = Fix(f"mend line 3; and {said}; and momentum 0.9", {RATE: 0.3, "training.momentum": 0.9})
    text = in_own_words(fix, SOURCE, 0.1).text
    assert text == "mend line 3; and the learning rate 0.6 (line 1); and momentum 0.9"


def test_a_right_program_has_no_code_faults_and_a_wrong_one_the_mends_of_its_lines() -> None:
    found = finding(BIAS, 12, "first_b")
    (right,) = of_check(checked(found, ok=True), SOURCE.mends)
    (wrong,) = of_check(checked(found), SOURCE.mends)
    assert (right.rule.is_code_fault, wrong.rule.is_code_fault) == (False, True)
    assert wrong.fixes[0].changes == {LINES: [12]}
    assert mend_in_words([wrong]) == "mend line 12: mend it"
    other = replace(wrong, line=14)
    assert mend_in_words([wrong, other]) == "mend the lines 12 and 14"


def test_a_wrong_line_comes_before_luck_until_that_is_decided() -> None:
    luck, floor = Finding(RULES["bad-luck"], "3 of 6"), Finding(RULES["no-bias"], "low")
    (wrong,) = of_check(checked(finding(BIAS, 12)), {})
    assert proven_first([luck, floor, wrong], decided=False) == [wrong, luck, floor]
    assert proven_first([luck, floor, wrong], decided=True) == [luck, floor, wrong]
    assert proven_first([floor, wrong], decided=False) == [floor, wrong]


def test_each_edit_of_the_diff_belongs_to_the_nearest_finding() -> None:
    edits = tuple(Edit(FILE, (line, 0), (line + 1, 0), "") for line in (11, 12, 40))
    mends = mends_by_line(checked(finding(BIAS, 12), finding("other", 35)), edits)
    assert {line: [each.start[0] for each in found] for line, found in mends.items()} == {
        12: [11, 12],
        35: [40],
    }
