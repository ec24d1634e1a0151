"""The recorded copy of a program: every operation is handed to the recorder."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nntui.program.record.operations import words
from nntui.program.record.rewriting.numbering import NO_PLACE, is_literal, loop_of, place_of
from nntui.program.record.rewriting.syntax import at, call, constant, index, mangled, statement
from nntui.program.record.rewriting.training_comprehensions import is_exhausted

if TYPE_CHECKING:
    from nntui.program.record.rewriting.plain_copy import PlainCopy

SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.Mod: "%",
    ast.FloorDiv: "//",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
# They look at the frame they are called from, or have nothing to record and are called often.
NOT_RECORDED = words(
    "super locals globals vars dir eval exec isinstance issubclass type len range id hasattr"
    " callable input repr hash open __import__"
)

UNPACKING = (ast.Tuple, ast.List)
CHANGING = frozenset({"flat", "real", "imag", "T", "shape", "dtype", "strides", "data"})
"""Attributes of arrays by which their elements are written."""

DEEPEST_EXPRESSION = 400
"""Operators within operators that are recorded; the compiler gives up where calls go deeper."""


class RecordedCopy(ast.NodeTransformer):
    """Rewrites a copy of a tree in place; what it defines is written by `plain`."""

    def __init__(self, plain: PlainCopy) -> None:
        self.plain = plain
        self.depth = 0
        self.in_turns: set[ast.comprehension] = set()

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The recorded copy of a block of statements."""
        result: list[ast.stmt] = []
        for each in body:
            new = self.visit(each)
            result += new if isinstance(new, list) else [new]
        return result

    def place(self, node: ast.AST) -> ast.Constant:
        return constant(place_of(node))

    # ---- expressions

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if self.depth >= DEEPEST_EXPRESSION:
            return node
        self.depth += 1
        symbol = constant(SYMBOLS[type(node.op)])
        left, right = self._operand(node.left), self._operand(node.right)
        self.depth -= 1
        return at(call("binary", self.place(node), symbol, left, right), node)

    def _operand(self, node: ast.expr) -> Any:
        return node if is_literal(node) else self.visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if is_literal(node):
            return self._literal(node, node)
        if isinstance(node.op, ast.USub):
            return at(call("negative", self.place(node), self.visit(node.operand)), node)
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        symbol = SYMBOLS.get(type(node.ops[0]))
        left, rights = self._operand(node.left), [self._operand(each) for each in node.comparators]
        if len(node.ops) == 1 and symbol is not None:
            return at(call("binary", self.place(node), constant(symbol), left, *rights), node)
        node.left, node.comparators = left, rights
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return self._literal(node, node) if isinstance(node.value, float) else node

    def _literal(self, node: ast.expr, value: ast.expr) -> ast.AST:
        while isinstance(node, ast.UnaryOp):
            node = node.operand
        if not isinstance(node, ast.Constant) or not isinstance(node.value, float):
            return value
        return at(call("literal", value), value)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        for each in node.args:
            if isinstance(each, ast.GeneratorExp) and is_exhausted(each, node):
                self.in_turns.update(each.generators)
        arguments = [self.visit(each) for each in node.args]
        keywords = [self.visit(each) for each in node.keywords]
        if isinstance(node.func, ast.Name) and node.func.id in NOT_RECORDED:
            node.args, node.keywords = arguments, keywords
            if node.func.id in ("exec", "eval"):
                return at(call("doubted", node), node)
            return node
        function = self.visit(node.func)
        prepare = call("prepare", self.place(node), function, *arguments)
        prepare.keywords = keywords
        own = ast.Call(
            call("function"),
            [ast.Starred(call("arguments"), ast.Load())],
            [ast.keyword(None, call("keywords"))],
        )
        returned = call("returned", at(own, node))
        return at(ast.IfExp(at(prepare, node), call("value"), at(returned, node)), node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            return at(call("item", self.place(node), node.value, index(node.slice)), node)
        if isinstance(node.ctx, ast.Store):
            held = at(call("element", self.place(node), node.value, index(node.slice)), node)
            return at(ast.Attribute(held, "value", ast.Store()), node)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        node.value = call("shown", self.place(node), self.visit(node.value))
        if node.format_spec is not None:
            node.format_spec = self.visit(node.format_spec)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        node.values = [
            each if isinstance(each, ast.Constant) else self.visit(each) for each in node.values
        ]
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        node.value = at(call("bound", self.place(node), self.visit(node.value)), node.value)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        if not node.is_async:
            node.iter = self._iterated(node, node.target, node.iter)
            if loop_of(node) != NO_PLACE and self.plain.ticks(node):
                node.iter = at(call("each", constant(loop_of(node)), node.iter), node.iter)
            elif node in self.in_turns:
                node.iter = at(call("counted", self.place(node), node.iter), node.iter)
        return node

    def _in_turns(self, node: Any) -> ast.AST:
        """A comprehension that runs to its end at once is a loop as any other."""
        self.in_turns.update(node.generators)
        return self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = _in_turns

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        node.value = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            node.value = at(call("iterate", self.place(node), node.value), node.value)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return self.plain.visit(node)

    # ---- statements

    def visit_Assign(self, node: ast.Assign) -> Any:
        value = self.visit(node.value)
        if not (len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript)):
            value = at(call("bound", self.place(node), value), node.value)
        if any(isinstance(each, UNPACKING) for each in node.targets):
            value = at(call("unpacked", self.place(node), value), node.value)
        node.value = value
        node.targets = [self.visit(target) for target in node.targets]
        if any(isinstance(each, ast.Attribute) and each.attr in CHANGING for each in node.targets):
            return [node, statement(call("doubt"), node)]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = at(call("bound", self.place(node), self.visit(node.value)), node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        symbol, target = constant(SYMBOLS[type(node.op)]), node.target
        value = self._operand(node.value)
        if isinstance(target, ast.Name):
            held: ast.expr = at(ast.Name(target.id, ast.Load()), target)
            new = at(call("augment", self.place(node), symbol, held, value), node)
            return at(ast.Assign([target], new), node)
        if isinstance(target, ast.Attribute):
            name = constant(mangled(target.attr, self.plain.classes[-1]))
            held = at(call("held_attribute", self.visit(target.value), name), target)
        else:
            where = index(self.visit(target.slice))
            held = at(call("held_element", self.visit(target.value), where), target)
        method = "augment_held"
        return statement(call(method, self.place(node), symbol, held, value), node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        value: ast.expr | None = None
        if node.value is not None:
            value = at(call("bound", self.place(node), self.visit(node.value)), node.value)
        if self.plain.open_loops:
            value = self.plain.leaving(value or constant(None), node)
        node.value = value
        return node

    def visit_For(self, node: ast.For) -> Any:
        values = self.visit(node.iter)
        node.iter = self._iterated(node, node.target, values)
        node.target = self.visit(node.target)
        return self._loop(node)

    def _iterated(self, node: ast.AST, target: ast.expr, values: ast.expr) -> ast.expr:
        """What a loop runs over; its elements are taken apart where the target has parts."""
        parts = [constant(True)] if isinstance(target, UNPACKING) else []
        return at(call("iterate", self.place(node), values, *parts), values)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> Any:
        node.iter, node.target = self.visit(node.iter), self.visit(node.target)
        return self._loop(node)

    def visit_While(self, node: ast.While) -> Any:
        node.test = self.visit(node.test)
        return self._loop(node)

    def _loop(self, node: Any) -> list[ast.stmt]:
        number = loop_of(node)
        node.orelse = self.block(node.orelse)
        ticks = self.plain.ticks(node)
        if ticks:
            self.plain.open_loops.append(number)
        body = self.block(node.body)
        if ticks:
            self.plain.open_loops.pop()
        start, end = ("iteration", "left") if ticks else ("turn", "end")
        node.body = [statement(call(start, constant(number)), node), *body]
        return [node, statement(call(end, constant(number)), node)]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.type is not None:
            node.type = self.visit(node.type)
        node.body = [self.caught(node), *self.block(node.body)]
        return node

    def visit_Try(self, node: ast.Try) -> Any:
        return self._try(node)

    def visit_TryStar(self, node: ast.TryStar) -> Any:
        return self._try(node)

    def _try(self, node: Any) -> Any:
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        node.handlers = [self.visit(each) for each in node.handlers]
        if node.finalbody:
            node.finalbody = [self.caught(node), *self.block(node.finalbody)]
        return node

    def caught(self, node: ast.AST) -> ast.stmt:
        """Where an exception may have ended calls and loops."""
        return statement(call("caught", constant(loop_of(node))), node)

    def visit_With(self, node: ast.With) -> Any:
        return self._with(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> Any:
        return self._with(node)

    def _with(self, node: Any) -> list[ast.stmt]:
        for item in node.items:
            item.context_expr = self.visit(item.context_expr)
            if item.optional_vars is not None:
                item.optional_vars = self.visit(item.optional_vars)
        node.body = self.block(node.body)
        return [node, self.caught(node)]

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        if node.guard is not None:
            node.guard = self.visit(node.guard)
        node.body = self.block(node.body)
        return node

    def _defined(self, node: ast.stmt) -> Any:
        return self.plain.visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = _defined

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        """What a class does while it is defined is not recorded."""
        return [self.plain.visit(node), statement(call("doubt"), node)]

    def _declared(self, node: ast.stmt) -> ast.stmt:
        return at(ast.Pass(), node)

    visit_Global = visit_Nonlocal = _declared

    def _as_it_is(self, node: ast.AST) -> ast.AST:
        return node

    visit_TypeAlias = visit_Delete = _as_it_is
