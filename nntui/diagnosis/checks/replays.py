"""Observe updates of the program on scratch copies, and replay them with known faults.

At the parameters of a run many a wrong rule shows nothing: a zero bias hides ``b -= lr*b``, a
dead layer hides all that lies below it.  So a program is also tried at random parameters with
biases that are not zero, and in batches of two sizes, so that a sum is told from a mean.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import overload

import numpy as np

from nntui.core.engine.network import Layout
from nntui.core.engine.state import Order, State
from nntui.core.engine.stepper import Stepper
from nntui.core.engine.trainer import learning_rate
from nntui.core.parts.activations import KINKS
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.tape import Array
from nntui.diagnosis.checks.tensor_names import Tensor, compared, tensors_of
from nntui.diagnosis.subject import Observed, Subject, with_batch

Rules = tuple[FaultEntry, ...]
"""Faults assumed in the program, added to the stated configuration."""

UPDATES = 2
"""Updates of a probe: the second one shows what an optimiser remembers."""
MOST_ROWS = 32
"""Samples of a batch on a scratch copy."""
MOST_ROWS_OF_RUN = 1000
"""Samples used of the run's own batch; a wrong rule shows in these as in all of them."""
CANDIDATES = 24
"""Random parameters examined to find some at which every tensor has a gradient."""
MOST_NUMBERS = 20_000_000
"""Numbers in cached replays: 160 MB."""
LEAST_KEPT = 4
SCRATCH = 3
"""How many random places are probed."""
MANY = 1_000_000
"""Parameters of a network that is probed at one random place only, and at its own: each place
takes as much memory as all of them."""
PLACES = RUN, OTHER_BIASES, ELSEWHERE = (
    "at the parameters of the run",
    "with other biases",
    "at other parameters",
)
"""Where programs are probed, in this order."""


@dataclass(frozen=True, eq=False)
class Probe:
    """`UPDATES` updates in a row from one place."""

    where: str
    """The place in words, one of `PLACES`."""
    epoch: int
    updates: "tuple[Seen, ...]"


@dataclass(frozen=True, eq=False)
class Made:
    """Result of one update, as vectors of the parameters that are `compared`."""

    gradient: Array
    step: Array
    """The change of the parameters."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One update that the program made, and where it began."""

    rows: Order
    """The training rows of its batch."""
    start: Array
    """All parameters before it, flat."""
    before: Array
    """Those of them that are `compared`."""
    made: Made


class Replay(Sequence[Made]):
    """The updates of one replay, each made when it is first asked for."""

    def __init__(self, updates: Iterator[Made], count: int) -> None:
        self._updates, self._count = updates, count
        self._made: list[Made] = []

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Made: ...
    @overload
    def __getitem__(self, at: slice) -> list[Made]: ...
    def __getitem__(self, at: int | slice) -> Made | list[Made]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(self._count))]
        while len(self._made) <= at < self._count:
            self._made.append(next(self._updates))
        return self._made[at]


class Replays:
    """Replays of ``probes`` with the ``stated`` configuration and any rules in it.

    ``rows`` are the training rows, inputs over targets, one column a sample; ``slopes`` are those
    that the author wrote and that are not the derivative, by layer.
    """

    def __init__(
        self,
        stated: Configuration,
        rows: Array,
        probes: tuple[Probe, ...],
        slopes: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        self.stated, self.probes, self.slopes = stated, probes, slopes
        self._rows = rows
        self._known: dict[Rules, Replay] = {}
        numbers = 2 * tensors_of(stated)[-1].part.stop * len(self.updates)
        self._most = max(LEAST_KEPT, MOST_NUMBERS // max(1, numbers))

    @property
    def observed(self) -> list[Made]:
        """What the program itself made, update by update."""
        return [update.made for update in self.updates]

    @cached_property
    def noise(self) -> list[Made]:
        """The effect of rounding on each update, found by changing the last bits of all inputs.

        If sums cancel, as in a converged network, that can be most of a gradient.
        """
        random = np.random.RandomState(1)
        nudged = tuple(
            replace(
                probe,
                updates=tuple(
                    replace(update, start=_nudged(update.start, random)) for update in probe.updates
                ),
            )
            for probe in self.probes
        )
        made = replayed(self.stated, (), _nudged(self._rows, random), nudged)
        with np.errstate(all="ignore"):
            return [
                Made(other.gradient - each.gradient, other.step - each.step)
                for other, each in zip(made, self.of(()), strict=True)
            ]

    @property
    def updates(self) -> list[Seen]:
        """The updates of all probes, as the lists of `Made` have them."""
        return [update for probe in self.probes for update in probe.updates]

    @property
    def firsts(self) -> range:
        """Which of these are the first of their probe, made without any memory."""
        return range(0, len(self.updates), UPDATES)

    def where(self, update: int) -> str:
        """The place of one of `updates`, in words."""
        return self.probes[update // UPDATES].where

    def of(self, rules: Rules) -> Replay:
        """The updates of a program with ``rules``, each from the observed parameters.

        The optimiser's state is that of the replay, so a rule has to hold at both updates.
        """
        known = self._known.pop(rules, None)
        if known is None:
            updates = replayed(self.stated, rules, self._rows, self.probes)
            known = Replay(updates, len(self.updates))
            if len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
        self._known[rules] = known
        return known

    def with_other_kinks(self) -> Iterator["Replays"]:
        """Replays with each other convention for slopes at kinks, if that makes a difference."""
        for kink in KINKS:
            layers = tuple(replace(layer, kink=kink) for layer in self.stated.layers)
            other = Replays(
                replace(self.stated, layers=layers), self._rows, self.probes, self.slopes
            )
            pairs = zip(self.of(()), other.of(()), strict=True)
            if not all(np.array_equal(one.gradient, two.gradient) for one, two in pairs):
                yield other


def _nudged(values: Array, random: np.random.RandomState) -> Array:
    """``values`` changed in the last bit, except zeros."""
    signs = random.choice([-1.0, 1.0], values.shape)
    return np.asarray(values * (1.0 + np.finfo(np.float64).eps * signs))


def replayed(
    stated: Configuration, rules: Rules, rows: Array, probes: Iterable[Probe]
) -> Iterator[Made]:
    """See `Replays.of`."""
    configuration, places = replace(stated, faults=rules), compared(stated)
    stepper = Stepper(with_batch(configuration, min(stated.batch_size, MOST_ROWS_OF_RUN)))
    for probe in probes:
        stepper.restore(probe.updates[0].start)
        stepper.clock.rate[...] = learning_rate(stated, probe.epoch)
        for seen in probe.updates:
            stepper.theta[...] = seen.start
            stepper.make(rows[:, seen.rows])
            yield _made(stepper.gradient, seen.start, stepper.theta, places)


def _made(gradient: Array, before: Array, after: Array, places: Order | slice) -> Made:
    with np.errstate(all="ignore"):
        return Made(np.array(gradient[places]), after[places] - before[places])


def probes_of(subject: Subject, theta: Array, epoch: int, rows: list[Order]) -> tuple[Probe, ...]:
    """The probes of a program whose run stands at ``theta``; ``rows`` are its next batches.

    Non-finite parameters are left out.  Of a network with more than `MANY` parameters fewer places
    are probed.
    """
    stated, places = subject.stated, compared(subject.stated)
    random = np.random.RandomState(0)
    batches = _batches(stated, random)
    found = []
    if np.isfinite(theta).all():
        own = [each[:MOST_ROWS_OF_RUN] for each in rows]
        found.append((RUN, theta, own))
        biased = theta.copy()
        for tensor in tensors_of(stated):
            if tensor.is_bias:
                biased[tensor.span] = 0.5 * random.randn(tensor.size)
        if theta.size <= MANY and not np.array_equal(biased, theta):
            found.append((OTHER_BIASES, biased, batches))
    found += [(ELSEWHERE, each, batches) for each in _alive(subject, random, batches)]

    def seen(each: Observed) -> Seen:
        made = _made(each.gradient, each.before, each.after, places)
        return Seen(each.rows, each.before, np.array(each.before[places]), made)

    return tuple(
        Probe(where, epoch, tuple(map(seen, subject.updates(place, taken, epoch))))
        for where, place, taken in found
    )


def next_rows(stated: Configuration, state: State) -> list[Order]:
    """The training rows of the next updates, wrapping around at the end of the epoch."""
    size, count = stated.batch_size, stated.updates_per_epoch
    order = np.arange(stated.data.training_rows) if state.order is None else state.order
    starts = [(state.position + each) % count * size for each in range(UPDATES)]
    return [order[start : start + size] for start in starts]


def _batches(stated: Configuration, random: np.random.RandomState) -> list[Order]:
    """Batches of random rows, of different sizes if possible."""
    size = min(stated.batch_size, MOST_ROWS)
    sizes = (size, max(1, size // 2) if size > 2 else 1)
    return [random.randint(0, stated.data.training_rows, each) for each in sizes]


def _alive(subject: Subject, random: np.random.RandomState, batches: list[Order]) -> list[Array]:
    """Random parameters at which as many tensors as possible have a gradient."""
    stated, tensors = subject.stated, tensors_of(subject.stated)
    spread = np.sqrt(np.mean(np.square(subject.data.x), axis=1))
    scale = np.where(spread > 0.0, 1.0 / np.where(spread > 0.0, spread, 1.0), 1.0)
    columns = np.concatenate([subject.data.x, subject.data.y])
    most = SCRATCH if Layout.of(stated).size <= MANY else 1
    place, nothing = np.empty(0), Made(np.empty(0), np.empty(0))

    def probes() -> Iterator[Probe]:
        nonlocal place
        for _ in range(CANDIDATES):
            place = _random_parameters(stated, random, scale)
            yield Probe("", 0, tuple(Seen(rows, place, nothing.step, nothing) for rows in batches))

    best: list[tuple[int, int, Array]] = []
    """How many gradients are missing, which candidate it is, and its parameters."""
    made = replayed(stated, (), columns, probes())
    for index, pair in enumerate(zip(*[made] * UPDATES, strict=True)):
        silent = sum(not _has_gradient(each, tensor) for each in pair for tensor in tensors)
        best = sorted([*best, (silent, index, place)], key=lambda each: each[:2])[:most]
        if len(best) == most and best[-1][0] == 0:
            break
    return [place for _, _, place in best]


def _has_gradient(made: Made, tensor: Tensor) -> bool:
    """Whether ``tensor`` has a gradient."""
    return bool(made.gradient[tensor.part].any())


def _random_parameters(stated: Configuration, random: np.random.RandomState, scale: Array) -> Array:
    """Weights that keep activations near 1, with inputs multiplied by ``scale``; biases near 0.5.

    Both signs occur everywhere, and nothing is zero.
    """
    layout = Layout.of(stated)
    theta = np.empty(layout.size)
    for index, (W, b) in enumerate(layout.views(theta)):
        W[...] = random.randn(*W.shape) * np.sqrt(2.0 / W.shape[1])
        if index == 0:
            W *= scale
        if b is not None:
            b[...] = 0.5 * random.randn(*b.shape)
    return theta
