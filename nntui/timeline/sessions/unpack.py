"""Unpacking a session's manifest and vectors into a tree; treats the file as untrusted.

The checksum shows that a file is as it was written, not that nntui wrote it: every number is
validated before it is used, and what can be derived (epochs, positions, the updates of keyframes)
is not stored.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from nntui.compiler.installed import is_installed
from nntui.core.engine.changes import fixed_in_epoch
from nntui.core.engine.network import Layout
from nntui.core.engine.player_names import COMPILED, NUMPY
from nntui.core.engine.state import Divergence, State, frozen
from nntui.core.engine.update import optimiser_of
from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.dotted_keys import FIRST
from nntui.players.player_choice import is_compilable
from nntui.presets.preset import Origin, Preset
from nntui.presets.schema import HIGHEST_SEED
from nntui.timeline.history.branch import Branch, Stretch
from nntui.timeline.history.keyframes import Keyframes, MemoryBudget
from nntui.timeline.history.tree import Tree
from nntui.timeline.history.unit_events import Flip
from nntui.timeline.sessions.archive import Vectors
from nntui.timeline.sessions.checked_fields import Fields, Stream
from nntui.timeline.sessions.program_format import PROGRAM_FORMAT
from nntui.timeline.sessions.random_states import SavedRandomStates
from nntui.timeline.sessions.saved_presets import LONGEST_NAME, SavedPresets

FORMAT, VERSION = "nntui session", 3
"""Before version 3 the player of all updates was NumPy, and nothing is said of it.  In version 1
states had other hashes."""
FIRST_WITH_PLAYERS = 3

NOT_INSTALLED = (
    "its updates were made by compiled code, which is not installed (pip install 'nntui[fast]'); "
    "NumPy goes on, and updates that it makes again may differ in their last digits"
)

MOST_BRANCHES = 5000
MOST_ENTRIES = 1_000_000
FURTHEST = 2**53
"""The highest update: floats represent integers exactly up to here."""


Unpacked = tuple[Tree, Branch, int, dict[str, Any]]
"""A tree, the branch and the update that the cursor was at, and the view."""


def unpack(manifest: Mapping[str, Any], vectors: Vectors, origin: Origin) -> Unpacked:
    """The session that was packed into ``manifest`` and ``vectors``; ``origin`` names it.

    Raises ConfigError, with the key of what is wrong, for anything that nntui did not write.
    """
    fields = Fields(manifest)
    check_version(fields)
    return _Unpacker(fields, vectors, origin).session()


def check_version(fields: Fields) -> None:
    """ConfigError unless this version can read the session of the manifest."""
    if fields.value("format") == PROGRAM_FORMAT:
        raise ConfigError("", "is the session of a program of your own; nntui open shows it")
    if fields.value("format") != FORMAT:
        raise ConfigError("", "is not an nntui session")
    version = fields.whole("version", 1, FURTHEST)
    if version > VERSION:
        made = quoted(fields.text("nntui", LONGEST_NAME))
        raise ConfigError(
            "", f"was written by nntui {made}, in format {version}; this one reads up to {VERSION}"
        )


@dataclass(frozen=True, eq=False)
class _StretchPlan:
    """A stretch whose states are not made yet: its preset, and where in the epochs it begins."""

    start: int
    preset: Preset
    since: int
    epoch: int
    position: int

    @classmethod
    def of(cls, stretch: Stretch) -> "_StretchPlan":
        """The plan of an existing stretch."""
        first = stretch.first
        return cls(stretch.start, stretch.preset, first.since, first.epoch, first.position)

    @property
    def configuration(self) -> Configuration:
        return self.preset.configuration

    def reached(self, update: int) -> tuple[int, int]:
        """Epoch and position at ``update``."""
        epochs, position = divmod(
            self.position + update - self.start, self.configuration.updates_per_epoch
        )
        return self.epoch + epochs, position


def _reports(plans: Sequence[_StretchPlan], epochs: int) -> list[range]:
    """The epochs before ``epochs`` that each stretch of a branch reports."""
    ends = [*(each.epoch for each in plans[1:]), epochs]
    pairs = zip(plans, ends, strict=True)
    return [plan.configuration.report.epochs(plan.epoch, end) for plan, end in pairs]


class _Unpacker:
    """Reads the vectors from beginning to end, branch by branch."""

    def __init__(self, fields: Fields, vectors: Vectors, origin: Origin) -> None:
        self._fields = fields
        self._streams = {name: Stream(name, values) for name, values in vectors.items()}
        self._draws = SavedRandomStates(self._streams)
        self._presets = SavedPresets(fields, self._streams["tables"].rest().ravel(), origin)
        self._budget = MemoryBudget()
        self._version = fields.whole("version", 1, VERSION)
        self._note = ""

    def session(self) -> Unpacked:
        """The whole session."""
        view = self._fields.table("view")
        listed = self._fields.tables("branches", MOST_BRANCHES)
        parents = [each.optional("parent", 0, at - 1) for at, each in enumerate(listed)]
        if not parents or None in parents[1:]:
            raise self._fields.wrong(
                "branches", "must begin with a root, and only that has no parent"
            )
        branches: list[Branch] = []
        for fields, parent in zip(listed, parents, strict=True):
            branches.append(self._branch(fields, None if parent is None else branches[parent]))
        for stream in self._streams.values():
            stream.end()
        active = branches[self._fields.whole("active", 0, len(branches) - 1)]
        cursor = self._fields.whole("cursor", 0, active.update)
        return Tree.restored(branches, self._budget, self._note), active, cursor, view

    def _branch(self, fields: Fields, parent: Branch | None) -> Branch:
        """The next branch of the list."""
        count = fields.whole("states", 1, FURTHEST)
        rows = self._streams["states"].take(3 * count).reshape(count, 3)
        updates: list[int] = rows[:, 0].tolist()
        head = fields.whole("head", 0, count - 1)
        if max(updates) != updates[head] or updates[head] > FURTHEST:
            raise fields.wrong("states", "lie beyond the head")
        seed = fields.whole("seed", 0, HIGHEST_SEED)
        listed = fields.tables("stretches", MOST_ENTRIES)
        starts = [each.whole("state", 0, count - 1) for each in listed]
        plans = self._plans(fields, listed, parent, [updates[state] for state in starts])
        if min(updates) < max(plans[0].start, 0):
            raise fields.wrong("states", "lie before the fork")
        divergence = _divergence(fields, plans[-1].configuration, updates[head])
        states = self._states(plans, rows, divergence, self._player(fields, plans))
        stretches = [
            Stretch(plan.preset, states[state], self._presets.changes(each))
            for plan, state, each in zip(plans, starts, listed, strict=True)
        ]
        branch = Branch(stretches[0], seed, self._budget, parent)
        branch.name = fields.text("name", LONGEST_NAME)
        branch.renamed, branch.pinned = fields.flag("renamed"), fields.flag("pinned")
        branch.left_at = fields.whole("left_at", 0, FURTHEST)
        reports = _reports(plans, plans[-1].reached(updates[head])[0])
        branch.restore(
            stretches[1:],
            self._keyframes(fields, states, branch.forked_at, updates[head]),
            _marks(fields, states, branch.forked_at),
            reports,
            self._streams["losses"].take(sum(map(len, reports))),
            states[head],
        )
        self._watch(fields, branch)
        return branch

    def _plans(
        self, fields: Fields, listed: list[Fields], parent: Branch | None, starts: list[int]
    ) -> list[_StretchPlan]:
        """The stretches of a branch, without those that it shares with its parent."""
        if not starts or any(b <= a for a, b in pairwise(starts)):
            raise fields.wrong("stretches", "must not be empty, and must begin in order")
        if starts[0] > (0 if parent is None else parent.update):
            raise fields.wrong("stretches", "begin beyond the parent's head")
        shared = () if parent is None else reversed(parent.stretches)
        before = next((_StretchPlan.of(each) for each in shared if each.start < starts[0]), None)
        plans: list[_StretchPlan] = []
        for start, each in zip(starts, listed, strict=True):
            preset = self._presets.preset(each)
            since = each.whole("since", 0, start)
            epoch, position = before.reached(start) if before else (0, 0)
            plans.append(_StretchPlan(start, preset, since, epoch, position))
            if before:
                _check_follows(each, before.configuration, plans[-1])
            before = plans[-1]
        return plans

    def _player(self, fields: Fields, plans: Sequence[_StretchPlan]) -> str:
        """What goes on with the updates of a branch: NumPy where they cannot be compiled."""
        if self._version < FIRST_WITH_PLAYERS:
            return NUMPY
        player = fields.value("player")
        if player not in (NUMPY, COMPILED):
            raise fields.wrong("player", f"must be {NUMPY} or {COMPILED}, not {quoted(player)}")
        if player == COMPILED and not (
            is_installed() and all(is_compilable(plan.configuration) for plan in plans)
        ):
            self._note, player = NOT_INSTALLED, NUMPY
        return str(player)

    def _states(
        self, plans: list[_StretchPlan], rows: Any, divergence: Divergence | None, player: str
    ) -> list[State]:
        """All states of a branch, in the order in which they were saved."""
        starts = [plan.start for plan in plans]
        size, last = Layout.of(plans[-1].configuration).size, int(rows[:, 0].max())
        loss_sums = self._streams["loss_sums"].take(len(rows)).tolist()
        thetas = self._streams["parameters"].take(len(rows) * size).reshape(-1, size)
        states = []
        for (update, random, order), loss_sum, theta in zip(
            rows.tolist(), loss_sums, thetas, strict=True
        ):
            plan = plans[bisect_right(starts, update) - 1]
            configuration = plan.configuration
            slots = len(optimiser_of(configuration).slots)
            values = self._streams["slots"].take(slots * size).reshape(slots, size)
            epoch, position = plan.reached(update)
            states.append(
                State(
                    configuration,
                    update,
                    epoch,
                    position,
                    loss_sum,
                    frozen(theta),
                    tuple(frozen(each) for each in values),
                    self._draws.random(random),
                    self._draws.order(order, configuration),
                    divergence if update == last else None,
                    plan.since,
                    player,
                )
            )
        return states

    def _keyframes(
        self, fields: Fields, states: Sequence[State], start: int, head: int
    ) -> Keyframes:
        """The keyframes, which must be evenly spaced and reach up to the head."""
        count = fields.whole("keyframes", 1, len(states))
        distance = fields.whole("distance", 1, FURTHEST)
        kept = list(states[:count])
        evenly = all(state.update == start + at * distance for at, state in enumerate(kept))
        if not evenly or head > start + count * distance:
            raise fields.wrong("keyframes", "are not evenly spaced up to the head")
        return Keyframes.restored(kept, distance, self._budget)

    def _watch(self, fields: Fields, branch: Branch) -> None:
        """When units were found dead or revived."""
        checked_at = fields.whole("looked_at", -1, branch.update)
        layers = branch.preset.configuration.layers
        flips = self._streams["flips"].take(5 * fields.whole("flips", 0, FURTHEST))
        if checked_at < 0:
            if len(flips):
                raise fields.wrong("flips", "must be 0 where no unit was checked")
            return
        dead = self._streams["dead"].take(sum(layer.units for layer in layers))
        if dead.max() > 1:
            raise fields.wrong("dead", "must be 0 or 1")
        found: list[Flip] = []
        for layer, unit, died, after, by in flips.reshape(-1, 5).tolist():
            if not (
                0 <= layer < len(layers)
                and 0 <= unit < layers[layer].units
                and died in (0, 1)
                and -1 <= after < by <= checked_at
                and (not found or found[-1].by <= by)
            ):
                raise fields.wrong("flips", "has an impossible entry")
            found.append(Flip(layer, unit, bool(died), after, by))
        branch.watch.restore(checked_at, dead.astype(np.bool_), found)


def _check_follows(fields: Fields, before: Configuration, plan: _StretchPlan) -> None:
    """ConfigError if ``plan`` makes a change that is impossible in the middle of a run."""
    configuration = plan.configuration
    for key in FIRST:
        if getattr(before, key) != getattr(configuration, key):
            raise fields.wrong("source", f"changes {key} in the middle of a run")
    if plan.position > 0 and fixed_in_epoch(before) != fixed_in_epoch(configuration):
        raise fields.wrong("source", "changes batches or report in the middle of an epoch")


def _divergence(fields: Fields, configuration: Configuration, head: int) -> Divergence | None:
    """The divergence at the head, the only state that can have one."""
    if fields.value("divergence") is None:
        return None
    found = Fields(fields.value("divergence"), fields.key("divergence"))
    if found.whole("update", 0, FURTHEST) != head:
        raise found.wrong("update", f"must be that of the head, {head}")
    value = found.text("value", 4)
    if value not in ("inf", "-inf", "nan"):
        raise found.wrong("value", "must be inf, -inf or nan")
    return Divergence(
        head,
        found.text("tensor", 40),
        found.optional("layer", 0, len(configuration.layers) - 1),
        tuple(found.wholes("cell", 2, 0, FURTHEST)),
        found.optional("sample", 0, configuration.data.rows - 1),
        value,
    )


def _marks(fields: Fields, states: Sequence[State], first: int) -> dict[int, State | None]:
    """The checkpoints; a state that is kept for one must be of the same update."""
    marks: dict[int, State | None] = {}
    last = max(state.update for state in states)
    for each in fields.tables("marks", MOST_ENTRIES):
        update = each.whole("update", first, last)
        place = each.optional("state", 0, len(states) - 1)
        state = None if place is None else states[place]
        if update in marks or (state is not None and state.update != update):
            raise each.wrong("update", "differs from that of its state, or is listed twice")
        marks[update] = state
    return marks
