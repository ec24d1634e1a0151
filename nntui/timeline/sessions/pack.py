"""Packing a captured session into a JSON manifest and vectors; `unpack` is the inverse."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from nntui import __version__
from nntui.core.engine.state import Order, State
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import check_rows
from nntui.presets.preset_table import embedded
from nntui.timeline.history.branch import Stretch
from nntui.timeline.sessions.archive import VECTORS, AnyVector
from nntui.timeline.sessions.capture import BranchCapture, Capture
from nntui.timeline.sessions.saved_presets import LONGEST_NAME
from nntui.timeline.sessions.unpack import FORMAT, VERSION

SMALL_TABLE = 256
"""Numbers of a data table that is kept readable in the manifest; larger ones become vectors."""


def pack(captured: Capture) -> tuple[str, dict[str, list[AnyVector]]]:
    """The manifest, as JSON, and the parts of each vector."""
    packer = _Packer()
    manifest = json.dumps(packer.manifest(captured), default=packer.encode, allow_nan=False)
    return manifest, packer.vectors


class _Packer:
    """Builds a manifest and parts of vectors; what several states share is stored once."""

    def __init__(self) -> None:
        self.vectors: dict[str, list[AnyVector]] = {name: [] for name in VECTORS}
        self._randoms: dict[int, int] = {}
        self._orders: dict[int, int] = {}
        self._tables: dict[Rows, int] = {}

    def manifest(self, captured: Capture) -> dict[str, Any]:
        first = captured.branches[0].stretches[0]
        return {
            "format": FORMAT,
            "version": VERSION,
            "nntui": __version__,
            "saved": captured.moment.isoformat(timespec="seconds"),
            "preset": {
                "name": _printable(first.preset.name),
                "source": _packable(first).source,
            },
            "active": captured.active,
            "cursor": captured.cursor,
            "view": captured.view,
            "branches": [self._branch(each, _packable(first).source) for each in captured.branches],
        }

    def encode(self, value: Any) -> Any:
        """``value`` as JSON can hold it: a large table as the place of its numbers."""
        if isinstance(value, Rows) and value.array.size > SMALL_TABLE:
            if value not in self._tables:
                self._tables[value] = sum(each.array.size for each in self._tables)
                self.vectors["tables"].append(value.array.ravel())
            return {"table": [self._tables[value], *value.array.shape]}
        return value.tolist()  # a small table, or NumPy's own numbers in changes by a program

    def _branch(self, branch: BranchCapture, base: Mapping[str, Any]) -> dict[str, Any]:
        states: dict[State, int] = {}
        kept = (state for _, state in branch.marks if state is not None)
        firsts = (stretch.first for stretch in branch.stretches)
        for state in (*branch.keyframes, *firsts, *kept, branch.head):
            states.setdefault(state, len(states))
        self._add_states(list(states))
        self.vectors["losses"] += branch.losses
        if branch.dead is not None:
            self.vectors["dead"].append(branch.dead.astype(np.uint8))
        flips = [(x.layer, x.unit, x.died, x.after, x.by) for x in branch.flips]
        self.vectors["flips"].append(np.array(flips, dtype=np.int64).ravel())
        return {
            "name": branch.name,
            "renamed": branch.renamed,
            "pinned": branch.pinned,
            "seed": branch.seed,
            "player": branch.head.player,
            "parent": branch.parent,
            "left_at": branch.left_at,
            "states": len(states),
            "keyframes": len(branch.keyframes),
            "distance": branch.distance,
            "stretches": [
                {
                    "state": states[stretch.first],
                    "since": stretch.first.since,
                    "changes": _packable(stretch).changes,
                    "source": _changed_tables(_packable(stretch).source, base),
                }
                for stretch in branch.stretches
            ],
            "marks": [
                {"update": update, "state": None if state is None else states[state]}
                for update, state in branch.marks
            ],
            "head": states[branch.head],
            "divergence": _divergence(branch.head),
            "looked_at": branch.checked_at,
            "flips": len(flips),
        }

    def _add_states(self, states: list[State]) -> None:
        numbers = [(each.update, self._random(each), self._order(each.order)) for each in states]
        self.vectors["states"].append(np.array(numbers).ravel())
        self.vectors["loss_sums"].append(np.array([each.loss_sum for each in states]))
        for state in states:
            self.vectors["parameters"].append(state.theta)
            self.vectors["slots"].extend(state.slots)

    def _random(self, state: State) -> int:
        """The number of the state's random state; most states share one."""
        place = self._randoms.setdefault(id(state.random), len(self._randoms))
        if place == len(self.vectors["random_keys"]):
            _, key, at, has_gauss, gauss = state.random
            self.vectors["random_keys"].append(key)
            self.vectors["random_places"].append(np.array([at, has_gauss]))
            self.vectors["random_gauss"].append(np.array([gauss]))
        return place

    def _order(self, order: Order | None) -> int:
        if order is None:
            return -1
        place = self._orders.setdefault(id(order), len(self._orders))
        if place == len(self.vectors["orders"]):
            self.vectors["order_sizes"].append(np.array([order.size]))
            self.vectors["orders"].append(order)
        return place


def _divergence(state: State) -> dict[str, Any] | None:
    return None if state.divergence is None else asdict(state.divergence)


def _changed_tables(source: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of ``source`` that differ from those of ``base``; None for one that is missing."""
    names = {**base, **source}
    return {name: source.get(name) for name in names if source.get(name) != base.get(name)}


def _printable(name: str) -> str:
    """The name of a preset's file, without control characters."""
    return "".join(each if each.isprintable() else "?" for each in name)[:LONGEST_NAME] or "?"


@dataclass(frozen=True)
class _Packable:
    """A stretch's preset as a table, CSV rows included, and its changes; data rows as `Rows`."""

    source: dict[str, Any]
    changes: dict[str, Any]


_stretches: WeakKeyDictionary[Stretch, _Packable] = WeakKeyDictionary()


def _packable(stretch: Stretch) -> _Packable:
    """``stretch`` as it is written; cached, since a stretch never changes."""
    found = _stretches.get(stretch)
    if found is None:
        found = _Packable(embedded(stretch.preset), dict(_items(stretch.changes)))
        _stretches[stretch] = found
    return found


def _items(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The entries of ``table``, with every large list of rows in it as `Rows`."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield key, dict(_items(value))
        else:
            yield key, check_rows(key, value) if _is_large(value) else value


def _is_large(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or not value or not isinstance(value[0], (list, tuple)):
        return False
    return len(value) * len(value[0]) > SMALL_TABLE
