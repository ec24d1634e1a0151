"""Keeps numbers finite: a logarithm away from 0, exp within what a float can hold."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.site import ATOM, Site
from nntui.program.mending.source.source_text import bracketed

CODES = ("not-finite",)
HIGHEST = 500
"""exp(709) is the largest that a float holds."""


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    if site.wanted.code not in CODES or not site.numpy:
        return
    for node in site.expressions:
        if not isinstance(node, ast.Call) or not node.args:
            continue
        function, given = site.source.of(node.func), node.args[0]
        text = site.source.of(given)
        if function == f"{site.numpy}.log":
            yield from site.replacing(given, f"{site.numpy}.clip({text}, 1e-12, 1.0)", 0.0)
            yield from site.replacing(given, f"{site.numpy}.maximum({text}, 1e-12)", 0.1)
            yield from site.replacing(given, f"{bracketed(text, 11)} + 1e-12", 0.2)
        elif function == f"{site.numpy}.exp":
            least = bracketed(text, ATOM)
            largest = f"{least}.max(axis=1, keepdims=True)"
            yield from site.replacing(given, f"{bracketed(text, 10)} - {largest}", 0.0)
            largest = f"{least}.max(axis=0, keepdims=True)"
            yield from site.replacing(given, f"{bracketed(text, 10)} - {largest}", 0.1)
            yield from site.replacing(given, f"{bracketed(text, 10)} - {least}.max()", 0.2)
            clipped = f"{site.numpy}.clip({text}, -{HIGHEST}, {HIGHEST})"
            yield from site.replacing(given, clipped, 0.3)
