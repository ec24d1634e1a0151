"""What a statement can use: the values that it can read, as written, and what is known of them."""

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeGuard

from nntui.program.mending.source.beforehand import Facts, plain, shape_keys
from nntui.program.mending.source.source_text import FUNCTIONS, SourceText

SLOPE_NAME = re.compile(r"deriv|prime|grad|slope|_d$|^d[_A-Za-z]|back|delta", re.IGNORECASE)
"""How programs call the function that gives a slope."""
UNKNOWN, NEARLY, OTHER, NEXT = 0.3, 0.5, 1.2, 0.01
"""What a value costs by its shape: unknown, transposed or with other brackets, another one."""
MOST_VALUES = 16
NO_VALUES = (".shape", ".size", ".T", ".dtype", ".ndim")


class Scope:
    """The surroundings of a statement."""

    def __init__(self, source: SourceText, statement: ast.stmt, facts: Facts) -> None:
        self.source, self.statement, self.facts = source, statement, facts

    @property
    def targets(self) -> list[ast.expr]:
        """What the statement assigns to."""
        match self.statement:
            case ast.Assign():
                return self.statement.targets
            case ast.AugAssign() | ast.AnnAssign():
                return [self.statement.target]
        return []

    @cached_property
    def function(self) -> ast.AST:
        """The function around the statement, or the module."""
        return self.source.function_of(self.statement)

    @cached_property
    def names(self) -> list[str]:
        """Values that the statement can read, as written, those nearest to it first."""
        found: dict[str, None] = {}
        line = self.statement.lineno
        near = sorted(
            (each for each in _values(self.function) if each.lineno <= line),
            key=lambda each: (line - each.lineno, each.col_offset),
        )
        later = [each for each in _values(self.function) if each.lineno > line]
        for node in [*near, *later]:
            if not self._is_bound_inside(node):
                found.setdefault(self.source.of(node))
        arguments = getattr(self.function, "args", None)
        if isinstance(arguments, ast.arguments):
            for each in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
                if each.arg not in ("self", "cls"):
                    found.setdefault(each.arg)
        for around in self.source.around(self.function):
            found.update(dict.fromkeys(self._of(around)))
        own = {self.source.of(each) for each in self.targets if isinstance(each, ast.Name)}
        is_loop = any(
            isinstance(each, ast.For | ast.While) for each in self.source.around(self.statement)
        )
        return [
            each
            for each in found
            if each not in self._no_values
            and not each.endswith(NO_VALUES)
            and ".shape[" not in each
            and "\n" not in each
            and (each not in own or is_loop)
        ]

    def values_for(self, shape: tuple[int, ...] | None) -> list[tuple[str, float]]:
        """Values to use where one of ``shape`` is, with what each costs, the likelier first."""
        found = []
        for at, name in enumerate(self.names):
            own = self.shape(name)
            if own is None or shape is None:
                cost = UNKNOWN
            elif own == shape:
                cost = 0.0
            elif own == shape[::-1] or _squeezed(own) == _squeezed(shape):
                cost = NEARLY
            else:
                cost = OTHER
            found.append((name, cost + NEXT * at))
        return sorted(found, key=lambda each: each[1])[:MOST_VALUES]

    def _of(self, around: ast.AST) -> Iterator[str]:
        """Values of a class, module or outer function around that of the statement."""
        match around:
            case ast.ClassDef():
                for node in _values(around, inside=True):
                    text = self.source.of(node)
                    if re.fullmatch(r"self\.\w+", text):
                        yield text
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from (self.source.of(node) for node in _values(around))
                yield from (each.arg for each in around.args.args if each.arg != "self")
            case ast.Module():
                for node in _values(around):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        yield node.id

    def _is_bound_inside(self, node: ast.AST) -> bool:
        """Whether ``node`` uses a variable of a comprehension or lambda that it stands in."""
        used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        for around in self.source.around(node):
            if isinstance(around, ast.stmt):
                return False
            bound: set[str] = set()
            if isinstance(around, ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp):
                for part in around.generators:
                    bound |= {e.id for e in ast.walk(part.target) if isinstance(e, ast.Name)}
            elif isinstance(around, ast.Lambda):
                bound = {each.arg for each in around.args.args}
            if bound & used and self.statement not in self.source.around(node):
                return True
        return False

    @cached_property
    def _no_values(self) -> set[str]:
        """Names of modules, functions, classes, of what was imported, and of lists that grow."""
        found = {"self", "cls", "_", "__name__", "__file__"}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Attribute) and node.attr in ("append", "insert", "extend"):
                found.add(self.source.of(node.value))
            if isinstance(node, ast.Import | ast.ImportFrom):
                found |= {(each.asname or each.name).partition(".")[0] for each in node.names}
            elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                found.add(node.name)
        return found

    @cached_property
    def slope_functions(self) -> list[str]:
        """The program's functions of one argument that look as if they gave a slope."""
        found = []
        for node in ast.walk(self.source.tree):
            if not isinstance(node, ast.FunctionDef) or node is self.function:
                continue
            parent = self.source.parents[node]
            wanted = [each.arg for each in node.args.args]
            wanted = wanted[: len(wanted) - len(node.args.defaults)]
            if isinstance(parent, ast.ClassDef) and wanted[:1] == ["self"] and len(wanted) == 2:
                inside = parent in list(self.source.around(self.statement))
                name = f"self.{node.name}" if inside else ""
            else:
                name = node.name if isinstance(parent, ast.Module) and len(wanted) == 1 else ""
            if name and SLOPE_NAME.search(node.name):
                found.append(name)
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                found += [
                    self.source.of(each)
                    for each in node.targets
                    if SLOPE_NAME.search(self.source.of(each)) and len(node.value.args.args) == 1
                ]
        return found

    @cached_property
    def unused(self) -> set[str]:
        """Those of the slope functions that the file calls nowhere."""
        called = {
            self.source.of(node.func)
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.Call)
        }
        return set(self.slope_functions) - called

    @cached_property
    def numpy(self) -> str:
        """What the file calls NumPy; empty where it does not import it."""
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    if each.name == "numpy":
                        return each.asname or each.name
        return ""

    @cached_property
    def has_matrices(self) -> bool:
        """Whether the file uses np.matrix, for which ``*`` is the matrix product."""
        return bool(self.numpy) and any(
            isinstance(node, ast.Attribute) and node.attr in ("matrix", "mat", "asmatrix", "bmat")
            for node in ast.walk(self.source.tree)
        )

    def shape(self, text: str) -> tuple[int, ...] | None:
        """The shape of the value ``text``, where it is known and one."""
        function = self.source.function_at(self.statement.lineno)
        for key in shape_keys(self.source.file, function, plain(text)):
            known = self.facts.shapes.get(key)
            if known is not None:
                return known[0] if len(known) == 1 else None
        return None


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def is_operand(node: ast.AST) -> TypeGuard[ast.Name | ast.Attribute | ast.Subscript]:
    """Whether ``node`` is a name, or attributes and elements of one."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and node.attr == "T":
            return False
        node = node.value
    return isinstance(node, ast.Name)


def _values(function: ast.AST, inside: bool = False) -> Iterator[Any]:
    """Names, attributes and elements in ``function``, not in functions within unless ``inside``."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not inside:
            continue
        if isinstance(node, ast.arguments | ast.arg) or _is_call_name(node, function):
            continue
        if is_operand(node):
            yield node
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call):
            children = [*node.args, *(each.value for each in node.keywords)]
            if isinstance(node.func, ast.Attribute):
                children.append(node.func.value)
        waiting += children


def _is_call_name(node: ast.AST, function: ast.AST) -> bool:
    """Whether ``node`` is a decorator or a base of ``function``, and no value of it."""
    return node in getattr(function, "decorator_list", ()) or node in getattr(function, "bases", ())
