"""All proposals for one statement."""

from collections.abc import Iterator

from nntui.program.mending.families import (
    activation_order,
    array_axes,
    matrix_sides,
    missing_updates,
    other_values,
    overflow_guards,
    sign_turns,
    slope_texts,
    statement_order,
    stray_factors,
)
from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.site import Site

FAMILIES = (
    sign_turns,
    other_values,
    matrix_sides,
    slope_texts,
    stray_factors,
    array_axes,
    statement_order,
    missing_updates,
    overflow_guards,
    activation_order,
)


def proposals(site: Site) -> Iterator[Proposal]:
    """Every change of ``site`` that some family proposes."""
    for family in FAMILIES:
        yield from family.proposals(site)
