"""Operators on matrix products, transposes, axes and sums."""

import ast
from collections.abc import Iterator

from nntui.bench.programs.mutating.mutation import Mutation, Source, called


def transposed(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A transpose that is forgotten, or one too many."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield source.replaced("transposed", node, source.operand(node.value))
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "transpose"
        and not node.args
    ):
        yield source.replaced("transposed", node, source.operand(node.func.value))
    for operand in product(node):
        shape = source.shape(operand)
        if shape and len(shape) == 2 and shape[0] == shape[1]:
            yield source.replaced("transposed", operand, f"{source.operand(operand)}.T")


def elementwise(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """An elementwise product for a matrix product, a scalar product for an outer one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield source.between("elementwise", node.left, node.right, "*")
    elif isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        if called(node) in ("dot", "matmul"):
            left, right = (source.operand(each) for each in node.args)
            yield source.replaced("elementwise", node, f"({left} * {right})")
        elif called(node) in ("outer", "multiply") and isinstance(node.func, ast.Attribute):
            module = source.text(node.func.value)
            yield source.replaced("elementwise", node.func, f"{module}.dot")
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "dot"
        and len(node.args) == 1
    ):
        left, right = source.operand(node.func.value), source.operand(node.args[0])
        yield source.replaced("elementwise", node, f"({left} * {right})")


def axis_changed(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Another axis, or its length not kept."""
    if not isinstance(node, ast.Call):
        return
    for word in node.keywords:
        value = word.value
        if word.arg == "axis" and isinstance(value, ast.Constant) and value.value in (0, 1):
            yield source.replaced("axis-changed", value, str(1 - value.value))
        if word.arg == "keepdims" and isinstance(value, ast.Constant) and value.value is True:
            yield source.replaced("axis-changed", value, "False")
    if called(node) in ("sum", "mean") and len(node.args) == 1:
        value = node.args[0]
        if isinstance(value, ast.Constant) and value.value in (0, 1):
            yield source.replaced("axis-changed", value, str(1 - value.value))


def sum_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A sum over samples that is forgotten, is a mean, or goes over everything."""
    if not isinstance(node, ast.Call) or called(node) not in ("sum", "mean"):
        return
    if not isinstance(node.func, ast.Attribute):
        return
    of_module = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
    if of_module and node.args:
        inner: ast.expr = node.args[0]
    elif not of_module:
        inner = node.func.value
    else:
        return
    yield source.replaced("sum-left-out", node, source.operand(inner))
    if node.keywords or (node.args and not of_module):
        function = f"{source.text(node.func)}({source.text(inner) if of_module else ''})"
        yield source.replaced("sum-left-out", node, function)
    if called(node) == "sum":
        text = source.text(node.func).removesuffix("sum") + "mean"
        yield source.replaced("mean-for-sum", node.func, text)


def product(node: ast.AST) -> tuple[ast.expr, ...]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return (node.left, node.right)
    if isinstance(node, ast.Call) and called(node) in ("dot", "matmul"):
        return tuple(node.args)
    return ()
