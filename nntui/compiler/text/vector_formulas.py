"""Instructions on vectors as LLVM IR: arithmetic, comparisons, choices, and calls of functions."""

import math
import struct
from collections.abc import Callable
from typing import NamedTuple, Protocol

IN_LLVM = {"sqrt": "sqrt", "abs": "fabs", "floor": "floor"}


class Known(Protocol):
    """Collects the functions that are called."""

    def declare(self, line: str) -> None:
        """Need something that LLVM or the C library has."""

    def need(self, function: str, width: int) -> None:
        """Need ``function`` on vectors of ``width``."""


def literal(value: float) -> str:
    """``value`` as LLVM IR, bit for bit."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def type_of(width: int, scalar: str = "double") -> str:
    """The type of ``width`` numbers side by side."""
    return scalar if width == 1 else f"<{width} x {scalar}>"


def constant(value: float, width: int) -> str:
    """``value`` in each of ``width`` places."""
    return _repeated(literal(value), width, "double")


def integer(value: int, width: int) -> str:
    """The same of a whole number of 64 bits."""
    return _repeated(str(value), width, "i64")


def _repeated(text: str, width: int, scalar: str) -> str:
    return text if width == 1 else "<" + ", ".join([f"{scalar} {text}"] * width) + ">"


def _is_number(operand: str) -> bool:
    """Whether an operand is a number that is not NaN, and not the name of one."""
    return not operand.startswith("%") and literal(math.nan) not in operand


def _is_infinite(operand: str) -> bool:
    return any(literal(each) in operand for each in (math.inf, -math.inf))


class _Sign(NamedTuple):
    """What depends on the sign of a number alone; for 0 and NaN it is the number itself."""

    of: str
    below: float
    above: float


class Formulas:
    """Writes instructions on vectors of one width; every method returns the name of its result."""

    def __init__(self, write: Callable[[str], str], width: int, known: Known) -> None:
        self._write, self.width, self._known = write, width, known
        self.type = type_of(width)
        self._sources: dict[str, str] = {}
        self._numbers: dict[str, float] = {}
        self._signs: dict[str, _Sign] = {}
        self._whole, self._bit = type_of(width, "i64"), type_of(width, "i1")

    def number(self, value: float) -> str:
        """``value`` in every place."""
        text = constant(value, self.width)
        self._numbers[text] = value
        return text

    def op(self, name: str, *operands: str) -> str:
        """An instruction on floats, such as ``fadd``."""
        return self._write(f"{name} {self.type} {', '.join(operands)}")

    def add(self, x: str, y: str) -> str:
        """``x + y``."""
        return self.op("fadd", x, y)

    def sub(self, x: str, y: str) -> str:
        """``x - y``."""
        return self.op("fsub", x, y)

    def mul(self, x: str, y: str) -> str:
        """``x * y``."""
        return self.op("fmul", x, y)

    def test(self, relation: str, x: str, y: str) -> str:
        """A comparison of floats: ``olt``, ``uno``, ..."""
        return self._write(f"fcmp {relation} {self.type} {x}, {y}")

    def choose(self, mask: str, then: str, other: str) -> str:
        """``then`` where ``mask`` holds, else ``other``."""
        return self._write(f"select {self._bit} {mask}, {self.type} {then}, {self.type} {other}")

    def either(self, one: str, two: str) -> str:
        """Whether one of two comparisons holds."""
        return self._write(f"or {self._bit} {one}, {two}")

    def call(self, function: str, *operands: str) -> str:
        """``function`` of the operands, by a definition of its own."""
        self._known.need(function, self.width)
        given = ", ".join(f"{self.type} {each}" for each in operands)
        return self._write(f"call {self.type} @{function}.{self.width}({given})")

    def intrinsic(self, name: str, x: str) -> str:
        """A function that processors have."""
        kind = "f64" if self.width == 1 else f"v{self.width}f64"
        self._known.declare(f"declare {self.type} @llvm.{name}.{kind}({self.type})")
        return self._write(f"call {self.type} @llvm.{name}.{kind}({self.type} {x})")

    def apply(self, function: str, *x: str) -> str:
        """A function of `array_operations.ELEMENTWISE`, or ``choose`` with a mask of 0 and 1."""
        arithmetic = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv"}
        relations = {
            "greater": "ogt",
            "greater_equal": "oge",
            "less": "olt",
            "less_equal": "ole",
            "equal": "oeq",
        }
        sign = self._sign_of(function, *x)
        if sign is not None:
            return self._signed(sign)
        if function in arithmetic:
            made = self.op(arithmetic[function], *x)
            for one, other in ((x[0], x[1]), (x[1], x[0])):
                if function == "multiply" and _is_number(one) and not _is_infinite(one):
                    self._sources[made] = self._source(other)
            return made
        if function in relations:
            return self.choose(
                self.test(relations[function], *x), self.number(1.0), self.number(0.0)
            )
        if function in IN_LLVM:
            return self.intrinsic(IN_LLVM[function], x[0])
        match function:
            case "positive":
                return x[0]
            case "negative":
                return self.op("fneg", x[0])
            case "choose":
                return self.choose(self.test("une", x[0], self.number(0.0)), x[1], x[2])
            case "maximum" | "minimum":
                return self.extreme("ogt" if function == "maximum" else "olt", *x)
            case "heaviside":
                return self._step(*x)
        return self.call(function, *x)

    def extreme(self, relation: str, x: str, y: str) -> str:
        """The greater or the smaller number; NaN if one of them is NaN."""
        if _is_number(y):
            x, y = y, x
        # Processors have this as one instruction, which gives y if a number is NaN.
        found = self.choose(self.test(relation, x, y), x, y)
        if _is_number(x) or self._source(x) == self._source(y):
            return found
        return self.choose(self.test("uno", x, x), x, found)

    def _source(self, x: str) -> str:
        """What ``x`` is NaN with: it is a multiple, or the sign, of that."""
        return self._sources.get(x, x)

    def _sign_of(self, function: str, x: str, *others: str) -> "_Sign | None":
        """The result as what depends on the sign of a number alone; None if it does not."""
        if function == "sign":
            return _Sign(x, -1.0, 1.0)
        if not others:
            return None
        one, two = self._signs.get(x), self._signs.get(others[0])
        if function == "multiply":
            sign, factor = one or two, self._numbers.get(others[0] if one else x)
            if sign is None or factor is None or not math.isfinite(factor):
                return None
            return _Sign(sign.of, sign.below * factor, sign.above * factor)
        if function in ("maximum", "minimum") and one and two and one.of == two.of:
            extreme = max if function == "maximum" else min
            return _Sign(one.of, extreme(one.below, two.below), extreme(one.above, two.above))
        return None

    def _signed(self, sign: "_Sign") -> str:
        x, zero = sign.of, self.number(0.0)
        below = self.choose(self.test("olt", x, zero), self.number(sign.below), x)
        made = self.choose(self.test("ogt", x, zero), self.number(sign.above), below)
        self._sources[made], self._signs[made] = self._source(x), sign
        return made

    def _step(self, x: str, at: str) -> str:
        zero = self.number(0.0)
        above = self.choose(self.test("ogt", x, zero), self.number(1.0), zero)
        level = self.choose(self.test("oeq", x, zero), at, above)
        return self.choose(self.test("uno", x, x), x, level)
