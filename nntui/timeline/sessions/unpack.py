"""From the manifest and the vectors of a session to its run; nothing in them is believed.

A checksum proves that a file is as it was written, not that nntui wrote it: every number is
checked before it is used, and what follows from others (epochs, positions, the updates of
keyframes) is computed and not read.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from nntui.core.engine.network import Layout
from nntui.core.engine.state import Divergence, State, frozen
from nntui.core.engine.update import optimiser_of
from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.configuration import Configuration
from nntui.presets.preset import Preset
from nntui.presets.schema import HIGHEST_SEED
from nntui.timeline.history.branch import Branch, Stretch
from nntui.timeline.history.keyframes import Budget, Keyframes
from nntui.timeline.history.run import Run
from nntui.timeline.history.tree import Tree
from nntui.timeline.history.unit_events import Flip
from nntui.timeline.sessions.archive import Vectors
from nntui.timeline.sessions.checked_fields import Fields, Stream
from nntui.timeline.sessions.random_states import SavedDraws
from nntui.timeline.sessions.saved_presets import LONGEST_NAME, SavedPresets

FORMAT, VERSION = "nntui session", 2
"""In version 1 nothing is told in another way, but states had other hashes."""

MOST_BRANCHES = 5000
MOST_ENTRIES = 1_000_000
FURTHEST = 2**53
"""The last update that can be counted; floats still know it exactly."""


def restored(manifest: Mapping[str, Any], vectors: Vectors) -> tuple[Run, dict[str, Any]]:
    """The run at its cursor, and the view that was saved with it.

    Raises ConfigError, with the key of what is wrong, for anything that nntui did not write.
    """
    fields = Fields(manifest)
    check_version(fields)
    view = fields.table("view")
    return _Session(fields, vectors).run(), view


def check_version(fields: Fields) -> None:
    """ConfigError if the manifest is not that of a session which this version can read."""
    if fields.value("format") != FORMAT:
        raise ConfigError("", "is no nntui session")
    version = fields.whole("version", 1, FURTHEST)
    if version > VERSION:
        made = quoted(fields.text("nntui", LONGEST_NAME))
        raise ConfigError(
            "", f"was written by nntui {made}, in format {version}; this one reads up to {VERSION}"
        )


@dataclass(frozen=True, eq=False)
class _Plan:
    """A stretch before its states are made: where in the epochs it begins, and with what."""

    start: int
    preset: Preset
    since: int
    epoch: int
    position: int

    @classmethod
    def of(cls, stretch: Stretch) -> "_Plan":
        """The plan of a stretch that is made already."""
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


class _Session:
    """Reads the vectors from their beginnings to their ends, branch after branch."""

    def __init__(self, fields: Fields, vectors: Vectors) -> None:
        self._fields = fields
        self._streams = {name: Stream(name, values) for name, values in vectors.items()}
        self._draws = SavedDraws(self._streams)
        self._presets = SavedPresets(fields, self._streams["tables"].rest().ravel())
        self._budget = Budget()

    def run(self) -> Run:
        """The whole session."""
        listed = self._fields.tables("branches", MOST_BRANCHES)
        parents = [each.optional("parent", 0, at - 1) for at, each in enumerate(listed)]
        if not parents or None in parents[1:]:
            raise self._fields.wrong("branches", "must be there, all but the first with a parent")
        branches: list[Branch] = []
        for fields, parent in zip(listed, parents, strict=True):
            branches.append(self._branch(fields, None if parent is None else branches[parent]))
        for stream in self._streams.values():
            stream.end()
        active = branches[self._fields.whole("active", 0, len(branches) - 1)]
        cursor = self._fields.whole("cursor", 0, active.update)
        return Run.on(Tree.restored(branches, self._budget), active, cursor)

    def _branch(self, fields: Fields, parent: Branch | None) -> Branch:
        """The next branch of the list."""
        count = fields.whole("states", 1, FURTHEST)
        rows = self._streams["states"].take(3 * count).reshape(count, 3)
        updates: list[int] = rows[:, 0].tolist()
        head = fields.whole("head", 0, count - 1)
        if max(updates) != updates[head] or updates[head] > FURTHEST:
            raise fields.wrong("states", "lie beyond the head")
        seed = fields.whole("seed", 0, HIGHEST_SEED)
        starts = [
            each.whole("state", 0, count - 1) for each in fields.tables("stretches", MOST_ENTRIES)
        ]
        plans = self._plans(fields, parent, [updates[state] for state in starts])
        if min(updates) < max(plans[0].start, 0):
            raise fields.wrong("states", "lie before the fork")
        divergence = _divergence(fields, plans[-1].configuration, updates[head])
        states = self._states(plans, rows, divergence)
        stretches = [
            Stretch(plan.preset, states[state], self._presets.changes(each))
            for plan, state, each in zip(
                plans, starts, fields.tables("stretches", MOST_ENTRIES), strict=True
            )
        ]
        branch = Branch(stretches[0], seed, self._budget, parent)
        branch.name = fields.text("name", LONGEST_NAME)
        branch.renamed, branch.pinned = fields.flag("renamed"), fields.flag("pinned")
        branch.left_at = fields.whole("left_at", 0, FURTHEST)
        branch.restore(
            stretches[1:],
            self._keyframes(fields, states, branch.forked_at, updates[head]),
            _marks(fields, states, branch.forked_at),
            self._streams["losses"].take(plans[-1].reached(updates[head])[0] - plans[0].epoch),
            states[head],
        )
        self._watch(fields, branch)
        return branch

    def _plans(self, fields: Fields, parent: Branch | None, starts: list[int]) -> list[_Plan]:
        """The stretches of a branch, without those of the past that it shares."""
        if not starts or any(b <= a for a, b in pairwise(starts)):
            raise fields.wrong("stretches", "must be there, each beyond the one before")
        if starts[0] > (0 if parent is None else parent.update):
            raise fields.wrong("stretches", "begin beyond the parent's head")
        shared = () if parent is None else reversed(parent.stretches)
        before = next((_Plan.of(each) for each in shared if each.start < starts[0]), None)
        plans: list[_Plan] = []
        for start, each in zip(starts, fields.tables("stretches", MOST_ENTRIES), strict=True):
            preset = self._presets.preset(each)
            since = each.whole("since", 0, start)
            epoch, position = before.reached(start) if before else (0, 0)
            plans.append(_Plan(start, preset, since, epoch, position))
            if before:
                _check_follows(each, before.configuration, plans[-1])
            before = plans[-1]
        return plans

    def _states(self, plans: list[_Plan], rows: Any, divergence: Divergence | None) -> list[State]:
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
                )
            )
        return states

    def _keyframes(
        self, fields: Fields, states: Sequence[State], start: int, head: int
    ) -> Keyframes:
        """The first states; they are evenly spread, and the next one is not overdue."""
        count = fields.whole("keyframes", 1, len(states))
        distance = fields.whole("distance", 1, FURTHEST)
        kept = list(states[:count])
        evenly = all(state.update == start + at * distance for at, state in enumerate(kept))
        if not evenly or head > start + count * distance:
            raise fields.wrong("keyframes", "are not evenly spread up to the head")
        return Keyframes.restored(kept, distance, self._budget)

    def _watch(self, fields: Fields, branch: Branch) -> None:
        """What is known of the units that died."""
        looked_at = fields.whole("looked_at", -1, branch.update)
        layers = branch.preset.configuration.layers
        flips = self._streams["flips"].take(5 * fields.whole("flips", 0, FURTHEST))
        if looked_at < 0:
            if len(flips):
                raise fields.wrong("flips", "are there though nobody looked")
            return
        dead = self._streams["dead"].take(sum(layer.units for layer in layers))
        if dead.max() > 1:
            raise fields.wrong("dead", "holds more than yes and no")
        found: list[Flip] = []
        for layer, unit, died, after, by in flips.reshape(-1, 5).tolist():
            if not (
                0 <= layer < len(layers)
                and 0 <= unit < layers[layer].units
                and died in (0, 1)
                and -1 <= after < by <= looked_at
                and (not found or found[-1].by <= by)
            ):
                raise fields.wrong("flips", "hold one that cannot be")
            found.append(Flip(layer, unit, bool(died), after, by))
        branch.watch.restore(looked_at, dead.astype(np.bool_), found)


def _check_follows(fields: Fields, before: Configuration, plan: _Plan) -> None:
    """ConfigError if no change could lead from ``before`` to ``plan`` in the middle of a run."""
    configuration = plan.configuration
    if (before.data, before.layers) != (configuration.data, configuration.layers):
        raise fields.wrong("source", "changes data or layers in the middle of a run")
    if plan.position > 0 and _taken(before) != _taken(configuration):
        raise fields.wrong("source", "changes the batches in the middle of an epoch")


def _taken(configuration: Configuration) -> tuple[str, int, int]:
    training = configuration.training
    return training.order, configuration.samples_per_epoch, configuration.batch_size


def _divergence(fields: Fields, configuration: Configuration, head: int) -> Divergence | None:
    """Where the branch ended; only its head can have diverged."""
    if fields.value("divergence") is None:
        return None
    told = Fields(fields.value("divergence"), fields.key("divergence"))
    if told.whole("update", 0, FURTHEST) != head:
        raise told.wrong("update", f"must be that of the head, {head}")
    value = told.text("value", 4)
    if value not in ("inf", "-inf", "nan"):
        raise told.wrong("value", "must be inf, -inf or nan")
    return Divergence(
        head,
        told.text("tensor", 40),
        told.optional("layer", 0, len(configuration.layers) - 1),
        tuple(told.wholes("cell", 2, 0, FURTHEST)),
        told.optional("sample", 0, configuration.data.rows - 1),
        value,
    )


def _marks(fields: Fields, states: Sequence[State], first: int) -> dict[int, State | None]:
    """The checkpoints; those with a state of their own have that of their update."""
    marks: dict[int, State | None] = {}
    last = max(state.update for state in states)
    for each in fields.tables("marks", MOST_ENTRIES):
        update = each.whole("update", first, last)
        place = each.optional("state", 0, len(states) - 1)
        state = None if place is None else states[place]
        if update in marks or (state is not None and state.update != update):
            raise each.wrong("update", "is not that of its state, or stands there twice")
        marks[update] = state
    return marks
