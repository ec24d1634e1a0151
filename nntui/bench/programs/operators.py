"""One-line changes of a program, of the kinds that people make by mistake.

Each operator reads the syntax tree and proposes new text for one line (two lines that stand one
below the other, where they are exchanged).  Whether the changed program runs, and whether its
update is then wrong, is not known here: ``judging.py`` measures it.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

RATE = re.compile(r"^(n|N|lr|eta|alpha|.*rate|step_size)$")
"""How people call the learning rate."""

Shapes = Mapping[int, Mapping[str, list[int]]]
"""Per line that runs in an update: the shape of each number or array in sight, by its text."""


@dataclass(frozen=True)
class Mutation:
    """New text for some lines of one file; ``operator`` is the kind of mistake."""

    operator: str
    column: int
    lines: tuple[tuple[int, str], ...]
    """Number and new text of each changed line."""

    @property
    def line(self) -> int:
        """The first changed line."""
        return self.lines[0][0]

    def apply(self, source: str) -> str:
        """The changed program."""
        lines = source.split("\n")
        for number, text in self.lines:
            lines[number - 1] = text
        return "\n".join(lines)


class Source:
    """A file, its syntax tree, and what is known of its lines from one update."""

    def __init__(self, text: str, shapes: Shapes) -> None:
        self.lines = text.split("\n")
        self.tree = ast.parse(text)
        self.shapes = shapes
        self.functions = [
            node.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef)
            and len(node.args.args) == 1
            and node.args.args[0].arg != "self"
        ]

    def text(self, node: ast.AST) -> str:
        """The source text of a node on one line."""
        line = self.lines[node.lineno - 1].encode()  # type: ignore[attr-defined]
        return line[node.col_offset : node.end_col_offset].decode()  # type: ignore[attr-defined]

    def operand(self, node: ast.expr) -> str:
        """The text of a node, in brackets where another operator could tear it apart."""
        text = self.text(node)
        simple = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant, ast.List)
        return text if isinstance(node, simple) else f"({text})"

    def replaced(self, operator: str, node: ast.AST, text: str) -> Mutation:
        """The mutation that puts ``text`` in place of a node."""
        number, start, end = node.lineno, node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
        line = self.lines[number - 1].encode()
        return Mutation(
            operator,
            start,
            ((number, (line[:start] + text.encode() + line[end:]).decode()),),
        )

    def between(self, operator: str, left: ast.expr, right: ast.expr, symbol: str) -> Mutation:
        """The mutation of the symbol between two operands."""
        number = left.lineno
        line = self.lines[number - 1].encode()
        start, end = left.end_col_offset or 0, right.col_offset
        old = line[start:end].decode()
        return Mutation(
            operator,
            start,
            ((number, line[:start].decode() + changed_symbol(old, symbol) + line[end:].decode()),),
        )

    def shape(self, node: ast.expr) -> list[int] | None:
        """The shape of a name, attribute or key, where it is known."""
        return self.shapes.get(node.lineno, {}).get(as_key(node))


def changed_symbol(between: str, symbol: str) -> str:
    """What stands between two operands, brackets included, with another symbol."""
    old = next(s for s in ("**", "+", "-", "*", "/", "@", ">=", "<=", ">", "<") if s in between)
    return between.replace(old, symbol, 1)


def as_key(node: ast.expr) -> str:
    """The text under which the judge reports the shape of a name, attribute or key."""
    return ast.unparse(node)


Operator = Callable[[Source, ast.AST], Iterator[Mutation]]


def candidates(text: str, shapes: Shapes) -> list[Mutation]:
    """All proposed mutations of the lines that run in an update, each text once, in order."""
    source = Source(text, shapes)
    found: dict[tuple[tuple[int, str], ...], Mutation] = {}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.expr | ast.stmt) or node.lineno not in shapes:
            continue
        if node.lineno != node.end_lineno and not isinstance(node, ast.stmt):
            continue
        for operator in OPERATORS:
            for mutation in operator(source, node):
                found.setdefault(mutation.lines, mutation)
    valid = [each for each in found.values() if _compiles(each.apply(text))]
    return sorted(valid, key=lambda each: (each.line, each.column, each.operator, each.lines))


def _compiles(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _one_line(node: ast.AST) -> bool:
    return node.lineno == node.end_lineno  # type: ignore[attr-defined, no-any-return]


# -- signs and factors ----------------------------------------------------------------------


def sign(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``+`` for ``-`` or the other way round."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        if _one_line(node):
            old, new = ("+=", "-=") if isinstance(node.op, ast.Add) else ("-=", "+=")
            line = source.lines[node.lineno - 1]
            yield Mutation(
                "sign", node.col_offset, ((node.lineno, line.replace(old, new, 1)),)
            )
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        if not _is_number(node.left):
            symbol = "-" if isinstance(node.op, ast.Add) else "+"
            yield source.between("sign", node.left, node.right, symbol)


def difference_turned(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``y - x`` for ``x - y``."""
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and not _is_number(node.left)
        and not _has_rate(node.right)  # nobody turns an update round
    ):
        text = f"{source.operand(node.right)} - {source.operand(node.left)}"
        yield source.replaced("difference-turned", node, text)


def one_plus(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``1 + a`` for ``1 - a``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _is_number(node.left):
        yield source.between("one-plus", node.left, node.right, "+")


def factor_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """One factor of an elementwise product is forgotten: a slope, a mask, a delta."""
    factors: tuple[ast.expr, ...] = ()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        factors = (node.left, node.right)
    elif isinstance(node, ast.Call) and _called(node) == "multiply" and len(node.args) == 2:
        factors = (node.args[0], node.args[1])
    for kept, dropped in zip(factors, factors[::-1], strict=True):
        if not _is_number(dropped) and source.shape(dropped) != [] and not _is_rate(kept):
            yield source.replaced("factor-left-out", node, source.operand(kept))


def scaled(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Twice a value, or a division that is forgotten: a factor, no fault of direction."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield source.replaced("scaled", node, source.operand(node.left))
    if isinstance(node, ast.Assign) and _one_line(node) and isinstance(node.value, ast.BinOp):
        if isinstance(node.value.op, ast.Mult | ast.MatMult) and len(node.targets) == 1:
            yield source.replaced("scaled", node.value, f"2 * {source.text(node.value)}")


def power_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``a`` for ``a ** 2``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _is_number(node.right):
        yield source.replaced("power-left-out", node, source.operand(node.left))
    elif isinstance(node, ast.Call) and _called(node) == "power" and len(node.args) == 2:
        yield source.replaced("power-left-out", node, source.operand(node.args[0]))


# -- values ---------------------------------------------------------------------------------


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
        same_owner = not ("." in key or "[" in key) or (
            other.rpartition(".")[0] or other.partition("[")[0]
        ) == owner
        if other != key and list(its) == list(shape) and same_kind and same_owner:
            yield source.replaced("other-value", node, other)


def slope_exchanged(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """The slope of another activation: tanh, logistic, ReLU."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _is_number(node.left):
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
            and _is_number(right.left)
            and ast.unparse(right.right) == ast.unparse(node.left)
        ):
            base = source.operand(node.left)
            yield source.replaced("slope-exchanged", node, f"1 - {base} ** 2")
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and _is_number(node.comparators[0]):
        base = source.operand(node.left)
        if source.shape(node.left):
            yield source.replaced("slope-exchanged", node, f"1 - {base} ** 2")


def comparison_turned(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``<`` for ``>`` in a mask."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and source.shape(node.left):
        turned = {ast.Gt: "<", ast.Lt: ">", ast.GtE: "<", ast.LtE: ">"}.get(type(node.ops[0]))
        if turned is not None:
            yield source.between("comparison-turned", node.left, node.comparators[0], turned)


def function_exchanged(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Another function of one argument: an activation for its derivative, tanh for logistic."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        if node.func.id in source.functions:
            for other in source.functions:
                if other != node.func.id:
                    yield source.replaced("function-exchanged", node.func, other)


# -- matrices -------------------------------------------------------------------------------


def transposed(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A transpose that is forgotten, or one too many."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield source.replaced("transposed", node, source.operand(node.value))
    elif isinstance(node, ast.Call) and _called(node) == "transpose" and not node.args:
        if isinstance(node.func, ast.Attribute):
            yield source.replaced("transposed", node, source.operand(node.func.value))
    for operand in _product(node):
        shape = source.shape(operand)
        if shape and len(shape) == 2 and shape[0] == shape[1]:
            yield source.replaced("transposed", operand, f"{source.operand(operand)}.T")


def elementwise(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """An elementwise product for a matrix product, a scalar product for an outer one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield source.between("elementwise", node.left, node.right, "*")
    elif isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        if _called(node) in ("dot", "matmul"):
            left, right = (source.operand(each) for each in node.args)
            yield source.replaced("elementwise", node, f"({left} * {right})")
        elif _called(node) in ("outer", "multiply") and isinstance(node.func, ast.Attribute):
            module = source.text(node.func.value)
            yield source.replaced("elementwise", node.func, f"{module}.dot")
    elif isinstance(node, ast.Call) and _called(node) == "dot" and len(node.args) == 1:
        if isinstance(node.func, ast.Attribute):
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
    if _called(node) in ("sum", "mean") and len(node.args) == 1:
        value = node.args[0]
        if isinstance(value, ast.Constant) and value.value in (0, 1):
            yield source.replaced("axis-changed", value, str(1 - value.value))


def sum_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A sum over samples that is forgotten, is a mean, or goes over everything."""
    if not isinstance(node, ast.Call) or _called(node) not in ("sum", "mean"):
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
    if _called(node) == "sum":
        text = source.text(node.func).removesuffix("sum") + "mean"
        yield source.replaced("mean-for-sum", node.func, text)


# -- places ---------------------------------------------------------------------------------


def index_shifted(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """An index one too far or too near."""
    if not isinstance(node, ast.Subscript):
        return
    index = node.slice
    if isinstance(index, ast.BinOp) and isinstance(index.op, ast.Add | ast.Sub):
        if _is_number(index.right) and isinstance(index.right, ast.Constant):
            yield source.replaced("index-shifted", index, source.text(index.left))
            yield source.replaced("index-shifted", index.right, str(int(index.right.value) + 1))
    elif isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
        if isinstance(index.operand, ast.Constant):
            yield source.replaced("index-shifted", index, f"-{int(index.operand.value) + 1}")
        else:
            yield source.replaced("index-shifted", index, f"{source.text(index)} - 1")
    elif isinstance(index, ast.Name) and len(index.id) <= 2:
        yield source.replaced("index-shifted", index, f"{index.id} - 1")
    elif isinstance(index, ast.Constant) and type(index.value) is int:
        yield source.replaced("index-shifted", index, str(index.value + 1))


def accumulation_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``=`` for ``+=``: only the last term is kept."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and _one_line(node):
        line = source.lines[node.lineno - 1].replace("+=", "=", 1)
        yield Mutation("accumulation-left-out", node.col_offset, ((node.lineno, line),))


def update_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A statement that changes a value is commented out."""
    if not _one_line(node):
        return
    changes = isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.BinOp)
        and isinstance(node.value.op, ast.Add | ast.Sub)
        and len(node.targets) == 1
        and ast.unparse(node.value.left) == ast.unparse(node.targets[0])
    )
    line = source.lines[node.lineno - 1]  # type: ignore[attr-defined]
    if changes and ";" not in line:
        indent = line[: len(line) - len(line.lstrip())]
        text = f"{indent}# {line.lstrip()}"
        if _alone(source.tree, node):
            text = f"{indent}pass  # {line.lstrip()}"
        yield Mutation("update-left-out", 0, ((node.lineno, text),))  # type: ignore[attr-defined]


def lines_exchanged(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Two statements that stand one below the other change places."""
    for block in (getattr(node, "body", None), getattr(node, "orelse", None)):
        if isinstance(block, list):
            yield from _exchanged(source, block)


def _exchanged(source: Source, block: list[ast.stmt]) -> Iterator[Mutation]:
    simple = (ast.Assign, ast.AugAssign, ast.Expr)
    for first, second in zip(block, block[1:], strict=False):
        if (
            isinstance(first, simple)
            and isinstance(second, simple)
            and _one_line(first)
            and _one_line(second)
            and first.lineno in source.shapes
            and second.lineno in source.shapes
            and second.lineno - first.lineno == 1
            and first.col_offset == second.col_offset
        ):
            upper, lower = source.lines[first.lineno - 1], source.lines[second.lineno - 1]
            yield Mutation(
                "lines-exchanged", 0, ((first.lineno, lower), (second.lineno, upper))
            )


OPERATORS: tuple[Operator, ...] = (
    sign,
    difference_turned,
    one_plus,
    factor_left_out,
    scaled,
    power_left_out,
    other_value,
    slope_exchanged,
    comparison_turned,
    function_exchanged,
    transposed,
    elementwise,
    axis_changed,
    sum_left_out,
    index_shifted,
    accumulation_left_out,
    update_left_out,
    lines_exchanged,
)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _is_rate(node: ast.expr) -> bool:
    """Whether a name or attribute is called like a learning rate."""
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return bool(RATE.search(name))


def _has_rate(node: ast.expr) -> bool:
    return any(isinstance(each, ast.expr) and _is_rate(each) for each in ast.walk(node))


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _product(node: ast.AST) -> tuple[ast.expr, ...]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return (node.left, node.right)
    if isinstance(node, ast.Call) and _called(node) in ("dot", "matmul"):
        return tuple(node.args)
    return ()


def _alone(tree: ast.AST, statement: ast.AST) -> bool:
    return any(
        getattr(node, field, None) == [statement]
        for node in ast.walk(tree)
        for field in ("body", "orelse")
    )
