"""Expressions: a formula as an immutable tree of numbers, names, operations and calls."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

UNITS = ("total", "mean", "greatest")
"""Reductions over the units of a layer; they keep the axis, with length 1."""
PRODUCTS = ("outer", "dot")
"""Sums over the samples of a batch: ``outer(u, v)`` of u v^T, a matrix; ``dot(u, v)`` a number."""


@dataclass(frozen=True)
class Expression:
    """One node of a formula."""

    @property
    def parts(self) -> tuple["Expression", ...]:
        """Its operands, from left to right."""
        return ()

    def walk(self) -> Iterator["Expression"]:
        """This node and everything below it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def names(self) -> frozenset[str]:
        """The names of all variables in it."""
        return frozenset(node.name for node in self.walk() if isinstance(node, Name))

    def replaced(self, values: Mapping["Expression", "Expression"]) -> "Expression":
        """The same with every node that is a key of ``values`` replaced, outermost first."""
        if self in values:
            return values[self]
        return self.rebuilt(tuple(part.replaced(values) for part in self.parts))

    def rebuilt(self, parts: tuple["Expression", ...]) -> "Expression":
        """The same kind of node with other ``parts``."""
        return self

    def bound(self, values: Mapping[str, "Expression | float"]) -> "Expression":
        """The same with names replaced by numbers or other expressions."""
        return self.replaced(
            {
                Name(name): value if isinstance(value, Expression) else Number(float(value))
                for name, value in values.items()
            }
        )


@dataclass(frozen=True)
class Number(Expression):
    """A constant."""

    value: float


@dataclass(frozen=True)
class Name(Expression):
    """A variable or a parameter."""

    name: str


@dataclass(frozen=True)
class Negative(Expression):
    """``-part``."""

    part: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self.part,)

    def rebuilt(self, parts: tuple[Expression, ...]) -> Expression:
        return Negative(*parts)


@dataclass(frozen=True)
class Operation(Expression):
    """``left symbol right`` for one of ``+ - * / ^``."""

    symbol: str
    left: Expression
    right: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self.left, self.right)

    def rebuilt(self, parts: tuple[Expression, ...]) -> Expression:
        return Operation(self.symbol, *parts)


@dataclass(frozen=True)
class Call(Expression):
    """A function of `functions.FUNCTIONS`, one of `UNITS` or one of `PRODUCTS`."""

    function: str
    arguments: tuple[Expression, ...]

    @property
    def parts(self) -> tuple[Expression, ...]:
        return self.arguments

    def rebuilt(self, parts: tuple[Expression, ...]) -> Expression:
        return Call(self.function, parts)


@dataclass(frozen=True)
class Choice(Expression):
    """``then`` where ``left symbol right`` holds (``< <= > >= ==``), else ``other``."""

    symbol: str
    left: Expression
    right: Expression
    then: Expression
    other: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self.left, self.right, self.then, self.other)

    def rebuilt(self, parts: tuple[Expression, ...]) -> Expression:
        return Choice(self.symbol, *parts)


def size(expression: Expression) -> int:
    """How many nodes there are, shared ones counted each time."""
    return 1 + sum(map(size, expression.parts))
