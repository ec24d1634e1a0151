"""Writes the update of a parameter that has none, after the pattern of another one's."""

import re
from collections.abc import Iterator

from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.site import Site

CODES = ("never-updated",)
MOST_NAMES = 16


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``, which is the update of another parameter."""
    if site.wanted.code not in CODES or not site.targets:
        return
    lines = site.source.lines_of(site.statement)
    if lines is None:
        return
    line = site.source.text[lines[0] : lines[1]].partition("#")[0].rstrip()
    target = site.source.of(site.targets[0])
    for parameter in site.wanted.parameters:
        own = _as_written(target, parameter)
        if not own or own == target:
            continue
        for text, cost in _like(site, line, target, own):
            yield site.editing(site.source.inserting(site.statement, behind=f"{text}\n"), cost)


def _as_written(target: str, parameter: str) -> str:
    """The live name ``parameter``, such as ``net.b1`` or ``step:b1``, as ``target`` is written."""
    plain = parameter.rpartition(":")[2]
    head, dot, _ = target.rpartition(".")
    return f"{head}.{plain.rpartition('.')[2]}" if dot else plain


def _like(site: Site, line: str, target: str, own: str) -> Iterator[tuple[str, float]]:
    one, other = _last(target), _last(own)
    renamed = re.sub(rf"(?<![A-Za-z])(d|grad_|g|delta_|nabla_)?{re.escape(one)}(?!\w)",
                     lambda match: (match.group(1) or "") + other, line)  # fmt: skip
    if renamed != line:
        yield renamed, 0.0
    numbers = re.findall(r"\d+", one), re.findall(r"\d+", other)
    if len(numbers[0]) == len(numbers[1]) == 1:  # of b1 and D1 the number changes in both
        old, new = numbers[0][0], numbers[1][0]
        head, sign, tail = line.partition("=")
        counted = re.sub(rf"(?<=[A-Za-z_]){old}(?!\w)", new, tail)
        yield head.replace(target, own) + sign + counted, 0.1
    for operand in site.operands:
        text = site.source.of(operand)
        if text == target:
            continue
        for at, name in enumerate(site.names[:MOST_NAMES]):
            for way in (
                "",
                ".sum(axis=0)",
                ".sum(axis=1, keepdims=True)",
                ".sum(axis=0, keepdims=True)",
            ):
                swapped = line.replace(target, own).replace(text, name + way)
                yield swapped, 0.5 + 0.03 * at
    value = site.value
    if value is None:
        return
    for operand in site.arrays:
        text = site.source.of(operand)
        if text not in line:
            continue
        for at, name in enumerate(site.names[:MOST_NAMES]):
            for way in ("", ".sum(axis=0)", ".sum(axis=1, keepdims=True)", ".sum()"):
                yield line.replace(text, name + way).replace(target, own), 0.8 + 0.03 * at


def _last(text: str) -> str:
    found = re.findall(r"\w+", text)
    return found[-1] if found else text
