"""Sums and maxima of vectors as LLVM IR: how terms are combined, and the lanes at the end."""

import math

from nntui.compiler.calls.array_operations import SUM
from nntui.compiler.text.function_text import FunctionText
from nntui.compiler.text.vector_formulas import constant, type_of


def neutral(kind: str) -> float:
    """What changes no sum, or no maximum."""
    return 0.0 if kind == SUM else -math.inf


def combined(function: FunctionText, kind: str, one: str, two: str, width: int) -> str:
    """The sum or the maximum of two vectors."""
    formulas = function.formulas(width)
    return formulas.add(one, two) if kind == SUM else formulas.extreme("ogt", one, two)


def folded(function: FunctionText, value: str, width: int, kind: str) -> str:
    """All places of a vector combined: halves with halves."""
    if width & (width - 1):
        wide = 1 << width.bit_length()
        places = ", ".join(f"i32 {min(place, width)}" for place in range(wide))
        value = function.write(
            f"shufflevector {type_of(width)} {value}, {type_of(width)} "
            f"{constant(neutral(kind), width)}, <{wide} x i32> <{places}>"
        )
        width = wide
    while width > 1:
        half = width // 2
        low, high = (_half(function, value, half, start) for start in (0, half))
        value = combined(function, kind, low, high, half)
        width = half
    return value


def _half(function: FunctionText, value: str, half: int, start: int) -> str:
    vector = type_of(2 * half)
    if half == 1:
        return function.write(f"extractelement {vector} {value}, i32 {start}")
    places = ", ".join(f"i32 {start + place}" for place in range(half))
    return function.write(
        f"shufflevector {vector} {value}, {vector} poison, <{half} x i32> <{places}>"
    )
