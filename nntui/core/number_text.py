"""Numbers as text: how many digits a number gets, in a sentence and in a table's cells."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array

DIGITS, FEW = 6, 3
"""Significant digits of a number in a sentence: where there is room, and where there is little."""
ENOUGH = 2
"""Significant digits with which a number in a cell is told well."""
MOST_DIGITS = 5
"""Digits of the largest number of a group, at most."""
MOST_DECIMALS = 4
"""Digits behind the point of a cell, at most."""
LEAST_PLAIN, MOST_PLAIN = -2, 4
"""Powers of ten between which a number by itself needs no exponent."""
FURTHEST = 300
"""Powers of ten beyond which a cell's number would be no float."""


def number_text(value: float, digits: int | None = None) -> str:
    """``value`` in at most ``digits`` significant digits (`DIGITS`); a zero has no sign."""
    return f"{value + 0.0:.{digits or DIGITS}g}"


def brief(value: float, width: int | None = None) -> str:
    """``value`` in few digits, where there is little room: in at most ``width`` characters."""
    text = number_text(value, FEW)
    return text if width is None or len(text) <= width else NumberForm(width, None).text(value)


def numbers_text(values: Array, digits: int | None = None) -> str:
    """All ``values`` (any number of them, in one dimension), with commas between them."""
    return ", ".join(number_text(value, digits) for value in values.tolist())


def told_apart(values: Sequence[float]) -> list[str]:
    """``values`` in few digits, but as many as it takes that different ones look different."""
    texts: list[str] = []
    for digits in range(FEW, 16):
        texts = [number_text(value, digits) for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


@dataclass(frozen=True)
class NumberForm:
    """How the numbers of one group are written in cells of at most ``width`` characters."""

    width: int
    power: int | None = 0
    """Cells count in this power of ten; None if each number has an exponent of its own."""
    decimals: int = MOST_DECIMALS
    """Digits behind the point, where the numbers share them."""

    @property
    def unit(self) -> str:
        """What cells have to be multiplied by, for a heading; empty if by nothing."""
        return f"x1e{self.power}" if self.power else ""

    def text(self, value: float) -> str:
        """``value`` in at most `width` characters; one too small to be seen keeps its sign."""
        if value == 0.0 or not math.isfinite(value):
            return f"{value + 0.0:g}"[: self.width]
        if self.power is None:
            return self._alone(value)
        return self._plain(value * 10.0**-self.power, self.decimals) or self._alone(value)

    def _plain(self, value: float, decimals: int) -> str:
        """Without an exponent; empty where nothing of ``value`` would be seen, or no room is."""
        for digits in range(decimals, -1, -1):
            text = f"{value:.{digits}f}"
            bare = text.replace("0.", ".", 1) if abs(value) < 1.0 else text
            for form in (text, bare):
                if len(form) <= self.width:
                    nothing = not form.strip("-.0")
                    return "" if nothing else form
        return ""

    def _alone(self, value: float) -> str:
        """A number that has its own exponent, or none."""
        exponent, sign = _exponent(value), "-" if value < 0.0 else "+"
        if self.power:  # an exponent would count twice
            return f"{sign}0" if exponent < self.power else f"{sign}big"
        if self.power is None and LEAST_PLAIN <= exponent <= MOST_PLAIN:
            decimals = max(min(MOST_DECIMALS, self.width - 3 - max(exponent, 0)), 0)
            text = self._plain(value, decimals)
            if text:
                return text
        for digits in range(MOST_DECIMALS, -1, -1):
            mantissa, _, power = f"{value:.{digits}e}".partition("e")
            text = f"{mantissa}e{int(power)}"
            if len(text) <= self.width:
                return text
        return f"{sign}0" if exponent < 0 else f"{sign}big"


def form_of(values: Array, width: int) -> NumberForm:
    """The form for ``values`` (of any shape) in which most of them show their digits.

    Digits behind the point are preferred to a common power of ten, and that to exponents.
    """
    seen = values[np.isfinite(values) & (values != 0.0)].ravel()
    if not len(seen):
        return NumberForm(width, decimals=0)
    exponents, room = np.floor(np.log10(np.abs(seen))), width - 1.0 * (seen < 0.0)
    top = int(exponents.max())
    forms, whole = [], max(top, 0) + 1
    if whole <= room.min():
        decimals = max(min(width - whole - 1, MOST_DECIMALS, MOST_DIGITS - whole), 0)
        kept = np.minimum(decimals, room - whole - (top >= 0))
        forms.append((NumberForm(width, decimals=decimals), exponents + kept + 1.0))
    if 1 < abs(top) <= FURTHEST:
        decimals = min(width - 2, MOST_DECIMALS)
        kept = np.minimum(decimals, room - 2.0)
        forms.append((NumberForm(width, top, decimals), exponents - top + kept + 1.0))
    power = 2.0 + (exponents < 0.0) + (np.abs(exponents) > 9.0) + (np.abs(exponents) > 99.0)
    left = room - power
    plain = (exponents >= LEAST_PLAIN) & (exponents <= MOST_PLAIN)
    alone = np.where(plain, room - 1.0 + np.minimum(exponents, 0.0), left - (left > 1.0))
    forms.append((NumberForm(width, None), alone))
    counts = [int((shown >= ENOUGH).sum()) for _, shown in forms]
    return forms[counts.index(max(counts))][0]


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])
