"""Keys: bindings of the actions of a screen or panel, and of what only another panel can do."""

import re
from collections import Counter

from textual.binding import Binding, BindingType

from nntui.tui.actions import (
    BRANCHES,
    HEATMAP,
    NETWORK,
    OUTPUT,
    PLOT,
    TIMELINE,
    WHY,
    Action,
    fill_keys,
)


def bindings(actions: tuple[Action, ...], through: str = "") -> list[BindingType]:
    """A screen's or a panel's bindings for ``actions``; what a list does on Enter is left out.

    ``through`` names the action that does them all, given the name; without it each is its own.
    """
    names = {each.name: f"{through}({each.name!r})" if through else each.name for each in actions}
    return [
        Binding(
            action.keys,
            "app.quit" if action.name == "quit" else names[action.name],
            action.label,
            tooltip=action.help,
            id=re.sub(r"\W", "-", action.name),
            show=False,
        )
        for action in actions
        if action.name not in ("open", "select")
    ]


OPENED_BY = {"why": ("the Why panel", WHY), "branches": ("the branches", BRANCHES)}
"""By the action that leads to a panel: what it is called, and the keys that it has of its own."""


def bindings_elsewhere(actions: tuple[Action, ...], *openers: str) -> list[BindingType]:
    """Bindings of a screen with ``actions`` for keys that only one panel has, to say where that is.

    ``openers`` lead to such panels, as in `OPENED_BY`; see `told_elsewhere`.
    """
    panels = (TIMELINE, PLOT, OUTPUT, HEATMAP, NETWORK, WHY, BRANCHES)
    meant = Counter(key for each in (actions, *panels) for x in each for key in x.keys.split(","))
    return [
        Binding(key, f"elsewhere({opener!r}, {action.name!r})", show=False)
        for opener in openers
        for action in OPENED_BY[opener][1]
        for key in action.keys.split(",")
        if meant[key] == 1
    ]


def told_elsewhere(opener: str, name: str, *, shown: bool) -> str:
    """That the action called ``name`` is for the panel to which ``opener`` leads.

    Where that is ``shown`` already, the focus goes round to it.
    """
    panel, actions = OPENED_BY[opener]
    action = next(each for each in actions if each.name == name)
    leads = "next_panel" if shown else opener
    return fill_keys(f"{action.key} ({action.label}) is for {panel}: {{{leads}}} leads there")
