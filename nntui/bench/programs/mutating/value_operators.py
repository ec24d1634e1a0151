"""Operators on signs, factors, values and functions."""

import ast
from collections.abc import Iterator

from nntui.bench.programs.mutating.mutation import (
    Mutation,
    Source,
    as_key,
    called,
    has_rate,
    is_number,
    is_rate,
    one_line,
)


def sign(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``+`` for ``-`` or the other way round."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        if one_line(node):
            old, new = ("+=", "-=") if isinstance(node.op, ast.Add) else ("-=", "+=")
            line = source.lines[node.lineno - 1]
            yield Mutation("sign", node.col_offset, ((node.lineno, line.replace(old, new, 1)),))
    elif (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Sub)
        and not is_number(node.left)
    ):
        symbol = "-" if isinstance(node.op, ast.Add) else "+"
        yield source.between("sign", node.left, node.right, symbol)


def difference_turned(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``y - x`` for ``x - y``."""
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and not is_number(node.left)
        and not has_rate(node.right)  # nobody turns an update round
    ):
        text = f"{source.operand(node.right)} - {source.operand(node.left)}"
        yield source.replaced("difference-turned", node, text)


def one_plus(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``1 + a`` for ``1 - a``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and is_number(node.left):
        yield source.between("one-plus", node.left, node.right, "+")


def factor_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """One factor of an elementwise product is forgotten: a slope, a mask, a delta."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        factors = (node.left, node.right)
    elif isinstance(node, ast.Call) and called(node) == "multiply" and len(node.args) == 2:
        factors = (node.args[0], node.args[1])
    else:
        return
    for kept, dropped in zip(factors, factors[::-1], strict=True):
        if not is_number(dropped) and source.shape(dropped) != [] and not is_rate(kept):
            yield source.replaced("factor-left-out", node, source.operand(kept))


def scaled(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Twice a value, or a division that is forgotten: a factor, no fault of direction."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield source.replaced("scaled", node, source.operand(node.left))
    if (
        isinstance(node, ast.Assign)
        and one_line(node)
        and len(node.targets) == 1
        and isinstance(node.value, ast.BinOp)
        and isinstance(node.value.op, ast.Mult | ast.MatMult)
    ):
        yield source.replaced("scaled", node.value, f"2 * {source.text(node.value)}")


def power_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``a`` for ``a ** 2``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and is_number(node.right):
        yield source.replaced("power-left-out", node, source.operand(node.left))
    elif isinstance(node, ast.Call) and called(node) == "power" and len(node.args) == 2:
        yield source.replaced("power-left-out", node, source.operand(node.args[0]))


def other_value(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Another value of the same shape: ``z`` for ``a``, a layer's output for its input."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return
    if not isinstance(node.ctx, ast.Load):
        return
    shape = source.shape(node)
    if shape is None:
        return
    key = as_key(node)
    owner = key.rpartition(".")[0] or key.partition("[")[0]
    for other, its in source.shapes[node.lineno].items():
        same_kind = ("." in other, "[" in other) == ("." in key, "[" in key)
        same_owner = (
            not ("." in key or "[" in key)
            or (other.rpartition(".")[0] or other.partition("[")[0]) == owner
        )
        if other != key and list(its) == list(shape) and same_kind and same_owner:
            yield source.replaced("other-value", node, other)


def slope_exchanged(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """The slope of another activation: tanh, logistic, ReLU."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and is_number(node.left):
        square = node.right
        if isinstance(square, ast.BinOp) and isinstance(square.op, ast.Pow | ast.Mult):
            base = source.operand(square.left)
            yield source.replaced("slope-exchanged", node, f"{base} * (1 - {base})")
            yield source.replaced("slope-exchanged", node, f"{base} > 0")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        right = node.right
        if (
            isinstance(right, ast.BinOp)
            and isinstance(right.op, ast.Sub)
            and is_number(right.left)
            and ast.unparse(right.right) == ast.unparse(node.left)
        ):
            base = source.operand(node.left)
            yield source.replaced("slope-exchanged", node, f"1 - {base} ** 2")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for mask in (node.left, node.right):
            if (
                isinstance(mask, ast.Compare)
                and is_number(mask.comparators[0])
                and source.shape(mask.left)
            ):
                base = source.operand(mask.left)
                yield source.replaced("slope-exchanged", mask, f"1 - {base} ** 2")


def comparison_turned(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``<`` for ``>`` in a mask."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and source.shape(node.left):
        turned = {ast.Gt: "<", ast.Lt: ">", ast.GtE: "<", ast.LtE: ">"}.get(type(node.ops[0]))
        if turned is not None:
            yield source.between("comparison-turned", node.left, node.comparators[0], turned)


def function_exchanged(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Another function of one argument: an activation for its derivative, tanh for logistic."""
    if isinstance(node, ast.Call) and called(node) in source.functions and len(node.args) == 1:
        for other in source.functions:
            if other != called(node) and isinstance(node.func, ast.Name):
                yield source.replaced("function-exchanged", node.func, other)
