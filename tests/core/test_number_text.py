"""Numbers as text: digits in a sentence, and cells whose numbers share a form."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntui.core.number_text import brief, form_of, number_text, told_apart


def written(values: list[float], width: int) -> tuple[str, list[str]]:
    form = form_of(np.array(values), width)
    return form.unit, [form.text(value) for value in values]


@given(st.lists(st.floats(), min_size=1, max_size=6), st.integers(4, 10))
def test_a_number_fits_its_cell_and_keeps_its_sign(values: list[float], width: int) -> None:
    form = form_of(np.array(values), width)
    for value in values:
        text = form.text(value)
        assert len(text) <= width
        assert text.startswith("-") == (value < 0 and not math.isnan(value))


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6), st.integers(6, 10))
def test_what_a_cell_says_times_its_unit_is_the_number(values: list[float], width: int) -> None:
    form = form_of(np.array(values), width)
    largest = max(map(abs, values))
    for value in values:
        text = form.text(value)
        if text.lstrip("+-") in ("0", "big"):
            continue
        told = float(text) * 10.0 ** (form.power or 0)
        assert abs(told - value) <= max(0.1 * largest, 1e-300)
        assert abs(told - value) <= 0.5 * abs(value)


@pytest.mark.parametrize(
    ("values", "width", "unit", "texts"),
    [
        ([0.1649, 2.2262, 0.0039, -1.2], 4, "", ["0.16", "2.23", "4e-3", "-1.2"]),
        ([0.1649, 2.2262, 0.0039, 0.0], 6, "", ["0.1649", "2.2262", "0.0039", "0"]),
        # Gradients share a power of ten, which stands in the heading.
        ([3.65e-4, -1e-4, 2e-6], 4, "x1e-4", ["3.65", "-1.0", "0.02"]),
        # Two numbers of one size are written alike.
        ([-81063017.0, -1e8], 9, "x1e8", ["-0.8106", "-1.0000"]),
        # Numbers of many sizes have exponents of their own.
        ([1e12, -3.5e11, 0.3, 0.2, 0.4], 8, "", ["1.000e12", "-3.50e11", "0.3000", "0.2000"]),
        # Five digits are enough, however wide the cell is.
        ([234.49234, 3.1], 9, "", ["234.49", "3.10"]),
        ([1e300, math.inf, -math.inf], 4, "x1e300", ["1.00", "inf", "-inf"]),
    ],
)
def test_numbers_of_a_group_share_a_form(
    values: list[float], width: int, unit: str, texts: list[str]
) -> None:
    found = written(values, width)
    assert (found[0], found[1][: len(texts)]) == (unit, texts)


def test_in_a_sentence_a_zero_has_no_sign_and_different_numbers_look_different() -> None:
    assert number_text(-0.0) == "0"
    assert told_apart([1.012, 1.014, 1.016]) == ["1.012", "1.014", "1.016"]
    assert told_apart([0.1, 1.0]) == ["0.1", "1"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.5, "0.5"), (-0.0123, "-0.0123"), (-0.00123, "-1.2e-3"), (-1.23e-5, "-1.2e-5")),
        *((1.1e-300, "1e-300"), (-1e-310, "-1e-310"), (5e-324, "5e-324"), (-1.2e308, "-1e308")),
    ],
)
def test_a_number_at_an_axis_is_never_cut(value: float, text: str) -> None:
    assert brief(value, 7) == text
    assert float(text) == pytest.approx(value, rel=0.25)
