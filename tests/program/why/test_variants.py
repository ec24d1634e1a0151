"""What changes mean for a program, and what counts as learned in it."""

from math import inf

import pytest

from nntui.program.follow.request import Request, Sought
from nntui.program.why.changes.literals import rate_literals
from nntui.program.why.changes.source_edits import Edit
from nntui.program.why.changes.variants import (
    BIASES,
    DRAWN,
    EPOCHS,
    LINES,
    RATE,
    SIZE,
    Source,
    is_bias,
)
from nntui.program.why.trials.goal import Reference

FILE = "/net.py"
TEXT = """lr = 0.1
w = 1.0
for epoch in range(10):
    for x in [1.0, 2.0]:
        w -= lr * w * 2.0 * x
"""


def source(once: bool = False) -> Source:
    """The program ``TEXT``; ``once``: without its outer loop."""
    text = TEXT
    if once:
        text = TEXT.replace("for epoch in range(10):", "").replace("\n    ", "\n")
    mend = Edit(FILE, (5, 0), (6, 0), "        w -= lr * w\n        pass\n")
    return Source(
        texts={FILE: text},
        request=Request((FILE, 4), None if once else (FILE, 3), Sought("own", "x"), ("w", "b")),
        weights=("w",),
        biases=("b",),
        epochs=1 if once else 10,
        rate=rate_literals({FILE: text})[0],
        mends={} if once else {5: (mend,)},
        once=once,
    )


def test_a_change_of_the_rate_and_mended_lines_go_together() -> None:
    variant = source().variant({LINES: [5], RATE: 0.5})
    assert variant is not None
    lines = variant.texts[FILE].splitlines()
    assert (lines[0], lines[4], lines[5]) == ("lr = 0.5", "        w -= lr * w", "        pass")
    assert (variant.loop, variant.around) == ((FILE, 4), (FILE, 3))


def test_a_longer_training_has_more_turns_of_its_outer_loop() -> None:
    variant = source().variant({EPOCHS: 40})
    assert variant is not None
    assert variant.times == 4
    assert "range(4*(10))" in variant.texts[FILE]


def test_a_training_that_sees_its_data_once_gets_a_loop_around_it() -> None:
    variant = source(once=True).variant({EPOCHS: 30, RATE: 0.2})
    assert variant is not None
    lines = variant.texts[FILE].splitlines()
    assert variant.times == 30
    assert (variant.around, variant.loop) == ((FILE, 4), (FILE, 5))
    assert lines[3].startswith("for ")
    assert lines[4] == " for x in [1.0, 2.0]:"


def test_another_start_multiplies_weights_and_takes_biases_away() -> None:
    variant = source().variant({SIZE: 4.0, BIASES: "zeros"})
    assert variant is not None
    assert variant.scales == {"w": 4.0, "b": 0.0}
    drawn = source().variant({DRAWN: "xavier"})
    assert drawn is not None
    assert drawn.redrawn == ("w",)


@pytest.mark.parametrize(
    "changes", [{"layers.0.activation": "tanh"}, {LINES: [4]}, {"training.momentum": 0.9}]
)
def test_what_the_source_has_no_place_for_is_no_variant(changes: dict[str, object]) -> None:
    assert source().variant(changes) is None


@pytest.mark.parametrize(
    ("name", "shape", "bias"),
    [
        ("b1", (4, 1), True),
        ("params['b2']", (1, 3), True),
        ("network[0].biases", (4, 1), True),
        ("self.bias", (), True),
        ("net.biases[0]", (4, 1), True),
        ("network[4].weights", (1, 4), False),
        ("w1", (2,), False),
        ("B", (3, 3), False),
        ("theta", (2, 1), False),
    ],
)
def test_biases_are_told_from_weights_by_name_and_shape(
    name: str, shape: tuple[int, ...], bias: bool
) -> None:
    assert is_bias(name, shape) == bias


def test_the_goal_is_most_of_the_way_to_the_lowest_loss_that_was_reached() -> None:
    reference = Reference(10.0, is_first=False)
    assert reference.goal() == pytest.approx(0.5)
    assert reference.goal(4.0) == pytest.approx(4.3)
    assert reference.goal(0.0) == pytest.approx(0.5)
    assert reference.goal(9.0) == pytest.approx(0.5), "little is learned: that says nothing"
    assert reference.goal(inf) == pytest.approx(0.5)
    assert "95% of the way from the best constant answer (10)" in reference.words(4.3, 4.0)
    assert "a twentieth" in reference.words(0.5, inf)


def test_half_of_the_way_tells_what_makes_a_difference_but_not_all_of_it() -> None:
    reference = Reference(10.0, is_first=False)
    assert reference.halfway(1.0, 9.0) == pytest.approx(5.0)
    assert reference.halfway(1.0, 90.0) == pytest.approx(5.5), "at most a constant answer's"
    assert reference.halfway(8.9, 9.0) == reference.goal(8.9), "nothing makes a difference"
    assert reference.halfway(4.0, 4.2) == reference.goal(4.0)
    assert "half of the way" in reference.words(5.0, 1.0)
