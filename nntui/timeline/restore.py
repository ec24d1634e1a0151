"""From the manifest and the vectors of a session to its run; nothing in them is believed.

A checksum proves that a file is as it was written, not that nntui wrote it: every number is
checked before it is used, and what follows from others (epochs, positions, the updates of
keyframes) is computed and not read.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from nntui.core.backprop import optimiser_of
from nntui.core.configuration import MOST_NUMBERS, Configuration, Data
from nntui.core.errors import ConfigError, quoted
from nntui.core.network import Layout
from nntui.core.state import Divergence, Order, State, frozen
from nntui.core.tape import Array
from nntui.presets.csv_data import CsvSource
from nntui.presets.preset import Preset
from nntui.presets.schema import HIGHEST_SEED, names_of, read_preset
from nntui.timeline.archive import Vectors
from nntui.timeline.branch import Branch, Stretch
from nntui.timeline.fields import Fields, Stream
from nntui.timeline.keyframes import Budget, Keyframes
from nntui.timeline.run import Run
from nntui.timeline.tree import Tree
from nntui.timeline.units import Flip

FORMAT, VERSION = "nntui session", 1

LONGEST_NAME = 255
MOST_BRANCHES = 5000
DEEPEST = 500
"""Forks of forks of forks; Python itself goes down no further than a thousand calls."""
MOST_ENTRIES = 1_000_000
FURTHEST = 2**53
"""The last update that can be counted; floats still know it exactly."""
MT_WORDS = 624


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
    if version != VERSION:
        made = quoted(fields.text("nntui", LONGEST_NAME))
        raise ConfigError(
            "", f"was written by nntui {made}, in format {version}; this one reads {VERSION}"
        )


@dataclass(frozen=True, eq=False)
class _Plan:
    """A stretch before its states are made: where in the epochs it begins, and with what."""

    start: int
    preset: Preset
    since: int
    epoch: int
    position: int

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
        self._randoms = self._read_randoms()
        self._orders = self._read_orders()
        self._presets = _Presets(fields, self._streams["tables"].rest().ravel())
        self._budget = Budget()

    def run(self) -> Run:
        """The whole session."""
        branches: list[Branch] = []
        depths: list[int] = []
        for fields in self._fields.tables("branches", MOST_BRANCHES):
            parent = fields.optional("parent", 0, len(branches) - 1)
            if (parent is None) != (not branches):
                raise fields.wrong("parent", "must be there for all branches but the first")
            depths.append(0 if parent is None else depths[parent] + 1)
            if depths[-1] > DEEPEST:
                raise fields.wrong("parent", f"makes more than {DEEPEST} forks of forks")
            branches.append(self._branch(fields, None if parent is None else branches[parent]))
        if not branches:
            raise self._fields.wrong("branches", "is empty")
        if len({each.name for each in branches}) < len(branches):
            raise self._fields.wrong("branches", "has one name twice")
        for stream in self._streams.values():
            stream.end()
        active = branches[self._fields.whole("active", 0, len(branches) - 1)]
        cursor = self._fields.whole("cursor", 0, active.update)
        return Run.on(Tree.restored(branches, self._budget), active, cursor)

    def _read_randoms(self) -> list[tuple[Any, ...]]:
        """What ``RandomState.set_state`` takes; it believes what it is given, so this does not."""
        keys = self._streams["random_keys"].rest(MT_WORDS)
        places = self._streams["random_places"].take(2 * len(keys)).reshape(-1, 2)
        gauss = self._streams["random_gauss"].take(len(keys))
        if len(keys) and not (places.min() >= 0 and (places.max(axis=0) <= (MT_WORDS, 1)).all()):
            raise ConfigError("random_places", "holds what is no place in a random stream")
        if not np.isfinite(gauss).all():
            raise ConfigError("random_gauss", "holds what is no number")
        return [
            ("MT19937", frozen(key), int(at), int(has_gauss), float(value))
            for key, (at, has_gauss), value in zip(keys, places, gauss, strict=True)
        ]

    def _read_orders(self) -> list[Order]:
        sizes = self._streams["order_sizes"].rest().ravel().tolist()
        if min(sizes, default=1) < 1:
            raise ConfigError("order_sizes", "holds what is no size")
        orders = self._streams["orders"]
        return [frozen(orders.take(size).astype(np.intp)) for size in sizes]

    def _branch(self, fields: Fields, parent: Branch | None) -> Branch:
        """The next branch of the list."""
        count = fields.whole("states", 1, FURTHEST)
        rows = self._streams["states"].take(3 * count).reshape(count, 3)
        updates: list[int] = rows[:, 0].tolist()
        head = fields.whole("head", 0, count - 1)
        if min(updates) < 0 or max(updates) != updates[head] or updates[head] > FURTHEST:
            raise fields.wrong("states", "lie before the first update, or beyond the head")
        seed = fields.whole("seed", 0, HIGHEST_SEED)
        starts = [
            each.whole("state", 0, count - 1) for each in fields.tables("stretches", MOST_ENTRIES)
        ]
        plans = self._plans(fields, parent, [updates[state] for state in starts])
        divergence = _divergence(fields, plans[-1].configuration, updates[head])
        states = self._states(fields, plans, rows, divergence)
        own = plans[len(plans) - len(starts) :]
        stretches = [
            Stretch(plan.preset, states[state], self._presets.changes(each))
            for plan, state, each in zip(
                own, starts, fields.tables("stretches", MOST_ENTRIES), strict=True
            )
        ]
        branch = Branch(stretches[0], seed, self._budget, parent)
        branch.name = fields.text("name", LONGEST_NAME)
        branch.renamed, branch.pinned = fields.flag("renamed"), fields.flag("pinned")
        branch.left_at = fields.whole("left_at", 0, FURTHEST)
        branch.restore(
            stretches[1:],
            self._keyframes(fields, states, branch.forked_at, updates[head]),
            _marks(fields, states),
            self._streams["losses"].take(plans[-1].reached(updates[head])[0] - own[0].epoch),
            states[head],
        )
        self._watch(fields, branch)
        return branch

    def _plans(self, fields: Fields, parent: Branch | None, starts: list[int]) -> list[_Plan]:
        """What the branch is made of: the stretches it shares, then its own."""
        if not starts or any(b <= a for a, b in pairwise(starts)):
            raise fields.wrong("stretches", "must be there, each beyond the one before")
        if starts[0] > (0 if parent is None else parent.update):
            raise fields.wrong("stretches", "begin beyond the parent's head")
        plans = [
            _Plan(each.start, each.preset, each.first.since, each.first.epoch, each.first.position)
            for each in (parent.stretches if parent is not None else ())
            if each.start < starts[0]
        ]
        for start, each in zip(starts, fields.tables("stretches", MOST_ENTRIES), strict=True):
            preset = self._presets.preset(each)
            since = each.whole("since", 0, start)
            epoch, position = plans[-1].reached(start) if plans else (0, 0)
            plans.append(_Plan(start, preset, since, epoch, position))
            if len(plans) > 1:
                _check_follows(each, plans[-2].configuration, plans[-1])
        return plans

    def _states(
        self, fields: Fields, plans: list[_Plan], rows: Any, divergence: Divergence | None
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
            if not 0 <= random < len(self._randoms):
                raise fields.wrong("states", "name a random state that is not there")
            states.append(
                State(
                    configuration,
                    update,
                    epoch,
                    position,
                    loss_sum,
                    frozen(theta),
                    tuple(frozen(each) for each in values),
                    self._randoms[random],
                    self._order(fields, configuration, order),
                    divergence if update == last else None,
                    plan.since,
                )
            )
        return states

    def _order(self, fields: Fields, configuration: Configuration, place: int) -> Order | None:
        ordered = configuration.training.order != "in-order"
        if not ordered and place == -1:
            return None
        if ordered and 0 <= place < len(self._orders):
            order = self._orders[place]
            rows = configuration.data.training_rows
            if (
                len(order) == configuration.samples_per_epoch
                and order.min() >= 0
                and order.max() < rows
            ):
                return order
        raise fields.wrong("states", "name an order that does not fit the data")

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


class _Presets:
    """The presets of all stretches, each told by what differs from that of the first."""

    def __init__(self, fields: Fields, tables: Array) -> None:
        preset = Fields(fields.table("preset"), "preset")
        self._name = preset.text("name", LONGEST_NAME)
        self._base = preset.table("source")
        self._tables = tables
        self._data: dict[str, tuple[dict[str, Any], Data]] = {}
        self._numbers = 0

    def preset(self, stretch: Fields) -> Preset:
        """The preset of a stretch."""
        source = {**self._base, **stretch.table("source")}
        source = {name: table for name, table in source.items() if table is not None}
        told = source.get("data")
        text = json.dumps(told, sort_keys=True)
        try:
            if text in self._data:
                return self._with_known_data(source, *self._data[text])
            if not isinstance(told, dict) or any(key in told for key in names_of(CsvSource)):
                raise ConfigError("data", "must be a table of the data themselves")
            source["data"] = self._unpacked(told)
            made = read_preset(self._name, source)
        except ConfigError as error:
            raise error.under(stretch.key("source")) from None
        data = made.configuration.data
        self._numbers += data.rows * (data.width + data.outputs)
        if self._numbers > MOST_NUMBERS:
            raise stretch.wrong("source", "makes the data of all branches too large")
        self._data[text] = made.source["data"], data
        return made

    def _with_known_data(self, source: dict[str, Any], table: dict[str, Any], data: Data) -> Preset:
        """The preset of ``source``, whose data were read before: reading them again takes long."""
        alike = {
            "inputs": [[0.0] * data.width],
            "targets": [[1.0] + [0.0] * (data.outputs - 1)],
        }
        made = read_preset(self._name, {**source, "data": alike})
        return replace(
            made,
            configuration=replace(made.configuration, data=data),
            source={**made.source, "data": table},
        )

    def changes(self, stretch: Fields) -> dict[str, Any]:
        """The dotted keys that were changed at the beginning of a stretch."""
        return self._unpacked(stretch.table("changes"))

    def _unpacked(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """``table`` with the large tables in their places, and nothing that cannot be shown."""
        return {_showable(key): self._plain(key, value) for key, value in table.items()}

    def _plain(self, key: str, value: Any) -> Any:
        if isinstance(value, str):
            return _showable(value)
        if isinstance(value, list):
            return [self._plain(key, each) for each in value]
        if not isinstance(value, dict):
            return value
        return self._table(key, value) if list(value) == ["table"] else self._unpacked(value)

    def _table(self, key: str, told: dict[str, Any]) -> list[list[float]]:
        place = Fields(told, key).wholes("table", 3, 0, MOST_NUMBERS)
        if len(place) == 3:
            start, rows, columns = place
            if start + rows * columns <= len(self._tables) and rows and columns:
                found = self._tables[start : start + rows * columns].reshape(rows, columns)
                return list(found.tolist())
        raise ConfigError(key, "names a table that is not there")


def _showable(text: str) -> str:
    """``text`` without what would disturb a terminal."""
    return "".join(each if each.isprintable() or each in "\n\t" else "?" for each in text)


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


def _marks(fields: Fields, states: Sequence[State]) -> dict[int, State | None]:
    """The checkpoints; those with a state of their own have that of their update."""
    marks: dict[int, State | None] = {}
    last = max(state.update for state in states)
    for each in fields.tables("marks", MOST_ENTRIES):
        update = each.whole("update", 0, last)
        place = each.optional("state", 0, len(states) - 1)
        state = None if place is None else states[place]
        if update in marks or (state is not None and state.update != update):
            raise each.wrong("update", "is not that of its state, or stands there twice")
        marks[update] = state
    return marks
