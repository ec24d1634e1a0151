"""Puts the probes of the judge into the source of a program."""

import ast
from typing import Any


class Probes(ast.NodeTransformer):
    """Puts the calls of the judge into the program; line numbers stay."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.op, ast.Mod)
            and isinstance(node.left, ast.Constant)
            and isinstance(node.left.value, str)
        ):
            function = ast.parse("_judge.percent", mode="eval").body
            return ast.Call(function, [node.left, node.right], [])
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                setattr(node, field, [new for old in block for new in self._around(old)])
        if getattr(node, "lineno", None) == self.request["loop"] and isinstance(
            node, ast.For | ast.While | ast.FunctionDef
        ):
            node.body = [*self._start(), *node.body]
        return node

    def _around(self, statement: ast.stmt) -> list[ast.stmt]:
        before: list[ast.stmt] = []
        loss, gradients = self.request["loss"], self.request.get("gradients")
        if gradients and statement.lineno == gradients["line"]:
            items = ", ".join(f"{k!r}: {v}" for k, v in gradients["expressions"].items())
            before += ast.parse(f"_judge.handed({{{items}}})").body
        if statement.lineno == loss["line"]:
            values = ", ".join([loss["expression"], *self.request["also"]])
            before += ast.parse(f"_judge.loss({values})").body
        return [*before, statement]

    def _start(self) -> list[ast.stmt]:
        lines, items = [], []
        for name, access in self.request["parameters"].items():
            get = access if isinstance(access, str) else access["get"]
            items.append(f"{name!r}: {get}")
            if isinstance(access, str):
                lines.append(f"{access} = _judge.put({name!r}, {access})")
            else:
                lines.append(f"VALUE = _judge.put({name!r}, {get})\n{access['set']}")
        return ast.parse("\n".join([f"_judge.begin({{{', '.join(items)}}})", *lines])).body
