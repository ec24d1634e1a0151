"""Reads the layers of a network off one recorded update: which value is which unit's.

A level is a layer by its depth.  Each of its values gets a code, its unit and sample, that is sent
along to what is computed of it element by element, until the next layer's product takes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nntui.program.judge.update.recorded_update import Recording
from nntui.program.recognise.reading.layers.identities import (
    CONSTANT,
    FIRST,
    Identities,
    moved,
    moves,
)
from nntui.program.recognise.reading.layers.sums import MATRIX_PRODUCTS, Block, Sums
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.record.node import Node, Ref
from nntui.program.record.places import Places

Array = np.ndarray

SAMPLES = 1 << 22
"""More than any update has; a code is ``FIRST + unit * SAMPLES + sample``."""
REDUCING = MATRIX_PRODUCTS | {
    "sum", "mean", "max", "min", "prod", "norm", "einsum", "tensordot", "cumsum", "argmax",
    "argmin", "average", "var", "std", "logsumexp", "trace", "sort", "argsort",
}  # fmt: skip
"""Operations whose results belong to no single element."""


@dataclass
class Level:
    """One layer as it was found: everything in the order of its units and samples."""

    weights: Array
    """Identities of W, (units, inputs)."""
    bias: Array | None
    """Identities of b, (units,)."""
    negative: bool
    x: Array
    """The inputs, (inputs, samples)."""
    inputs: Array
    """Identities of the inputs."""
    roots: list[Node]
    z: Array
    """(units, samples)."""
    products: list[Node]
    f: Array = field(default_factory=lambda: np.zeros((0, 0)))
    """f(z), (units, samples)."""
    f_nodes: list[Node] = field(default_factory=list)
    """The values that hold it."""
    behind: bool = False
    """Whether the bias is added to f(W x)."""


class Stack:
    """The levels of ``recording``, whose loss is read off the nodes ``tops``.

    ``parameters`` are the names of what is trained.  Raises NoCounterpartError for what is no stack
    of dense layers.
    """

    def __init__(
        self,
        recording: Recording,
        parameters: Sequence[str],
        forward: Sequence[int],
        places: Places,
    ) -> None:
        self.recording, self.nodes = recording, recording.nodes
        self.identities = Identities(recording.nodes)
        self.names = tuple(parameters)
        numbers = [self.identities.of(recording.start[name]).reshape(-1) for name in parameters]
        owners = [np.full(each.size, at) for at, each in enumerate(numbers)]
        self._owned = np.concatenate(numbers), np.concatenate(owners)
        self._flat = np.concatenate([np.arange(each.size) for each in numbers])
        self.forward = forward
        self.parameters = np.unique(self._owned[0])
        self.mask = recording.mask(parameters)
        self.sums = Sums(recording.nodes, forward, self.identities, self.parameters, places)
        self.depth = self._depths()
        self.codes: dict[int, Array] = {}
        """By node number, the codes of its elements."""
        self.level_of: dict[int, int] = {}
        """The level that these are of, from 1 on."""
        self.levels: list[Level] = []
        blocks: dict[int, list[Block]] = {}
        for root in self.sums.roots(recording.users):
            blocks.setdefault(self.depth[root.number], []).append(self.sums.read(root))
        if not blocks:
            raise NoCounterpartError("no layer computes W x + b of the parameters found")
        self._check_depths(blocks)
        if sorted(blocks) != list(range(1, len(blocks) + 1)):
            raise NoCounterpartError(
                "the layers do not follow one another", blocks[max(blocks)][0].root
            )
        for depth in range(1, len(blocks) + 1):
            self._add(blocks[depth])
            for root in self.levels[-1].roots:
                self.level_of[root.number] = depth
            self._send_codes(depth)
            if depth > 1:
                self._join(*self.levels[-2:])

    def kept(self, numbers: Array) -> tuple[Array, Array]:
        """Which parameter holds each of these elements, by its number, and its flat position."""
        known, owners = self._owned
        order = np.argsort(known, kind="stable")
        at = order[np.searchsorted(known[order], numbers)]
        return owners[at], self._flat[at]

    def _depths(self) -> dict[int, int]:
        """By number of a forward node, how many layers lie at or before it."""
        found: dict[int, int] = {}
        for number in self.forward:
            node = self.nodes[number]
            depth = max((found.get(each.number, 0) for each in node.inputs), default=0)
            if number in self.sums.products:
                depth += 1
            found[number] = depth
        return found

    def _check_depths(self, blocks: dict[int, list[Block]]) -> None:
        """Raise NoCounterpartError for weights that are used by several layers."""
        used: dict[bytes, int] = {}
        for depth, found in blocks.items():
            for block in found:
                for row in block.weights:
                    if used.setdefault(row.tobytes(), depth) != depth:
                        raise NoCounterpartError(
                            "weights are used at several depths, as in a recurrent network",
                            block.products[0],
                        )

    # One level.

    def _add(self, blocks: Sequence[Block]) -> None:
        rows: dict[bytes, int] = {}
        counts: list[int] = []
        weights: list[Array] = []
        biases: list[float] = []
        columns: list[Array] = []
        values: list[Array] = []
        placed: list[tuple[Block, Array, Array]] = []
        for block in blocks:
            order = self._column_order(block, columns, counts, rows)
            own = block.weights[:, order]
            unit = np.empty(len(own), int)
            for at, row in enumerate(own):
                key = row.tobytes()
                if key not in rows:
                    rows[key] = len(rows)
                    weights.append(row)
                    biases.append(CONSTANT if block.bias is None else float(block.bias[at]))
                    counts.append(0)
                unit[at] = rows[key]
            begins = {counts[each] for each in unit}
            if len(begins) != 1:
                raise NoCounterpartError("the units of a layer see different samples", block.root)
            begin, samples = begins.pop(), block.inputs.shape[1]
            for each in unit:
                counts[each] += samples
            for at in range(samples):
                if begin + at == len(columns):
                    columns.append(block.inputs[order, at])
                    values.append(block.values[order, at])
            placed.append((block, unit, np.arange(begin, begin + samples)))
        if len(set(counts)) != 1:
            raise NoCounterpartError("the units of a layer see different samples", blocks[0].root)
        if len({len(each) for each in weights}) != 1:
            raise NoCounterpartError("the units of a layer have different inputs", blocks[0].root)
        z = np.empty((len(rows), counts[0]))
        for block, unit, sample in placed:
            units, samples = unit[block.unit], sample[block.sample]
            shape = np.shape(block.root.value)
            z[units, samples] = np.asarray(block.root.value).reshape(-1)
            codes = FIRST + units.astype(float) * SAMPLES + samples
            self.codes[block.root.number] = codes.reshape(shape)
        bias = np.array(biases)
        if (bias == CONSTANT).any() and not (bias == CONSTANT).all():
            raise NoCounterpartError("some units of a layer have no bias", blocks[0].root)
        self.levels.append(
            Level(
                np.stack(weights),
                None if bias[0] == CONSTANT else bias,
                blocks[0].negative,
                np.stack(values, axis=1),
                np.stack(columns, axis=1),
                [block.root for block in blocks],
                z,
                [node for block in blocks for node in block.products],
            )
        )

    def _column_order(
        self,
        block: Block,
        columns: Sequence[Array],
        counts: Sequence[int],
        rows: dict[bytes, int],
    ) -> Array:
        """How the inputs of ``block`` are put into the order of those known of the same sample."""
        same = np.arange(len(block.inputs))
        if not columns or len(columns[0]) != len(same):
            return same
        key = block.weights[0].tobytes()
        at = counts[rows[key]] if key in rows else 0
        if at >= len(columns):
            known, own = columns[0], block.inputs[:, 0]
            if (known == own).all() or len(self.levels) == 0:
                return same
            known = self._units_of(known)
            own = self._units_of(own)
        else:
            known, own = columns[at], block.inputs[:, 0]
        if (known == own).all() or set(known.tolist()) != set(own.tolist()):
            return same
        where = {each: place for place, each in enumerate(own.tolist())}
        return np.array([where[each] for each in known.tolist()])

    def _units_of(self, numbers: Array) -> Array:
        """The units of the level before that elements are of, for other samples alike."""
        codes = self._codes_of(numbers)
        return np.where(codes >= FIRST, (codes - FIRST) // SAMPLES, codes)

    def _codes_of(self, numbers: Array) -> Array:
        """The codes of elements by their identities; `CONSTANT` for those without."""
        sources, positions = self.identities.sources(numbers)
        found = np.full(numbers.shape, CONSTANT)
        for source in np.unique(sources):
            if source >= 0 and source in self.codes:
                here = sources == source
                found[here] = self.codes[source].reshape(-1)[positions[here]]
        return found

    # The codes of what follows a level.

    def _send_codes(self, depth: int) -> None:
        """Send the codes of level ``depth`` along to all that is computed of it by element."""
        start = min(root.number for root in self.levels[-1].roots)
        for node in self.nodes[start:]:
            number = node.number
            if number in self.codes or not node.inputs:
                continue
            if self.depth.get(number, depth) != depth:
                continue
            known = {
                each.number: self.codes[each.number]
                for each in node.inputs
                if self.level_of.get(each.number) == depth
            }
            if not known:
                continue
            sent: Array | None = None
            if moves(node):
                sent = moved(node, known)
            elif node.operation not in REDUCING:
                same = [each for each in known.values() if each.shape == np.shape(node.value)]
                if same and all((each == same[0]).all() for each in same[1:]):
                    sent = same[0]
            if sent is not None and (sent >= FIRST).any():
                self.codes[number], self.level_of[number] = sent, depth

    # What joins two levels.

    def _join(self, below: Level, above: Level) -> None:
        """Find f(z) of ``below`` among the inputs of ``above``, and put those in its order."""
        codes = self._codes_of(above.inputs)
        sample = np.where(codes >= FIRST, (codes - FIRST) % SAMPLES, CONSTANT)
        unit = np.where(codes >= FIRST, (codes - FIRST) // SAMPLES, CONSTANT)
        joined = (codes >= FIRST).all(axis=1)
        product = above.products[0]
        for row in np.flatnonzero(~joined):
            if (codes[row] >= FIRST).any() or not (above.x[row] == 1.0).all():
                raise NoCounterpartError("a layer takes more than the layer below it", product)
        if (sample[joined] != np.arange(sample.shape[1])).any():
            raise NoCounterpartError("a layer mixes samples, as a convolution does", product)
        rows = unit[joined]
        if (rows != rows[:, :1]).any() or sorted(rows[:, 0]) != list(range(len(below.weights))):
            raise NoCounterpartError("a layer does not take every unit below it once", product)
        ones = np.flatnonzero(~joined)
        if ones.size:
            if ones.size > 1 or above.bias is not None:
                raise NoCounterpartError("a layer has two biases", product)
            above.bias, above.negative = above.weights[:, ones[0]], False
        order = np.flatnonzero(joined)[np.argsort(rows[:, 0])]
        above.weights, above.x, above.inputs = (
            above.weights[:, order],
            above.x[order],
            above.inputs[order],
        )
        sources = np.unique(self.identities.sources(above.inputs)[0])
        self.set_value(below, [self.nodes[each] for each in sources])

    def set_value(self, level: Level, sources: Sequence[Node]) -> None:
        """``sources`` hold what ``level`` hands on."""
        roots = {root.number for root in level.roots}
        level.f = np.full(level.z.shape, np.nan)
        bias = np.full(len(level.z), CONSTANT)
        for source in sources:
            codes = self.codes[source.number].reshape(-1)
            units, samples = self._places(codes)
            held = source
            if source.number not in roots and source.operation == "+":
                for one, other in ((0, 1), (1, 0)):
                    added, kept = source.arguments[one], source.arguments[other]
                    if (
                        isinstance(added, Ref)
                        and isinstance(kept, Ref)
                        and self.sums.is_pure(added.node)
                    ):
                        held, level.behind = kept.node, True
                        numbers = self.identities.of(added.node)
                        bias[units] = np.broadcast_to(numbers, np.shape(source.value)).reshape(-1)
            value = np.broadcast_to(np.asarray(held.value, float), np.shape(source.value))
            level.f[units, samples] = value.reshape(-1)
            level.f_nodes.append(held)
        if level.behind:
            if level.bias is not None:
                raise NoCounterpartError("a layer has two biases", sources[0])
            level.bias = bias

    @staticmethod
    def _places(codes: Array) -> tuple[Array, Array]:
        units, samples = np.divmod(codes - FIRST, SAMPLES)
        return units.astype(int), samples.astype(int)
