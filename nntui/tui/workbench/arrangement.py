"""Which panels are on the screen, in which order the focus goes round, and the keys of each."""

from dataclasses import replace

from textual.widget import Widget

from nntui.presets.preset import Story
from nntui.timeline import Run
from nntui.timeline.views.grid import WEIGHTS
from nntui.tui.actions import (
    BRANCHES,
    FILTERING,
    HEATMAP,
    NETWORK,
    OUTPUT,
    PLOT,
    TIMELINE,
    WHY,
    WORKBENCH,
    WRITING,
    Action,
)
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.editing.inputs import EntryInput, FilterInput
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.message_line import MessageLine
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.panels.why_panel import WhyPanel
from nntui.tui.workbench.sizing import Need, shared
from nntui.tui.workbench.view import WorkbenchView

PANELS: tuple[type[Widget], ...] = (
    StoryPanel,
    WhyPanel,
    LossPlot,
    Heatmap,
    Timeline,
    NetworkPanel,
    BranchesPanel,
    OutputPanel,
)
"""In the order in which the focus goes round."""
OWN_KEYS: dict[type[Widget], tuple[Action, ...]] = {
    Timeline: TIMELINE,
    Heatmap: HEATMAP,
    NetworkPanel: NETWORK,
    EntryInput: WRITING,
    FilterInput: FILTERING,
    BranchesPanel: BRANCHES,
    OutputPanel: OUTPUT,
    LossPlot: PLOT,
    WhyPanel: WHY,
}
"""The keys that a panel has of its own while it has the focus."""
CSS = """
    WorkbenchScreen #left { width: 1fr; }
    WorkbenchScreen #side { width: 43%; min-width: 28; max-width: 72; layout: vertical; }
    WorkbenchScreen #middle, WorkbenchScreen #right { width: 100%; height: auto; }
    WorkbenchScreen.-three #left { width: 4fr; }
    WorkbenchScreen.-three #side { width: 6fr; max-width: 100%; layout: horizontal; }
    WorkbenchScreen.-three #middle, WorkbenchScreen.-three #right { width: 1fr; height: 100%; }
    WorkbenchScreen .-aside, WorkbenchScreen .-squeezed { display: none !important; }
    WorkbenchScreen .-look { border: heavy $success; }
    WorkbenchScreen Timeline.-look { border: none; background: $success 30%; }
    WorkbenchScreen.-zoomed #side { width: 1fr; max-width: 100%; }
    WorkbenchScreen.-zoomed #middle, WorkbenchScreen.-zoomed #right { height: 1fr; }
"""
"""How the columns share the screen; `arrange` sets the classes, and `fit` the heights."""
SQUEEZED = "-squeezed"
"""The class of a panel that gives its room to the configuration while that is edited."""
THREE_COLUMNS = 160
"""From so many columns of the terminal on, texts and pictures have a column each."""
LOW = 12
"""Rows below which every panel has the least it can do with."""


def shown_panels(view: WorkbenchView, run: Run, *, short: bool) -> list[type[Widget]]:
    """The panels that are shown, or would be if none were zoomed; ``short`` is a low screen.

    A panel that has nothing to say takes no room.
    """
    tells, output = run.preset.story != Story(), shows_output(view, run, short=short)
    shown = {
        StoryPanel: tells and not view.why and not (short and output),
        WhyPanel: view.why,
        OutputPanel: output,
        BranchesPanel: len(run.tree.branches) > 1,
    }
    return [kind for kind in PANELS if shown.get(kind, True)]


def shows_output(view: WorkbenchView, run: Run, *, short: bool) -> bool:
    """Whether the outputs are shown: as was asked for, else where there is room for them."""
    visible, why = view.output.visible, view.why
    if visible is None:
        visible = not short or (run.preset.story == Story() and not why)
    return visible and not (short and why)


def outputs_as_remembered(run: Run, *, short: bool) -> str | None:
    """The name under which it is remembered whether the outputs are shown on such a screen.

    None where they cost the story: a look at the outputs is no wish to have no story later.
    """
    if short and run.preset.story != Story():
        return None
    return f"outputs shown {'in few rows' if short else 'where there is room'}"


def arrange(screen: Widget, view: WorkbenchView, run: Run, *, short: bool) -> None:
    """Show the panels of ``screen`` as ``view`` says."""
    zoomed, shown = view.zoomed, shown_panels(view, run, short=short)
    texts = StoryPanel in shown or WhyPanel in shown
    wide = screen.size.width >= THREE_COLUMNS
    screen.query_one(MessageLine).fit(screen.size.height)
    screen.set_class(zoomed is not None, "-zoomed")
    screen.set_class(wide and texts and zoomed is None, "-three")
    for kind in PANELS:
        panel = screen.query_one(kind)
        panel.set_class(kind is view.pointed, "-look")
        aside = kind not in shown or (zoomed is not None and kind not in (zoomed, Timeline))
        panel.set_class(aside and kind is not Timeline, "-aside")
    for name in ("#left", "#middle", "#right", "#side"):
        column = screen.query_one(name)
        column.set_class(all(each.has_class("-aside") for each in column.children), "-aside")


def fit(screen: Widget, view: WorkbenchView, *, short: bool) -> None:
    """Give every panel its rows: by what it has to say."""
    rows = screen.query_one("#columns").size.height
    if not rows:
        return  # before the first layout
    if view.zoomed is not None:
        for panel in screen.query(".-aside").results():
            panel.styles.clear_rule("height")
        screen.query_one(view.zoomed).styles.height = "1fr"
        return
    three = screen.has_class("-three")
    edited = screen.query_one(NetworkPanel).has_focus_within
    screen.query_one(OutputPanel).set_class(edited and not three, SQUEEZED)
    side = _side(screen, rows, short=short)
    columns: list[list[type[Widget]]] = [[Heatmap, LossPlot]]
    if three:
        columns += [[kind for kind in side if kind not in TEXTS], [*TEXTS]]
    else:
        columns.append([*side])
    needs = side | {Heatmap: _heatmap(screen, rows), LossPlot: Need(5 if short else 8)}
    for column in columns:
        kinds = [kind for kind in column if _has_room(screen.query_one(kind))]
        for kind, height in zip(kinds, shared(rows, [needs[kind] for kind in kinds]), strict=True):
            _set_height(screen.query_one(kind), height)


def _has_room(panel: Widget) -> bool:
    return not (panel.has_class("-aside") or panel.has_class(SQUEEZED))


def _set_height(panel: Widget, rows: int) -> None:
    height = panel.styles.height
    if height is None or height.cells != rows:
        panel.styles.height = rows


def _heatmap(screen: Widget, rows: int) -> Need:
    needed = screen.query_one(Heatmap).rows_needed
    return Need(5 if rows < LOW else 7, most=max(needed, 6), fair=round(0.62 * rows))


def _side(screen: Widget, rows: int, *, short: bool) -> dict[type[Widget], Need]:
    """What the panels at the right need, the most important first."""
    network, branches = screen.query_one(NetworkPanel), screen.query_one(BranchesPanel)
    low, edited = rows < LOW, network.has_focus_within
    told = network.rows_needed
    three = screen.has_class("-three")
    if edited:
        configured = Need(round(0.7 * rows))
    elif three:
        configured = Need(6, most=told, fair=round(0.4 * rows))
    elif short:
        configured = Need(4, most=4)
    else:
        configured = Need(5, most=told, fair=round(0.24 * rows))
    text = Need(4 if edited else 6 if short else 9, fair=round(0.42 * rows))
    pictured = Need(6, fair=round((0.45 if three else 0.32) * rows))
    if not three and any(_has_room(screen.query_one(each)) for each in TEXTS):
        pictured = replace(pictured, most=max(round(0.45 * rows), 6))
    listed = Need(3 if low else 4, most=branches.rows_needed, fair=round(0.2 * rows))
    return {
        NetworkPanel: configured,
        BranchesPanel: listed,
        OutputPanel: pictured,
        StoryPanel: text,
        WhyPanel: text,
    }


TEXTS: tuple[type[Widget], ...] = (StoryPanel, WhyPanel)
"""The panels that any number of rows is used by."""


def offered_keys(
    focused: Widget | None, view: WorkbenchView, *, failed: bool
) -> tuple[Action, ...]:
    """The keys of what has the focus, then those that always do something.

    Where training has ``failed``, the key that asks why is among the first.
    """
    own = () if focused is None else OWN_KEYS.get(type(focused), ())
    if isinstance(focused, EntryInput):
        return own
    urgent = {"why"} if failed and not view.why else set[str]()
    if isinstance(focused, Heatmap):
        # Weights are set here, and `heatmap` leads to them.
        urgent |= {"heatmap", "point"} if view.heatmap.kind is WEIGHTS else {"heatmap"}
    keys = (*own, *WORKBENCH)
    return tuple(replace(each, rank=0) if each.name in urgent else each for each in keys)
