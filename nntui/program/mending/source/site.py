"""One statement that may be at fault: its expressions, and changes of them."""

import ast
from collections.abc import Iterator
from functools import cached_property

from nntui.program.mending.source.beforehand import Facts, Wanted
from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.scope import Scope, is_operand
from nntui.program.mending.source.source_text import (
    BLOCKS,
    FUNCTIONS,
    Edit,
    Placed,
    SourceText,
    bracketed,
    unbracketed,
)

PRODUCT, ATOM = 11, 15
"""How tightly a product binds, and a name."""


class Site(Scope):
    """A statement with what is known of it."""

    def __init__(
        self, source: SourceText, statement: ast.stmt, wanted: Wanted, facts: Facts
    ) -> None:
        super().__init__(source, statement, facts)
        self.wanted = wanted

    # Its expressions.

    @cached_property
    def expressions(self) -> list[ast.expr]:
        """All expressions of the statement but those of statements within it, outer ones first."""
        found: list[ast.expr] = []
        waiting: list[ast.AST] = [self.statement]
        while waiting:
            node = waiting.pop(0)
            if isinstance(node, ast.expr):
                found.append(node)
            for name, value in ast.iter_fields(node):
                if node is self.statement and name in (*BLOCKS, "handlers", "cases"):
                    continue
                if node is self.statement and isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                    continue
                values = value if isinstance(value, list) else [value]
                waiting += [each for each in values if isinstance(each, ast.AST)]
        return found

    @property
    def value(self) -> ast.expr | None:
        """What the statement assigns, adds, returns or evaluates; of a lambda what that returns."""
        value = getattr(self.statement, "value", None)
        while isinstance(value, ast.Lambda):
            value = value.body
        return value if isinstance(value, ast.expr) else None

    @cached_property
    def operands(self) -> list[ast.expr]:
        """Names, attributes and elements that are read, whole: ``self.a[i]``, and no function."""
        found: list[ast.expr] = []
        for node in self.expressions:
            if not is_operand(node) or not isinstance(node.ctx, ast.Load):
                continue
            parent = self.source.parents.get(node)
            if isinstance(parent, ast.Attribute):
                continue
            if isinstance(parent, ast.Subscript) and node is parent.value:
                continue
            if isinstance(parent, ast.Call) and node is parent.func:
                continue
            if self.source.of(node) not in self._no_values:
                found.append(node)
        return found

    @cached_property
    def factors(self) -> list[ast.expr]:
        """The factors of products in the statement."""
        return [
            side
            for node in self.expressions
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)
            for side in (node.left, node.right)
        ]

    def is_index(self, node: ast.expr) -> bool:
        """Whether ``node`` chooses an element, and so is a whole number."""
        inner: ast.AST = node
        for around in self.source.around(node):
            if isinstance(around, ast.Subscript) and inner is around.slice:
                return True
            if isinstance(around, ast.stmt | ast.Call):
                return False
            inner = around
        return False

    def without_two(self) -> Iterator[tuple[ast.expr, str]]:
        """Products of three factors or more, each with the source of all but its last two."""
        for node in self.expressions:
            match node:
                case ast.BinOp(op=ast.Mult(), left=ast.BinOp(op=ast.Mult()) as left):
                    yield node, self.source.sides(left)[0]

    @cached_property
    def arrays(self) -> list[ast.expr]:
        """Where a factor can be added: the whole value, operands of matrix products, and terms."""
        found = [self.value] if self.value is not None else []
        for node in self.expressions:
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                found += [node.left, node.right]
            elif isinstance(node, ast.Call) and self.is_product(node):
                found += node.args
                if isinstance(node.func, ast.Attribute) and len(node.args) == 1:
                    found.append(node.func.value)
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
                found += [node.left, node.right]
            elif isinstance(node, ast.Call):
                found += node.args[:1]
            elif isinstance(node, ast.Tuple | ast.List) and not self.is_index(node):
                found += node.elts
        found = [each for each in found if not isinstance(each, ast.Constant | ast.Starred)]
        return [each for each in found if not self.is_index(each)]

    def is_product(self, call: ast.Call) -> bool:
        """Whether ``call`` is a matrix or outer product."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else self.source.of(call.func)
        return name in ("dot", "matmul", "outer", "inner", "matrix_multiply")

    # Making proposals.

    def replacing(self, node: Placed, text: str, cost: float) -> Iterator[Proposal]:
        """The proposal that puts the expression ``text`` in place of ``node``."""
        try:
            yield self.editing([self.source.replacing(node, text)], cost)
        except (SyntaxError, ValueError):
            return

    def editing(self, edits: list[Edit], cost: float) -> Proposal:
        """The proposal that makes ``edits``."""
        return Proposal(self.source.file, tuple(edits), cost)

    def times(self, node: ast.expr, factor: str, cost: float) -> Iterator[Proposal]:
        """The proposal that multiplies ``node`` by the expression ``factor``, entry by entry."""
        yield from self.replacing(node, self.product(self.source.of(node), factor), cost)

    def product(self, left: str, right: str) -> str:
        """The product of two expressions, entry by entry, as written."""
        if self.has_matrices:
            return f"{self.numpy}.multiply({unbracketed(left)}, {unbracketed(right)})"
        return f"{bracketed(left, PRODUCT)} * {bracketed(right, PRODUCT)}"

    @property
    def is_scalar(self) -> bool:
        """Whether the statement computes a single number."""
        shapes = [self.shape(self.source.of(each)) for each in self.targets]
        return bool(shapes) and all(each == () for each in shapes)

    def shape_of(self, node: ast.expr) -> tuple[int, ...] | None:
        """The shape of an expression of the statement, where it is known and one."""
        found = self.shape(self.source.of(node))
        if found is None and node is self.value and self.targets:
            return self.shape(self.source.of(self.targets[0]))
        return found
