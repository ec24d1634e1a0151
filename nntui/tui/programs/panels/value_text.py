"""The values of a line in words: a number, or shape, range and a sparkline."""

import os

import numpy as np

from nntui.program.answer import ProgramFinding
from nntui.program.debugging.seen import SAME, LineValue, Value, scaled

BARS = "▁▂▃▄▅▆▇█"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as people write it: ``4x80``."""
    return "x".join(map(str, shape))


def where_of(finding: ProgramFinding, program: str) -> str:
    """The line of ``finding``, with its file where that is not the program's own."""
    if finding.line is None:
        return ""
    name = os.path.basename(finding.file or program)
    file = "" if name == os.path.basename(program) else f"{name}, "
    return f"{file}line {finding.line}"


LEAST_BARS, MOST_BARS = 4, 12
"""Fewer show nothing of a picture, where there are more points."""


def sparkline(value: Value, width: int) -> str:
    """The points of ``value`` as bars, in ``width`` columns means of them; nothing in too few."""
    points = [each for each in value.points if np.isfinite(each)]
    if len(points) < 2 or width < min(len(points), LEAST_BARS):
        return ""
    points = [float(np.mean(part)) for part in np.array_split(points, min(width, len(points)))]
    low, high = min(points), max(points)
    span = high - low
    if span <= 0.0:
        return ""
    return "".join(BARS[min(int((each - low) / span * 8), 7)] for each in points)


def range_text(value: Value, digits: int = 3) -> str:
    """The range of an array, or the number; what is not finite is counted."""
    bad = f"{value.bad} not finite" if value.bad else ""
    if value.least is None or value.most is None:
        return bad or "empty"
    if value.least == value.most and len(value.points) == 1:
        return f"{value.most:.6g}" + (f", {bad}" if bad else "")
    least, most = f"{value.least:.{digits}g}", f"{value.most:.{digits}g}"
    text = f"{least} .. {most}" if value.least != value.most else f"all {least}"
    return f"{text}, {bad}" if bad else text


def line_text(values: tuple[LineValue, ...], width: int) -> str:
    """What is said behind a line: all of its values, as far as they fit."""
    parts = []
    for each in values:
        value = each.last
        name = f"{each.target}: " if len(values) > 1 and each.target != "<return>" else ""
        shape = f"{shape_text(value.shape)}  " if value.shape else ""
        times = f"  ({each.times} times)" if each.times > 1 else ""
        text = f"{name}{shape}{range_text(value)}"
        if len(text) > width:
            text = f"{name}{shape}{range_text(value, 2)}"  # a number cut off would be another
        bars = sparkline(value, min(width - len(text) - 2, MOST_BARS)) if value.shape else ""
        if bars:
            text = f"{text}  {bars}"
        if len(text) + len(times) <= width:
            text += times
        parts.append(text)
    text = parts[0] if parts else ""
    for part in parts[1:]:
        if len(text) + len(part) + 2 > width:
            break
        text = f"{text}; {part}"
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"


def gradient_text(value: Value) -> str:
    """How a value compares with the true gradient that it should be, as a clause."""
    if value.updates is not None:
        return f"the step of {value.updates} is made here"
    if value.of is None or value.number is None or value.true is None:
        return ""
    if value.number.shape != value.true.shape:
        return f"gradient of {value.of}, whose shape is {shape_text(value.true.shape)}"
    factor, off = scaled(value.number, value.true)
    if not np.any(value.true):
        return f"gradient of {value.of}: the true one is 0"
    if off <= SAME:
        times = "" if abs(factor - 1.0) < SAME else f" times {factor:.4g}"
        return f"gradient of {value.of}: the true one{times}"
    share = f"{100.0 * off:.3g} %" if off < 10.0 else "far"
    return f"gradient of {value.of}: off by {share}"
