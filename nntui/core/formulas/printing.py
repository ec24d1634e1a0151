"""Prints an expression as text, and as NumPy or PyTorch source."""

import math
from collections.abc import Iterator, Mapping

from nntui.core.formulas.expression import (
    UNITS,
    Call,
    Choice,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
)
from nntui.core.formulas.functions import FUNCTIONS, NUMPY_NAMES

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How tightly a kind of expression binds, loosest first."""
_BINDS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "^": POWER}
_REDUCED = {"total": "sum", "mean": "mean"}


class Printer:
    """Prints expressions as text; ``names`` maps variables to the names printed for them."""

    power = "^"
    spaced: tuple[str, ...] = ("+", "-")

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = names or {}

    def text(self, node: Expression) -> str:
        """``node`` in one line."""
        return self._print(node)[0]

    def _print(self, node: Expression) -> tuple[str, int]:
        match node:
            case Number(value):
                return self.number(value), SIGN if value < 0.0 else ATOM
            case Name(name):
                text = self._names.get(name, name)
                return text, ATOM if text.replace("_", "").isalnum() else SUM
            case Negative(part):
                return f"-{self._inside(part, POWER)}", SIGN
            case Operation(symbol, left, right):
                return self._operation(symbol, left, right)
            case Choice(symbol, left, right, then, other):
                condition = f"{self.text(left)} {symbol} {self.text(right)}"
                return self.choice(condition, self.text(then), self.text(other)), ATOM
            case Call(function, arguments):
                # Arguments need no parentheses, and a call binds as tightly as a name.
                return self.call(function, arguments), ATOM
        raise TypeError(type(node).__name__)

    def _operation(self, symbol: str, left: Expression, right: Expression) -> tuple[str, int]:
        binds = _BINDS[symbol]
        tighter = binds + (symbol in "-/^")
        one = self._inside(left, binds + (symbol == "^"))
        two = self._behind(right, POWER if binds == PRODUCT else tighter)
        sign = self._sign(symbol)
        between = f" {sign} " if symbol in self.spaced else sign
        return f"{one}{between}{two}", binds

    def _sign(self, symbol: str) -> str:
        return self.power if symbol == "^" else symbol

    def _inside(self, node: Expression, least: int) -> str:
        text, binds = self._print(node)
        return f"({text})" if binds < least else text

    def _behind(self, node: Expression, least: int) -> str:
        """The same behind an operator or a minus, where a sign of its own needs parentheses."""
        text = self._inside(node, least)
        return f"({text})" if text.startswith("-") else text

    def number(self, value: float) -> str:
        """A constant."""
        return f"{value:.12g}"

    def choice(self, condition: str, then: str, other: str) -> str:
        """``then`` where ``condition`` holds, else ``other``."""
        return f"({then} if {condition} else {other})"

    def call(self, function: str, arguments: tuple[Expression, ...]) -> str:
        """A call of ``function`` with ``arguments``."""
        return f"{function}({', '.join(map(self.text, arguments))})"


class NumpyPrinter(Printer):
    """Prints NumPy source; units are on ``axis``.

    Functions that NumPy lacks are called by their name; `definitions` prints their code.
    """

    power = "**"
    spaced = ("+", "-", "*", "/")

    def __init__(self, names: Mapping[str, str] | None = None, axis: int = 1) -> None:
        super().__init__(names)
        self._axis = axis
        self.called: dict[str, None] = {}
        """The functions that a script must define, in the order of their first call."""

    def number(self, value: float) -> str:
        return "np.pi" if value == math.pi else repr(float(value))

    def _operation(self, symbol: str, left: Expression, right: Expression) -> tuple[str, int]:
        if isinstance(left, Number) and isinstance(right, Number):
            # A power of Python floats raises OverflowError where NumPy's is infinite.
            return f"np.float64({left.value!r}) {self._sign(symbol)} {right.value!r}", _BINDS[
                symbol
            ]
        match symbol, right:
            case "^", Number(exponent) if exponent.is_integer() and abs(exponent) < 1000.0:
                return f"{self._inside(left, ATOM)}**{int(exponent)}", POWER
        return super()._operation(symbol, left, right)

    def choice(self, condition: str, then: str, other: str) -> str:
        return f"np.where({condition}, {then}, {other})"

    def call(self, function: str, arguments: tuple[Expression, ...]) -> str:
        texts = [self.text(each) for each in arguments]
        if function in UNITS:
            return self.reduction(function, self._inside(arguments[0], ATOM))
        match function:
            case "outer":
                one, two = (self._inside(each, ATOM) for each in arguments)
                return f"({one}.T @ {two})"
            case "dot":
                one, two = self._inside(arguments[0], PRODUCT), self._inside(arguments[1], POWER)
                return f"({one} * {two}).sum()"
        return self.function(function, texts)

    def reduction(self, function: str, part: str) -> str:
        """A reduction of ``part`` over the units."""
        method = "max" if function == "greatest" else _REDUCED[function]
        return f"{part}.{method}(axis={self._axis}, keepdims=True)"

    def function(self, name: str, arguments: list[str]) -> str:
        """The function ``name`` of ``arguments``."""
        if FUNCTIONS[name].body:
            self.called[name] = None
            return f"{name}({', '.join(arguments)})"
        return f"np.{NUMPY_NAMES.get(name, name)}({', '.join(arguments)})"


class TorchPrinter(NumpyPrinter):
    """Prints PyTorch source that autograd can differentiate."""

    def choice(self, condition: str, then: str, other: str) -> str:
        return f"torch.where({condition}, {then}, {other})"

    def reduction(self, function: str, part: str) -> str:
        method = "amax" if function == "greatest" else _REDUCED[function]
        return f"{part}.{method}(dim={self._axis}, keepdim=True)"

    def call(self, function: str, arguments: tuple[Expression, ...]) -> str:
        match function, arguments:
            case ("max" | "min", (Number(value), other) | (other, Number(value))):
                bound = "min" if function == "max" else "max"
                return f"{self._inside(other, ATOM)}.clamp({bound}={self.number(value)})"
            case ("step" | "logaddexp", _):
                tensors = (
                    f"torch.tensor({self.text(each)})"
                    if isinstance(each, Number)
                    else self.text(each)
                    for each in arguments
                )
                return self.function(function, list(tensors))
        return super().call(function, arguments)

    def function(self, name: str, arguments: list[str]) -> str:
        form = FUNCTIONS[name].torch
        if not form:
            return f"torch.{name}({', '.join(arguments)})"
        return form.format(*arguments)


def definitions(printer: NumpyPrinter) -> Iterator[str]:
    """Source of the functions that ``printer`` has called, dependencies first."""
    from nntui.core.formulas.parsing import formula

    done: dict[str, str] = {}

    def define(name: str) -> None:
        inner = NumpyPrinter(axis=1)
        text = inner.text(formula(FUNCTIONS[name].body))
        for needed in inner.called:
            if needed not in done:
                define(needed)
        letters = "xy"[: FUNCTIONS[name].arity]
        done[name] = f"def {name}({', '.join(letters)}):\n    return {text}"

    for name in printer.called:
        if name not in done:
            define(name)
    yield from done.values()


def formula_text(expression: Expression) -> str:
    """``expression`` in the notation of presets."""
    return Printer().text(expression)
