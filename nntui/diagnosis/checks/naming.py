"""Identify a wrong update: replay every known fault and accept an exact match.

The search goes down from the output layer, because a fault in a layer disturbs only that layer
and those below.  At each layer three things can be wrong: how the gradient passes through the
layer above, which derivative is used, and how the finished gradient is changed.  Whatever matches
no known fault remains unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from nntui.core.engine.network import Layout, has_effect
from nntui.core.engine.update import clips
from nntui.core.errors import ConfigError
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.tape import Array
from nntui.diagnosis.checks.replays import Replays, Rules
from nntui.diagnosis.checks.tensor_names import Tensor, tensors_of
from nntui.diagnosis.checks.update_check import FAULT, agrees, is_clear
from nntui.diagnosis.deadline import NEVER, Deadline

UPDATED, UNWEIGHTED, SHRUNK = BACK = (
    "update-before-backprop",
    "no-weights-in-backprop",
    "penalty-before-update",
)
"""Faults of a layer in the weights that pass the gradient down."""
PASSED = "error-for-delta"
"""A fault of a layer in what is passed down through them."""
DERIVATIVE, AT_VALUE = "derivative", "derivative-at-a"
GRADIENT = "gradient"
PLACED = (
    "outer(delta, a)",
    "outer(delta, z)",
    "dot(delta, a)",
    "dot(delta, x)",
    "outer(error, x)",
    "outer(a, x)",
    "W",
)
"""What is tried in the place of the weights' gradient, where its shape fits: the commonest slips
are a layer's own output in the place of its input, and one number for the outer product."""
SIGN, SUM, FACTOR = "wrong-sign", "sum-for-mean", "wrong-factor"
"""Faults that multiply a layer's gradient."""
MOST_PLACED = 10_000
"""Parameters; in a larger network these are tried with the right delta only."""
BIAS = ("bias-decay", "frozen-bias")
"""Faults of a bias's gradient."""
KNOWN = (*BIAS, *BACK, PASSED, DERIVATIVE, AT_VALUE, GRADIENT, SIGN, SUM, FACTOR)
"""The faults that are tried."""


@dataclass(frozen=True)
class Explanation:
    """The known faults that explain a program's updates."""

    rules: Rules
    """The faults that reproduce the observed updates, each with its layers."""
    unknown: tuple[Tensor, ...] = ()
    """Tensors whose updates no known fault reproduces, from the output down."""
    alike: tuple[tuple[FaultEntry, FaultEntry], ...] = ()
    """Pairs of faults that produce identical updates of this program."""
    complete: bool = True
    """Whether every known fault was tried; False if time ran out."""


class OutOfTimeError(Exception):
    """The deadline passed before all faults were tried."""


def explain_update(replays: Replays, base: Rules = (), deadline: Deadline = NEVER) -> Explanation:
    """Find the fewest faults, besides ``base``, that reproduce the observed updates.

    Two updates from each of several random places are matched to 1e-9, which rules out a match by
    chance.  Faults that cannot be told apart here are `Explanation.alike`.  Raises
    OutOfTimeError once ``deadline`` has passed.
    """
    walk = _Walk(replays, base, deadline)
    for layer in reversed(range(len(replays.stated.layers))):
        walk.visit(layer)
    tensors, unknown = tensors_of(replays.stated), walk.unknown

    def off(rules: Rules) -> list[Tensor]:
        made = replays.of(rules)
        return [each for each in tensors if not agrees(replays, made, each.part, "step")]

    rules = walk.joined()
    if replays.stated.training.clip_norm is not None and off(rules):
        # What is updated early is clipped apart, which shows even in layer 0.
        early = (*rules, FaultEntry(name=UPDATED, layers=(0,)))
        rules = early if not off(early) else rules
    unknown += [tensor for tensor in off(rules) if tensor not in unknown]
    unknown.sort(key=lambda each: (-each.layer, each.is_bias))
    return Explanation(rules, tuple(unknown), tuple(walk.alike))


class _Walk:
    """The search from the output layer down; findings of a layer are assumed in those below."""

    def __init__(self, replays: Replays, base: Rules, deadline: Deadline) -> None:
        self.replays, self.base, self.found, self.deadline = replays, base, base, deadline
        self.unknown: list[Tensor] = []
        self.alike: list[tuple[FaultEntry, FaultEntry]] = []
        self._stated = replays.stated
        # A clipped norm ties the layers together: then a step says nothing of its layer alone.
        tied = self._stated.training.clip_norm is not None
        self._evidence = ["gradient"] if tied else ["both", "step"]
        linear = self._stated.training.optimiser in ("sgd", "nesterov")
        self._steps_scale = linear and not clips(self._stated)

    def _explains(self, rules: Rules, tensors: list[Tensor], by: str) -> bool:
        if self.deadline.passed:
            raise OutOfTimeError
        made = self.replays.of(rules)
        return all(agrees(self.replays, made, tensor.part, by) for tensor in tensors)

    def visit(self, layer: int) -> None:
        """Find what explains ``layer``."""
        tensors = [each for each in tensors_of(self._stated) if each.layer == layer]
        if self._explains(self.found, tensors, self._evidence[0]):
            return
        for by in self._evidence:
            whole = self._smallest(layer, tensors, by)
            if whole and whole[0]:
                self._take(whole)
                return
        most, least = self._evidence[0], self._evidence[-1]
        self._take(self._smallest(layer, tensors[:1], least) or [()])
        # Where every step is right, it is the reported gradient that is not.
        self.unknown += self._unexplained(tensors, least) or self._unexplained(tensors, most)

    def _unexplained(self, tensors: list[Tensor], by: str) -> list[Tensor]:
        return [each for each in tensors if not self._explains(self.found, [each], by)]

    def _smallest(self, layer: int, tensors: list[Tensor], by: str) -> list[Rules]:
        """The smallest sets of rules that explain ``tensors``, those of ``layer`` or its W."""
        found: list[Rules] = []
        most = np.inf
        for way in self._ways(layer):
            if len(way) > most:
                break
            scales = (
                scale
                for tensor in tensors
                for scale in self._scales(layer, (*self.found, *way), tensor)
            )
            for more in ((), *scales):
                rules = self._with_bias((*way, *more), tensors, by)
                if rules is not None:
                    found.append(rules)
                    most = len(way)
                    break
        if not found:
            found = self._placed(layer, tensors, by)
        fewest = min(map(len, found), default=0)
        return [rules for rules in found if len(rules) == fewest]

    def _with_bias(self, rules: Rules, tensors: list[Tensor], by: str) -> Rules | None:
        """``rules``, with what more explains the bias if it is among ``tensors``, or None."""
        if not self._explains((*self.found, *rules), tensors[:1], by):
            return None
        candidates = [rules]
        if len(tensors) > 1:
            for name in BIAS:
                entry = FaultEntry(name=name, layers=(tensors[0].layer,))
                # In front of a factor, what is taken for the bias's gradient is multiplied too.
                candidates += [(*rules, entry), (entry, *rules)]
        whole = (each for each in candidates if self._explains((*self.found, *each), tensors, by))
        return next(whole, None)

    def _take(self, explanations: list[Rules]) -> None:
        """Take the first of some that explain the same; the others are noted."""
        first = explanations[0]
        self.found = (*self.found, *first)
        for other in explanations[1:]:
            pairs = zip(first, other, strict=True)
            self.alike += [pair for pair in pairs if pair[0] != pair[1]]

    def _ways(self, layer: int) -> list[Rules]:
        """The ways in which the delta of ``layer`` can come to be, the simplest first."""
        top = layer + 1 == len(self._stated.layers)
        backs: list[Rules] = [()]
        if not top:
            backs = [
                tuple(FaultEntry(name=name, layers=(layer + 1,)) for name in names)
                for through in ((), *((name,) for name in BACK), (UPDATED, SHRUNK))
                for names in (through, (*through, PASSED))
            ]
            backs = [
                each for each in backs if all(has_effect(self._stated, entry) for entry in each)
            ]
        slopes: list[Rules] = [()]
        if not (top and LOSSES[self._stated.training.loss].needs_output is not None):
            at = (layer,)
            of = [(FaultEntry(name=DERIVATIVE, layers=at, of=each),) for each in ACTIVATIONS]
            slopes += [of[0], (FaultEntry(name=AT_VALUE, layers=at),), *of[1:]]
        ways = sorted(((*back, *slope) for slope, back in product(slopes, backs)), key=len)
        written = self.replays.slopes.get(layer)
        if written is None or len(slopes) == 1:
            return ways
        wrong = FaultEntry(name=DERIVATIVE, layers=(layer,), of=written)
        backs.sort(key=len)
        return [*((*back, wrong) for back in backs), *ways]

    def _placed(self, layer: int, tensors: list[Tensor], by: str) -> list[Rules]:
        """The first explanation in which something stands in the place of the weights' gradient."""
        large = Layout.of(self._stated).size > MOST_PLACED
        for way in self._ways(layer)[: 1 if large else None]:
            for of in PLACED:
                entry = FaultEntry(name=GRADIENT, layers=(layer,), of=of)
                try:
                    replace(self._stated, faults=(entry,))
                except ConfigError:
                    continue  # its shape is not that of the weights
                placed = (*way, entry)
                scales = self._scales(layer, (*self.found, *placed), tensors[0])
                for scale in ((), *scales):
                    rules = self._with_bias((*placed, *scale), tensors, by)
                    if rules is not None:
                        return [rules]
        return []

    def _scales(self, layer: int, rules: Rules, tensor: Tensor) -> Iterator[Rules]:
        """What the gradients that ``rules`` give may have been multiplied by."""
        made, observed = self.replays.of(rules), self.replays.observed
        # Only a first step is the gradient times a number: later ones remember others.
        firsts = self.replays.firsts if self._steps_scale else ()
        for places, of in ((range(len(made)), "gradient"), (firsts, "step")):
            factors, samples = [], []
            for at in places:
                one, two = (getattr(each[at], of)[tensor.part] for each in (observed, made))
                both = (each[at].gradient for each in (observed, made))
                if all(is_clear(gradient, tensor.part) for gradient in both):
                    factors.append(_factor(one, two))
                    samples.append(float(len(self.replays.updates[at].rows)))
                    if np.isnan(factors[-1]):
                        break
            if factors and not np.isnan(factors[-1]):
                yield from self._multiples(layer, np.array(factors), np.array(samples))

    def _multiples(self, layer: int, factors: Array, samples: Array) -> Iterator[Rules]:
        """Rules that multiply the gradients of updates of ``samples`` by ``factors``."""
        at = (layer,)
        mean = self._stated.training.reduction == "mean"
        for divisor, rules in (
            (np.ones_like(factors), ()),
            (samples if mean else 1.0 / samples, (FaultEntry(name=SUM, layers=at),)),
        ):
            factor = factors / divisor
            if not np.allclose(factor, factor[0], rtol=FAULT, atol=0.0):
                continue
            number = float(f"{factor[0]:.10g}")
            if number == -1.0:
                yield (*rules, FaultEntry(name=SIGN, layers=at))
            elif number != 1.0:
                yield (*rules, FaultEntry(name=FACTOR, layers=at, factor=number))
            elif rules:
                yield rules

    def joined(self) -> Rules:
        """What is found, with equal rules of several layers in one entry."""
        layers: dict[FaultEntry, list[int]] = {}
        for entry in self.found[len(self.base) :]:
            layers.setdefault(replace(entry, layers=None), []).extend(entry.layers or ())
        joined = [replace(entry, layers=tuple(sorted(at))) for entry, at in layers.items()]
        # Within a layer the order of what is done to a bias's gradient can count.
        last = sorted(joined, key=lambda entry: entry.name in BIAS)
        first = sorted(joined, key=lambda entry: entry.name not in BIAS)
        orders = ((*self.base, *each) for each in (joined, last, first))
        return next((rules for rules in orders if self._same(rules)), self.found)

    def _same(self, rules: Rules) -> bool:
        mine, theirs = self.replays.of(rules), self.replays.of(self.found)
        return all(
            np.array_equal(one.gradient, two.gradient, equal_nan=True)
            for one, two in zip(mine, theirs, strict=True)
        )


def _factor(observed: Array, made: Array) -> float:
    """By least squares, ``observed = factor * made``; NaN where that does not hold."""
    with np.errstate(all="ignore"):
        factor = np.dot(observed, made) / np.dot(made, made)
        off = np.linalg.norm(observed - factor * made)
        holds = off <= FAULT * np.linalg.norm(observed) and factor != 0.0
    return float(factor) if holds else np.nan
