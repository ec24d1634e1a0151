"""Elementary functions as LLVM IR on vectors: exp, log, tanh and what is made of them.

They use additions, multiplications, divisions and bits alone, never a fused multiply-add, so that
every processor gives the same bits.  Arguments are reduced as in Cody and Waite 1980; log is a
series in (m - 1)/(m + 1).  All are right to a few units in the last place, infinities and NaN
included.
"""

import math
import struct
from collections.abc import Callable

from nntui.compiler.text.vector_formulas import Formulas, integer, type_of

ROUNDER = 6755399441055744.0
"""1.5 * 2^52: a number below 2^51 added to it loses its fraction, which rounds it."""
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2; the first part has 32 bits, so that its products with whole numbers are exact."""
EXP_TERMS, LOG_TERMS = 14, 11
OVERFLOW, UNDERFLOW = 710.0, -746.0
SATURATED = -50.0
"""Below it exp(x) - 1 is -1."""
TWO_54 = 2.0**54
CALLED = frozenset(("exp", "expm1", "log", "log1p", "logaddexp", "tanh", "sin", "cos", "power"))
"""The functions that are defined, or called, and no instructions."""
IN_LIBRARY = {"sin": 1, "cos": 1, "power": 2}
"""Functions that the C library computes, and how many arguments they have."""


class _Elementary(Formulas):
    """Writes the functions themselves."""

    def _bits(self, x: str) -> str:
        return self._write(f"bitcast {self.type} {x} to {self._whole}")

    def _float(self, x: str) -> str:
        return self._write(f"bitcast {self._whole} {x} to {self.type}")

    def _integers(self, name: str, x: str, y: int) -> str:
        return self._write(f"{name} {self._whole} {x}, {integer(y, self.width)}")

    def _power_of_two(self, n: str) -> str:
        """``2^n`` for whole numbers from -1022 to 1023."""
        # The lowest bits of ROUNDER + 1023 + n are n with the bias of an exponent.
        biased = self.add(n, self.number(ROUNDER + 1023.0))
        return self._float(self._integers("shl", self._bits(biased), 52))

    def _rounded(self, x: str) -> str:
        return self.sub(self.add(x, self.number(ROUNDER)), self.number(ROUNDER))

    def _reduced(self, x: str) -> tuple[str, str]:
        """``n`` and ``r``, at most half of ln 2, such that x = n ln 2 + r."""
        n = self._rounded(self.mul(x, self.number(1.0 / math.log(2.0))))
        r = self.sub(x, self.mul(n, self.number(LN2_HIGH)))
        return n, self.sub(r, self.mul(n, self.number(LN2_LOW)))

    def _rest(self, r: str) -> str:
        """``exp(r) - 1 - r`` of a small number, by its series."""
        value = self.number(1.0 / math.factorial(EXP_TERMS - 1))
        for power in range(EXP_TERMS - 2, 1, -1):
            value = self.add(self.mul(value, r), self.number(1.0 / math.factorial(power)))
        return self.mul(self.mul(value, r), r)

    def clamped(self, x: str, low: float, high: float) -> str:
        """``x`` between two bounds; NaN stays NaN."""
        below, above = self.number(low), self.number(high)
        x = self.choose(self.test("olt", x, below), below, x)
        return self.choose(self.test("ogt", x, above), above, x)

    def exp(self, x: str) -> str:
        """``e^x``."""
        n, r = self._reduced(self.clamped(x, UNDERFLOW, OVERFLOW))
        value = self.add(self.add(self._rest(r), r), self.number(1.0))
        # 2^n in two factors, because n may be beyond the exponents of normal numbers.
        half = self._rounded(self.mul(n, self.number(0.5)))
        value = self.mul(value, self._power_of_two(half))
        return self.mul(value, self._power_of_two(self.sub(n, half)))

    def expm1(self, x: str) -> str:
        """``e^x - 1``."""
        n, r = self._reduced(self.clamped(x, SATURATED, 700.0))
        scale = self._power_of_two(n)
        near = self.add(
            self.mul(scale, self.add(self._rest(r), r)), self.sub(scale, self.number(1.0))
        )
        return self.choose(self.test("ogt", x, self.number(700.0)), self.call("exp", x), near)

    def tanh(self, x: str) -> str:
        """The hyperbolic tangent, from ``e^(-2|x|) - 1``."""
        size = self.intrinsic("fabs", x)
        below = self.call("expm1", self.mul(size, self.number(-2.0)))
        value = self.op("fdiv", self.op("fneg", below), self.add(below, self.number(2.0)))
        negative = self.test("olt", x, self.number(0.0))
        return self.choose(negative, self.op("fneg", value), value)

    def log(self, x: str) -> str:
        """The natural logarithm; NaN below 0."""
        tiny = self.test("olt", x, self.number(2.2250738585072014e-308))
        scaled = self.choose(tiny, self.mul(x, self.number(TWO_54)), x)
        bits = self._bits(scaled)
        # Subtracting the bits of sqrt(1/2) puts the mantissa between sqrt(1/2) and sqrt(2).
        root = struct.unpack("<q", struct.pack("<d", math.sqrt(0.5)))[0]
        shifted = self._integers("sub", bits, root)
        exponent = self._integers("ashr", shifted, 52)
        mantissa = self._write(f"sub {self._whole} {bits}, {self._integers('shl', exponent, 52)}")
        raised = self._integers("add", exponent, 0x4338000000000000)
        e = self.sub(self._float(raised), self.number(ROUNDER))
        e = self.choose(tiny, self.sub(e, self.number(54.0)), e)
        f = self.sub(self._float(mantissa), self.number(1.0))
        s = self.op("fdiv", f, self.add(f, self.number(2.0)))
        z = self.mul(s, s)
        series = self.number(2.0 / (2 * LOG_TERMS + 1))
        for odd in range(2 * LOG_TERMS - 1, 1, -2):
            series = self.add(self.mul(series, z), self.number(2.0 / odd))
        series = self.mul(series, z)
        # log(1 + f) = f - (f^2/2 - s (f^2/2 + series)), whose large part is exact.
        half = self.mul(self.mul(f, f), self.number(0.5))
        small = self.add(self.mul(s, self.add(half, series)), self.mul(e, self.number(LN2_LOW)))
        value = self.sub(self.mul(e, self.number(LN2_HIGH)), self.sub(self.sub(half, small), f))
        infinite = self.test("oeq", x, self.number(math.inf))
        value = self.choose(self.either(infinite, self.test("uno", x, x)), x, value)
        value = self.choose(self.test("olt", x, self.number(0.0)), self.number(math.nan), value)
        return self.choose(self.test("oeq", x, self.number(0.0)), self.number(-math.inf), value)

    def log1p(self, x: str) -> str:
        """``log(1 + x)``, exact for small x by what the sum 1 + x lost (Kahan)."""
        one = self.number(1.0)
        u = self.add(x, one)
        lost = self.op("fdiv", self.sub(x, self.sub(u, one)), u)
        whole = self.call("log", u)
        plain = self.either(
            self.test("oeq", x, self.number(math.inf)), self.test("ole", u, self.number(0.0))
        )
        return self.choose(plain, whole, self.add(whole, lost))

    def logaddexp(self, x: str, y: str) -> str:
        """``log(e^x + e^y)`` without overflow."""
        size = self.intrinsic("fabs", self.sub(x, y))
        greater = self.choose(self.test("oge", x, y), x, y)
        rest = self.call("log1p", self.call("exp", self.op("fneg", size)))
        same = self.add(x, self.number(math.log(2.0)))
        return self.choose(self.test("oeq", x, y), same, self.add(greater, rest))


class Functions:
    """Collects the definitions of the functions that are called, one for each width."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self._declared: dict[str, None] = {}

    def declare(self, line: str) -> None:
        """Need something that LLVM or the C library has."""
        self._declared[line] = None

    def need(self, function: str, width: int) -> None:
        """Need ``function`` on vectors of ``width``."""
        name = f"{function}.{width}"
        if name in self._made:
            return
        self._made[name] = ""
        kind = type_of(width)
        lines: list[str] = []

        def write(instruction: str) -> str:
            lines.append(f"  %v{len(lines)} = {instruction}")
            return f"%v{len(lines) - 1}"

        count = IN_LIBRARY.get(function) or (2 if function == "logaddexp" else 1)
        names = ("%x", "%y")[:count]
        formulas = _Elementary(write, width, self)
        if function in IN_LIBRARY:
            result = self._by_library(write, function, names, width)
        else:
            result = getattr(formulas, function)(*names)
        given = ", ".join(f"{kind} {each}" for each in names)
        body = "\n".join(lines)
        self._made[name] = (
            f"define internal {kind} @{name}({given}) nounwind willreturn memory(none) {{\n"
            f"{body}\n  ret {kind} {result}\n}}"
        )

    def _by_library(
        self, write: Callable[[str], str], function: str, names: tuple[str, ...], width: int
    ) -> str:
        symbol = {"power": "pow"}.get(function, function)
        taken = ", ".join(["double"] * len(names))
        self.declare(f"declare double @{symbol}({taken}) nounwind willreturn memory(none)")
        kind = type_of(width)
        if width == 1:
            return write(f"call double @{symbol}({', '.join(f'double {each}' for each in names)})")
        result = "poison"
        for lane in range(width):
            parts = [write(f"extractelement {kind} {each}, i32 {lane}") for each in names]
            value = write(f"call double @{symbol}({', '.join(f'double {each}' for each in parts)})")
            result = write(f"insertelement {kind} {result}, double {value}, i32 {lane}")
        return result

    @property
    def text(self) -> str:
        """All of them as LLVM IR."""
        return "\n".join([*self._declared, *self._made.values()])
