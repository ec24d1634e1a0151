"""A preset's formula as a NumPy expression of the array x.

Python's own numbers are not those of the formula: whole numbers would grow without bound, and a
division by 0 would be an error.  So numbers apart from x become NumPy's where it matters.
"""

import ast

from nntui.core.parts.formula import FUNCTIONS

_CONSTANTS = ("pi", "e")


def numpy_formula(text: str) -> str:
    """``text``, a formula that core has checked, as NumPy evaluates it; an array like x."""
    body = ast.parse(text.strip(), mode="eval").body
    written = ast.unparse(_converted(body))
    return written if _has_x(body) else f"np.full_like(x, {written})"


def _has_x(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "x" for each in ast.walk(node))


def _converted(node: ast.expr) -> ast.expr:
    match node:
        case ast.Constant(value=int() | float() as value):
            return ast.Constant(float(value))
        case ast.Name(id=name) if name in _CONSTANTS:
            return _of_numpy(name)
        case ast.BinOp(left=left, op=op, right=right):
            return ast.BinOp(_operand(left, op, right), op, _operand(right, op, left))
        case ast.UnaryOp(op=op, operand=operand):
            return ast.UnaryOp(op, _converted(operand))
        case ast.Call(func=ast.Name(id=name), args=[argument]) if name in FUNCTIONS:
            return ast.Call(_of_numpy(name), [_converted(argument)], [])
    return node


def _operand(node: ast.expr, op: ast.operator, other: ast.expr) -> ast.expr:
    match node:
        case ast.Constant(value=int() as value) if _has_x(other) and abs(value) < 10**9:
            return ast.Constant(value)  # the array decides what it becomes
        case ast.Constant(value=int() | float() as value) if not _has_x(other) and isinstance(
            op, ast.Div | ast.Pow
        ):
            return ast.Call(_of_numpy("float64"), [ast.Constant(float(value))], [])
    return _converted(node)


def _of_numpy(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("np"), name)
