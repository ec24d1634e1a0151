"""What each panel shows but the loss plot: one frozen value a panel, made from run and view.

A ``...View`` says how a panel is looked at, and is part of the workbench's one view.  A
``...Content`` is all that the panel shows: the numbers together with that view.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nntui.diagnosis.finding import Diagnosis
from nntui.presets.preset import Goal
from nntui.timeline import Snapshot
from nntui.timeline.views.compare import A, GridComparison, compare_grids
from nntui.timeline.views.grid import ACTIVATIONS, LAYER, GridSource, Kind
from nntui.timeline.views.outputs import Picture


@dataclass(frozen=True)
class StatusContent:
    """What the status line says."""

    snapshot: Snapshot
    """The run at its cursor."""
    goal: Goal
    """The goal at the cursor."""
    state: str
    """One of those in `nntui.tui.panels.status_line`."""
    note: str = ""
    """What just happened, in a few words."""
    speed: str = ""
    """How fast a run goes."""
    left: str = ""
    """How long what is trained will take, in words; empty while that is not known."""
    training: bool = False
    """Whether the head is trained while the past is looked at."""
    branches: int = 1
    """How many branches there are."""


@dataclass(frozen=True)
class HeatmapView:
    """How the heatmap is looked at; where its cell cursor stands, the panel alone knows."""

    kind: Kind = ACTIVATIONS
    """Which quantity is shown."""
    shown: str = A
    """`A` (the run), `B` (the overlaid branch) or `DIFFERENCE`."""
    layer: int | None = None
    """The only layer that is shown; None for all."""
    ordered: bool = False
    """Whether the units of each layer are sorted, the largest first."""
    scale: str = LAYER
    """One of `SCALES`."""
    marked: frozenset[tuple[int, int]] = frozenset()
    """The units, as (layer, unit), that an arrow points at."""


@dataclass(frozen=True, eq=False)
class HeatmapContent:
    """What the heatmap shows: the numbers, and how they are looked at."""

    view: HeatmapView
    mine: GridSource
    """The run at its cursor, with its next update where ``view.kind`` needs it."""
    theirs: GridSource | None = None
    """Likewise the overlaid branch at the same update, if there is one."""

    def compared(self, wanted: str) -> GridComparison:
        """The grid for ``wanted``, which is `A`, `B` or `DIFFERENCE`; see `compare_grids`."""
        return compare_grids(self.mine, self.theirs, self.view.kind, wanted)


@dataclass(frozen=True)
class OutputView:
    """How the outputs are looked at."""

    visible: bool | None = None
    """Whether the panel is on the screen; None where that is as the room allows."""
    what: str = ""
    """One of `nntui.timeline.views.outputs.views`; the most telling, where it cannot be had."""


@dataclass(frozen=True, eq=False)
class OutputContent:
    """What the output panel draws."""

    picture: Picture
    shown: str
    """What of two branches ``picture`` shows; empty where there is but one."""


@dataclass(frozen=True)
class BranchLine:
    """One branch as it is listed."""

    branch: object
    """What the panel names it by."""
    depth: int
    name: str
    parted: str
    head: int
    loss: str
    solved: bool
    diverged: bool
    pinned: bool
    role: str
    """``A`` on the screen, ``B`` overlaid, or neither."""


@dataclass(frozen=True)
class BranchesContent:
    """What the branches panel lists."""

    listed: tuple[BranchLine, ...] = ()
    """The branches, in order."""
    compact: bool = False
    """Whether each branch has one line only."""


@dataclass(frozen=True)
class TriedFix:
    """A fix that was tried over many seeds."""

    fix: str
    changes: Mapping[str, Any]
    """By dotted key."""
    seeds: int
    solved: int
    baseline: int
    """How many of the same seeds solve without it."""
    verdict: str

    @property
    def result(self) -> str:
        """What came of it, in one line."""
        return f"{self.solved} of {self.seeds} solve, {self.baseline} without: {self.verdict}"


@dataclass(frozen=True)
class ExperimentReport:
    """What is known of the experiments on one preset."""

    note: str = ""
    """How far they are, or why there are none."""
    going: bool = False
    fixes: tuple[TriedFix, ...] = ()
    """The best first."""


@dataclass(frozen=True)
class WhyContent:
    """What the Why panel shows."""

    diagnosis: Diagnosis | None = None
    """None before the first is made."""
    awaited: bool = False
    """Whether a newer one is being made."""
    overlaid_fix: str = ""
    """What comes of the fix in the branch that is overlaid; empty where there is none."""
    experiments: ExperimentReport = field(default_factory=ExperimentReport)
    """The experiments on the preset at the cursor."""
