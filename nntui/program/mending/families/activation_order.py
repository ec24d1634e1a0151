"""Puts what is added behind an activation inside it."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.site import Site

FORWARD = 2.0
"""What a change of the forward pass costs: the update, not the network, is what is at fault."""


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    for node in site.expressions:
        match node:
            case ast.BinOp(op=ast.Add(), left=ast.Call(args=[given], keywords=[]) as call):
                added = site.source.sides(node)[1]
                inner = f"{site.source.of(given)} + {added}"
                yield from site.replacing(node, f"{site.source.of(call.func)}({inner})", FORWARD)
