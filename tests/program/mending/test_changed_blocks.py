"""Many changes in one program: each switch makes of it what its change makes of the source."""

import ast
import copy
import math
from pathlib import Path

import pytest

from nntui.program.mending.families.all_families import proposals
from nntui.program.mending.source.beforehand import Facts, Wanted
from nntui.program.mending.source.proposal import Cheapest, Proposal
from nntui.program.mending.source.site import Site
from nntui.program.mending.source.source_text import Edit, SourceText
from nntui.program.mending.trying.changed_blocks import (
    Switched,
    change_of,
    makes_locals,
    switch,
    turn,
)

PROGRAMS = Path(__file__).parents[2] / "programs"
CODES = ("gradient", "derivative-missing", "update-before-backprop", "shape-grows", "wrong-sign")


class Chosen(ast.NodeTransformer):
    """Leaves of every switch what is run when the change ``number`` alone is on."""

    def __init__(self, number: int | None) -> None:
        self.name = None if number is None else switch(number)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if not isinstance(node.test, ast.Name) or not node.test.id.startswith(switch(0)[:-1]):
            return node
        kept = node.body if node.test.id == self.name else node.orelse
        return [each for each in kept if not isinstance(each, ast.Pass)]


def everything(source: SourceText) -> list[Proposal]:
    """All proposals for every third statement of a file."""
    cheapest = Cheapest({source.file: source})
    for at, node in enumerate(ast.walk(source.tree)):
        is_simple = isinstance(node, ast.stmt) and not hasattr(node, "body")
        if is_simple and node.lineno % 3 == 0:  # type: ignore[attr-defined]
            wanted = Wanted(CODES[at % len(CODES)])
            cheapest.add(proposals(Site(source, node, wanted, Facts())))
    return list(cheapest.up_to(math.inf))


@pytest.mark.parametrize(
    "name", ["styles/r2b_coursera.py", "documents/add_relu.py", "styles/r8b_micrograd.py"]
)
def test_a_switch_does_what_the_change_does(name: str) -> None:
    source = SourceText("net.py", (PROGRAMS / name).read_text())
    whole, tried = ast.dump(source.tree), 0
    found = everything(source)
    waiting = found[:: max(len(found) // 160, 1)]
    while waiting:
        switched, taken, left = Switched(), {}, []
        for at, proposal in enumerate(waiting):
            change = change_of(source, proposal)
            if change is None:
                with pytest.raises(SyntaxError):
                    compile(proposal.text(source), "net.py", "exec")
            elif len(taken) < 40 and switched.add(change, at):
                taken[at] = proposal
            else:
                left.append(proposal)
        tree = ast.parse(source.text)
        switched.rewrite("net.py", tree)
        compile(tree, "net.py", "exec")
        for number in (None, *list(taken)[::8]):
            chosen = ast.dump(Chosen(number).visit(copy.deepcopy(tree)))
            wanted = whole if number is None else ast.dump(ast.parse(taken[number].text(source)))
            assert chosen == wanted, number is None or taken[number]
        tried += len(taken)
        waiting = left
    assert tried > 80


def test_a_switched_program_runs_as_the_changed_one() -> None:
    source = SourceText("net.py", "def f(x):\n    y = x + 1\n    return y\nz = f(2)\n")
    at = source.text.index("+")
    change = change_of(source, Proposal("net.py", (Edit(at, at + 1, "-"),), 0.0))
    assert change is not None
    switched = Switched()
    assert switched.add(change, 7)
    tree = ast.parse(source.text)
    switched.rewrite("net.py", tree)
    code = compile(tree, "net.py", "exec")
    results = []
    for on in (False, True):
        turn(7, on)
        names: dict[str, int] = {}
        exec(code, names)
        results.append(names["z"])
    assert results == [3, 1]


def test_a_change_within_lines_that_another_replaces_does_not_fit() -> None:
    source = SourceText("net.py", "for i in x:\n    a = 1\n    b = 2\n")
    inner = change_of(source, Proposal("net.py", (Edit(20, 21, "3"),), 0.0))
    outer = change_of(source, Proposal("net.py", (Edit(9, 10, "y"),), 0.0))
    assert inner is not None
    assert outer is not None
    switched = Switched()
    assert switched.add(outer, 0)
    assert not switched.add(inner, 1)


@pytest.mark.parametrize(("new", "makes"), [("b = a", True), ("c = a", False), ("d = a", False)])
def test_a_variable_that_becomes_local_is_noticed(new: str, makes: bool) -> None:
    text = "b = 1\ndef f(a):\n    d = 2\n    return a + b + d\n"
    source = SourceText("net.py", text)
    at = text.index("    d = 2")
    change = change_of(source, Proposal("net.py", (Edit(at + 4, at + 9, new),), 0.0))
    assert change is not None
    assert makes_locals(source, change) is makes
