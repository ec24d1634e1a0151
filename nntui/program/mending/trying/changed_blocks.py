"""One program that contains many changes of itself, each behind a switch of its own.

A change is a run of statements of one block in place of others.  The blocks of several changes are
written once as ``if _nn_change_1: ... elif _nn_change_2: ... else: what stands there``; a fork of
the running program sets one of the switches, and so goes on as if its source had been changed.
"""

import ast
import builtins
import copy
from dataclasses import dataclass, field

from nntui.program.control.execution import Execution
from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.source_text import BLOCKS, FUNCTIONS, Edit, SourceText, edited

Step = tuple[str, int]
Path = tuple[Step, ...]
"""From the module to a block: (block, index) of each statement on the way, then (block, -1)."""


@dataclass(frozen=True)
class Change:
    """The statements from ``start`` up to ``stop`` of the block at ``path`` become ``new``."""

    file: str
    path: Path
    start: int
    stop: int
    new: tuple[ast.stmt, ...]


def change_of(source: SourceText, proposal: Proposal) -> Change | None:
    """``proposal`` as a change of the smallest run of whole lines; None where it is no Python."""
    low = min(each.start for each in proposal.edits)
    high = max(max(each.end for each in proposal.edits), low + 1)
    found: tuple[Path, int, int, int, int, str] | None = None
    path: Path = ()
    block, name = source.tree.body, "body"
    while True:
        spans = [source.lines_of(each) for each in block]
        inside = [at for at, span in enumerate(spans) if span and span[1] > low and span[0] < high]
        if not inside:
            break
        first, last = spans[inside[0]], spans[inside[-1]]
        if not first or not last or low < first[0] or high > last[1]:
            break
        if not all(spans[inside[0] : inside[-1] + 1]):
            break
        indent = source.indentation(block[inside[0]])
        found = ((*path, (name, -1)), inside[0], inside[-1] + 1, first[0], last[1], indent)
        inner = _inner(source, block[inside[0]], low, high) if len(inside) == 1 else None
        if inner is None:
            break
        path = (*path, (name, inside[0]))
        block, name = inner
    if found is None:
        return None
    path, start, stop, begin, end, indent = found
    new = _parsed(source, proposal, begin, end, indent)
    return None if new is None else Change(source.file, path, start, stop, tuple(new))


def _inner(
    source: SourceText, statement: ast.stmt, low: int, high: int
) -> tuple[list[ast.stmt], str] | None:
    """The block of ``statement`` that all of the edits are in."""
    for name in BLOCKS:
        block = getattr(statement, name, None)
        if not isinstance(block, list) or not block:
            continue
        first, last = source.lines_of(block[0]), source.lines_of(block[-1])
        if first and last and first[0] <= low and high <= last[1]:
            return block, name
    return None


def _parsed(
    source: SourceText, proposal: Proposal, begin: int, end: int, indent: str
) -> list[ast.stmt] | None:
    """The statements of the lines from ``begin`` to ``end`` with the edits made."""
    edits = [Edit(each.start - begin, each.end - begin, each.text) for each in proposal.edits]
    text = edited(source.text[begin:end], edits)
    head = "if 1:\n" if indent else ""  # a block of its own, however it is indented
    try:
        tree = ast.parse(head + text)
    except (SyntaxError, ValueError):
        return None
    body = tree.body
    if indent:
        if len(body) != 1 or not isinstance(body[0], ast.If) or body[0].orelse:
            return None
        body = body[0].body
    line = source.line_at(begin) - 1 - (1 if indent else 0)
    for statement in body:
        ast.increment_lineno(statement, line)
    return body


@dataclass
class Cluster:
    """A run of statements of one block, with what changes make of it by the number of each."""

    start: int
    stop: int
    changes: dict[int, Change] = field(default_factory=dict)


class Switched:
    """Changes that fit into one program."""

    def __init__(self) -> None:
        self.clusters: dict[tuple[str, Path], list[Cluster]] = {}
        self.count = 0

    def add(self, change: Change, number: int) -> bool:
        """Add a change; False where it does not fit, because one is within another's lines."""
        key = (change.file, change.path)
        merged = Cluster(change.start, change.stop, {number: change})
        rest = []
        for cluster in self.clusters.get(key, []):
            if cluster.start < merged.stop and merged.start < cluster.stop:
                merged.start = min(merged.start, cluster.start)
                merged.stop = max(merged.stop, cluster.stop)
                merged.changes.update(cluster.changes)
            else:
                rest.append(cluster)
        for (file, path), clusters in self.clusters.items():
            if file != change.file or path == change.path:
                continue
            if _holds(change.path, merged, path):
                return False
            if any(_holds(path, each, change.path) for each in clusters):
                return False
        self.clusters[key] = [*rest, merged]
        self.count += 1
        return True

    def rewrite(self, file: str, tree: ast.Module) -> None:
        """Put the changes of ``file`` into its ``tree``."""
        places = [
            (_block(tree, path), clusters)
            for (own, path), clusters in self.clusters.items()
            if own == file
        ]
        for block, clusters in places:
            for cluster in sorted(clusters, key=lambda each: -each.start):
                block[cluster.start : cluster.stop] = [_choice(block, cluster)]


def _holds(outer: Path, cluster: Cluster, inner: Path) -> bool:
    """Whether the block ``inner`` is within the statements of ``cluster``."""
    depth = len(outer) - 1
    if len(inner) <= depth + 1 or inner[:depth] != outer[:depth]:
        return False
    name, at = inner[depth]
    return name == outer[-1][0] and cluster.start <= at < cluster.stop


def _block(tree: ast.Module, path: Path) -> list[ast.stmt]:
    node: ast.AST = tree
    for name, at in path[:-1]:
        node = getattr(node, name)[at]
    block: list[ast.stmt] = getattr(node, path[-1][0])
    return block


def _choice(block: list[ast.stmt], cluster: Cluster) -> ast.stmt:
    rest = block[cluster.start : cluster.stop]
    for number, change in sorted(cluster.changes.items(), reverse=True):
        before = copy.deepcopy(block[cluster.start : change.start])
        behind = copy.deepcopy(block[change.stop : cluster.stop])
        body = [*before, *copy.deepcopy(change.new), *behind]
        test = ast.Name(switch(number), ast.Load())
        node = ast.If(test, body or [ast.Pass()], rest)
        ast.copy_location(node, block[cluster.start])
        rest = [node]
    return ast.fix_missing_locations(rest[0])


def switch(number: int) -> str:
    """The name, among the builtins, that turns the change ``number`` on."""
    return f"_nn_change_{number}"


def turn(number: int, on: bool) -> None:
    """Turn the change ``number`` on or off, in this process."""
    vars(builtins)[switch(number)] = on


class SwitchedExecution(Execution):
    """An execution of the program with all of the changes in it."""

    switched = Switched()

    def rewrite(self, file: str, tree: ast.Module) -> None:
        """See `Execution.rewrite`."""
        self.switched.rewrite(file, tree)


def makes_locals(source: SourceText, change: Change) -> bool:
    """Whether a change assigns a variable that its function so far only reads from outside."""
    function = _function(source.tree, change.path)
    if function is None:
        return False
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    read = {node.id for node in names}
    new = {
        node.id
        for each in change.new
        for node in ast.walk(each)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return bool((new - own) & read)


def _function(tree: ast.Module, path: Path) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function on the way to a block."""
    node: ast.AST = tree
    found: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    for name, at in path[:-1]:
        node = getattr(node, name)[at]
        if isinstance(node, FUNCTIONS):
            found = node
    return found


def line_range(source: SourceText, change: Change) -> tuple[int, int]:
    """The first and the last line of what a change replaces."""
    block = _block(source.tree, change.path)
    last = block[change.stop - 1]
    return block[change.start].lineno, last.end_lineno or last.lineno


def function_line(source: SourceText, change: Change) -> int:
    """The line of the function that a change is in; 0 for the module."""
    function = _function(source.tree, change.path)
    return 0 if function is None else function.lineno
