"""Moves statements: an update behind the last use of the old value, or a use before the update."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.site import Site
from nntui.program.mending.source.source_text import Edit, whole_lines

CODES = ("update-before-backprop",)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FARTHEST = 8
"""Statements that one is moved across."""
SHORT = 6
"""Statements of a function in which a wrong order is likelier."""


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    usual = 0.0 if site.wanted.code in CODES else 0.3
    around = [site.statement, *site.source.around(site.statement)]
    for depth, statement in enumerate(each for each in around if isinstance(each, ast.stmt)):
        parent = site.source.parents[statement]
        if isinstance(statement, DEFINITIONS) or isinstance(parent, ast.Module):
            return
        block = site.source.block_of(statement)
        at = block.index(statement)
        more = usual + 0.1 * depth
        yield from _updates_behind(site, block, at, more)
        yield from _returned_early(site, block, at, more)
        is_short = isinstance(parent, ast.FunctionDef) and len(block) <= SHORT
        yield from _moved(site, block, at, more + (0.6 if is_short else 1.4) + 0.6 * depth)


def _updates_behind(site: Site, block: list[ast.stmt], at: int, usual: float) -> Iterator[Proposal]:
    """The updates before the statement of what it reads move behind its last use."""
    read = _read(site, block[at])
    updates = [each for each in block[:at] if _is_update(site, each, read)]
    if not updates or isinstance(block[at], ast.Return):
        return
    one_by_one = [[each] for each in reversed(updates)] if len(updates) > 1 else []
    for more, moved in enumerate([*one_by_one, updates]):
        changed = set().union(*(_changed(site, each) for each in moved))
        last = max(
            place
            for place in range(at, len(block))
            if place == at or (_read(site, block[place]) & changed and not _ends(block[place]))
        )
        for behind in dict.fromkeys((at, last)):
            edits = _moving(site, moved, block[behind])
            if edits:
                yield site.editing(edits, usual + 0.1 * (behind != at) + 0.05 * more)


def _returned_early(site: Site, block: list[ast.stmt], at: int, usual: float) -> Iterator[Proposal]:
    """What is returned is computed before the update of what it reads."""
    statement = block[at]
    if not isinstance(statement, ast.Return) or statement.value is None:
        return
    read = _read(site, statement)
    updates = [each for each in block[:at] if _is_update(site, each, read)]
    if not updates:
        return
    taken = {each.id for each in ast.walk(site.function) if isinstance(each, ast.Name)}
    name = next(each for each in ("upstream", "passed_on", "handed_back") if each not in taken)
    for more, update in enumerate(reversed(updates)):
        indent = site.source.indentation(update)
        new = f"{indent}{name} = {site.source.of(statement.value)}\n"
        before = site.source.inserting(update, before=new)
        if before:
            edits = [*before, Edit(*site.source.span(statement.value), name)]
            yield site.editing(edits, usual + 0.05 * more)


def _moved(site: Site, block: list[ast.stmt], at: int, usual: float) -> Iterator[Proposal]:
    """The statement moves up or down by a few statements."""
    for place in range(max(0, at - FARTHEST), min(len(block), at + FARTHEST + 1)):
        if place == at or _ends(block[at]) or (place > at and _ends(block[place])):
            continue
        cost = usual + 0.1 * abs(place - at)
        if place > at:
            edits = _moving(site, [block[at]], block[place])
        else:
            edits = _moving_up(site, block[at], block[place])
        if edits:
            yield site.editing(edits, cost)


def _moving(site: Site, statements: list[ast.stmt], behind: ast.stmt) -> list[Edit]:
    """The edits that move ``statements`` behind another one of their block."""
    source = site.source
    moved = "".join(_lines(site, each) for each in statements)
    edits = [source.inserting(each, removing=True) for each in statements]
    edits.append(source.inserting(behind, behind=moved))
    return [each for edit in edits for each in edit] if all(edits) else []


def _moving_up(site: Site, statement: ast.stmt, before: ast.stmt) -> list[Edit]:
    own = site.source.inserting(statement, removing=True)
    other = site.source.inserting(before, before=_lines(site, statement))
    return [*own, *other] if own and other else []


def _lines(site: Site, statement: ast.stmt) -> str:
    span = site.source.lines_of(statement)
    return "" if span is None else whole_lines(site.source.text[span[0] : span[1]])


def _read(site: Site, statement: ast.stmt) -> set[str]:
    """The names, attributes and elements that a statement reads, as written."""
    return {
        site.source.of(node)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        and isinstance(node.ctx, ast.Load)
    }


def _changed(site: Site, statement: ast.stmt) -> set[str]:
    """What a statement, or one within it, assigns to, as written."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign):
            found |= {site.source.of(each) for each in node.targets}
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            found.add(site.source.of(node.target))
    return found


def _is_update(site: Site, statement: ast.stmt, read: set[str]) -> bool:
    """Whether a statement changes what is ``read`` by adding to it."""
    changed = _changed(site, statement) & read
    return bool(changed & (_read(site, statement) | _added_to(site, statement)))


def _added_to(site: Site, statement: ast.stmt) -> set[str]:
    return {
        site.source.of(node.target)
        for node in ast.walk(statement)
        if isinstance(node, ast.AugAssign)
    }


def _ends(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break)
