"""Fits the rule and the constants of an optimiser to the steps that a program makes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.configuration import Configuration
from nntui.program.recognise.description import Description
from nntui.program.recognise.fitting.forced_updates import ForcedUpdates, agree, ratio
from nntui.program.recognise.fitting.round_numbers import digits_of, is_near, written

Array = np.ndarray
Keys = dict[str, Any]

SHARES, EPSILONS = (0.9, 0.999, 0.99, 0.95), (1e-8, 1e-7, 1e-10, 0.0)
"""The usual constants of Adam and RMSProp, tried behind the program's own."""


@dataclass(frozen=True)
class Rule:
    """The entries of a preset's training table that make an optimiser."""

    keys: Keys
    """Without the learning rate; penalties as factors of the gradient of the summed half loss."""
    rate: float
    """May be negative, where the program goes uphill."""


class OptimiserFit:
    """Fits rules to the steps of one part of the parameters."""

    def __init__(self, updates: ForcedUpdates, description: Description) -> None:
        self._updates, self._description = updates, description
        self.is_followed = True
        """Whether the steps that were fitted last follow the gradient's signs."""
        self._first, self._few = updates.first_of_each(1), updates.first_of_each(3)
        values = [each.value for each in description.constants]
        self.constants = sorted({abs(each) for each in values if each})
        rows = len(description.inputs)
        outputs = description.targets.shape[1]
        sizes = {2, rows, outputs, 2 * rows, outputs * rows, *updates.samples.tolist()}
        self.divisors = sorted(each for each in sizes if each > 1)

    def fit(self, configuration: Configuration, part: slice) -> Rule | None:
        """The rule by which the ``part`` of the parameters follows its gradient; None if none does.

        ``configuration`` gives the gradient; its own optimiser does not matter.
        """
        self.is_followed = True
        if self._description.adapts:
            self.is_followed = self._has_signs(configuration, part)
            return self._adaptive(configuration, part) if self.is_followed else None
        plain = _with(configuration, {})
        if self._description.clips:
            found = self._clipped(configuration, part)
            if found is not None:
                return found
        if not self._begins(self._first.make(plain).gradients[:, part], part):
            return None
        gradients = self._updates.make(plain).gradients[:, part]
        return self._linear(gradients, part) or self._scheduled(configuration, part, {})

    def _has_signs(self, configuration: Configuration, part: slice) -> bool:
        """Whether the first steps go along the gradient's signs, all of them or none."""
        g = self._first.make(_with(configuration, {})).gradients[:, part]
        s = self._first.steps[:, part]
        if not np.isfinite(g).all():
            return False
        strong = np.abs(g) > 1e-6 * np.abs(g).max(axis=1, keepdims=True)
        signs = np.sign(g[strong]) * np.sign(s[strong])
        return bool(signs.size) and bool((signs == signs[0]).all()) and signs[0] != 0.0

    def _begins(self, g: Array, part: slice) -> bool:
        """Whether the first steps, before there is any memory, follow the gradient ``g``."""
        if not np.isfinite(g).all():
            return False
        s, w = self._first.steps[:, part], self._first.theta[:, part]
        sets = ((g,), (g, w), (g, np.sign(w)), (g, w, np.sign(w)))
        return any(
            _solved([("", each) for each in basis], s, w, needed=False) is not None
            for basis in sets
        )

    # Rules that are linear in the gradient.

    def _linear(self, g: Array, part: slice) -> Rule | None:
        updates = self._updates
        s, w, first = updates.steps[:, part], updates.theta[:, part], updates.first
        s_before, g_before = _before(s, first), _before(g, first)
        sets: list[tuple[tuple[str, Array], ...]] = [(("g", g),), (("g", g), ("w", w))]
        sets += [
            (("g", g), ("s", s_before)),
            (("g", g), ("s", s_before), ("w", w)),
            (("g", g), ("s", s_before), ("h", g_before)),
            (("g", g), ("sign", np.sign(w))),
            (("g", g), ("w", w), ("sign", np.sign(w))),
        ]
        for basis in sets:
            solved = _solved(basis, s, w)
            if solved is not None:
                rule = self._read(dict(zip([name for name, _ in basis], solved, strict=True)))
                if rule is not None:
                    return rule
        return None

    def _read(self, found: dict[str, float]) -> Rule | None:
        keys: Keys = {}
        rate = found["g"]
        if not rate:
            return None
        momentum = found.get("s")
        if momentum is not None:
            if not 0.0 < momentum < 1.0:
                return None
            momentum = written(momentum, self.constants)
            keys["momentum"] = momentum
        if "h" in found:
            assert momentum is not None
            # s = rate*(1 + m)*g + m*s_before - rate*m*g_before
            rate /= 1.0 + momentum
            if not is_near(found["h"], -rate * momentum):
                return None
            keys["optimiser"] = "nesterov"
        elif momentum is not None:
            damped = rate / (1.0 - momentum)
            averages = any(is_near(1.0 - momentum, each) for each in self.constants)
            if averages and momentum != 0.5 and self._score(damped) > self._score(rate):
                keys["dampening"], rate = momentum, damped
        share = 1.0 - keys.get("dampening", 0.0)
        for name, key in (("w", "l2"), ("sign", "l1")):
            if name in found:
                value = found[name] / (rate * share)
                if value <= 0.0:
                    return None
                keys[key] = value
        return Rule(keys, rate)

    def _score(self, rate: float) -> float:
        """How likely the program says this rate, for a loss that is known up to a factor."""
        rates = [abs(rate) / factor for factor in (1, *self.divisors)]
        known = any(is_near(each, other) for each in rates for other in self.constants)
        return 10.0 * known - digits_of(abs(rate))

    def _clipped(self, configuration: Configuration, part: slice) -> Rule | None:
        """Gradients that are cut to, or shrunk to, one of the program's constants."""
        penalties = (0.0, *(each for each in self.constants if each < 1.0))
        for key in self._clips(configuration, part):
            for bound, l2 in product(self.constants, penalties):
                keys: Keys = {key: bound, **({"l2": l2} if l2 else {})}
                rate = self._full_rate(configuration, part, keys)
                if rate is not None:
                    return Rule(keys, written(rate, self.constants))
        return None

    def _clips(self, configuration: Configuration, part: slice) -> list[str]:
        """How gradients may be clipped, by their directions and signs in the first updates."""
        g = self._first.make(_with(configuration, {})).gradients[:, part]
        s, w = self._first.steps[:, part], self._first.theta[:, part]
        if not np.isfinite(g).all():
            return []
        found = []
        if all(
            any(
                _solved([("", each[at : at + 1]) for each in basis], s[at : at + 1], w, False)
                is not None
                for basis in ((g,), (g, w))
            )
            for at in range(len(g))
        ):
            found.append("clip_norm")
        strong = np.abs(g) > 1e-6 * np.abs(g).max(axis=1, keepdims=True)
        if (np.sign(g[strong]) == np.sign(s[strong])).all():
            found.append("clip_value")
        return found

    # Rules that scale every parameter's step.

    def _adaptive(self, configuration: Configuration, part: slice) -> Rule | None:
        """Adam or RMSProp; what does not give the very first steps is not tried any further."""
        shares = [each for each in self.constants if 0.5 <= each < 1.0]
        shares += [each for each in SHARES if each not in shares]
        small = [each for each in self.constants if each < 1e-3]
        epsilons = [*small, *(each for each in EPSILONS if each not in small)]
        for epsilon in epsilons:
            keys: Keys = {"optimiser": "adam", "epsilon": epsilon}
            if self._rate(configuration, part, keys, self._first) is None:
                continue  # the first step does not depend on the shares
            for beta1, beta2 in product((*shares, 0.0), shares):
                betas = {**keys, "beta1": beta1, "beta2": beta2}
                rate = self._full_rate(configuration, part, betas) if beta1 < beta2 else None
                if rate is not None:
                    return Rule(betas, rate)
        for rho, epsilon in product(shares, epsilons):
            keys = {"optimiser": "rmsprop", "rho": rho, "epsilon": epsilon}
            rate = self._full_rate(configuration, part, keys)
            if rate is not None:
                return Rule(keys, rate)
        for keys in ({"optimiser": "adam"}, {"optimiser": "rmsprop"}):
            rule = self._scheduled(configuration, part, dict(keys))
            if rule is not None:
                return rule
        return None

    def _full_rate(self, configuration: Configuration, part: slice, keys: Keys) -> float | None:
        if self._rate(configuration, part, keys, self._few) is None:
            return None
        return self._rate(configuration, part, keys, self._updates)

    def _rate(
        self, configuration: Configuration, part: slice, keys: Keys, updates: ForcedUpdates
    ) -> float | None:
        """The rate at which these ``keys`` give all of ``updates``; None if there is none."""
        made = updates.make(_with(configuration, keys)).steps[:, part]
        return ratio(updates.steps[:, part], made, updates.theta[:, part])

    # Rates that change.

    def _scheduled(self, configuration: Configuration, part: slice, keys: Keys) -> Rule | None:
        """One rate an epoch, after one of the schedules."""
        updates = self._updates
        made = updates.make(_with(configuration, keys)).steps[:, part]
        steps, theta = updates.steps[:, part], updates.theta[:, part]
        count = len(updates.courses[0].batches)
        rates: dict[int, float] = {}
        for at in range(count):
            if not made[at].any():
                continue
            found = ratio(steps[at : at + 1], made[at : at + 1], theta[at : at + 1])
            if found is None:
                return None
            epoch = int(updates.epochs[at])
            if epoch in rates and abs(rates[epoch] - found) > 1e-6 * abs(found):
                return None
            rates.setdefault(epoch, found)
        if not rates.get(0) or len(rates) < 2:
            return None
        relative = {epoch: rate / rates[0] for epoch, rate in rates.items()}
        if min(relative.values()) <= 0.0:
            return None
        for entries in self._schedules(relative):
            factors = [
                SCHEDULES[entries["schedule"]].factor(
                    epoch, entries["schedule_decay"], entries["schedule_every"]
                )
                for epoch in range(max(relative) + 1)
            ]
            again = updates.make(_with(configuration, keys), factors).steps[:, part]
            rate = ratio(steps, again, theta)
            if rate is not None:
                return Rule({**keys, **entries}, rate)
        return None

    def _schedules(self, relative: dict[int, float]) -> Iterator[Keys]:
        """Schedules that may give these ``relative`` rates by epoch."""
        last = max(relative)
        changed = [epoch for epoch in sorted(relative) if abs(relative[epoch] - 1.0) > 1e-9]
        if not changed:
            return
        first = changed[0]
        decay = written(relative[first], self.constants)
        root = written(relative[last] ** (1.0 / last), self.constants)
        yield {"schedule": "exponential", "schedule_decay": root, "schedule_every": 1}
        yield {"schedule": "step", "schedule_decay": decay, "schedule_every": first}
        slope = written((1.0 / relative[last] - 1.0) / last, self.constants)
        if slope > 0.0:
            yield {"schedule": "inverse", "schedule_decay": slope, "schedule_every": 1}
        for period in self.constants:
            if period > last and period == int(period):
                cosine = (1.0 + np.cos(np.pi * last / period)) / 2.0
                lowest = written((relative[last] - cosine) / (1.0 - cosine), (0.0, *self.constants))
                yield {
                    "schedule": "cosine",
                    "schedule_decay": max(lowest, 0.0),
                    "schedule_every": int(period),
                }


def _with(configuration: Configuration, keys: Keys) -> Configuration:
    """The configuration with another optimiser, at rate 1."""
    old = configuration.training
    training = replace(
        old,
        **{
            "optimiser": "sgd",
            "momentum": 0.0,
            "dampening": 0.0,
            "schedule": "constant",
            "clip_value": None,
            "clip_norm": None,
            **keys,
            "learning_rate": 1.0,
        },
    )
    return replace(configuration, training=training)


def _before(rows: Array, first: Array) -> Array:
    """Each row's predecessor; 0 for the first of a course."""
    found = np.zeros_like(rows)
    found[1:] = rows[:-1]
    found[first] = 0.0
    return found


def _solved(
    basis: Sequence[tuple[str, Array]], s: Array, w: Array, needed: bool = True
) -> list[float] | None:
    """The coefficients with which ``basis`` gives ``s``; None if there are none.

    With ``needed`` there are none either where one of them makes no difference.
    """
    sizes = [float(np.linalg.norm(each)) for _, each in basis]
    if not all(sizes):
        return None
    columns = np.stack([each.ravel() / size for (_, each), size in zip(basis, sizes, strict=True)])
    solution = np.linalg.lstsq(columns.T, s.ravel(), rcond=1e-13)[0]
    length = float(np.linalg.norm(s))
    if needed and (not length or any(abs(each) < 1e-9 * length for each in solution)):
        return None
    found = [float(each / size) for each, size in zip(solution, sizes, strict=True)]
    made = sum(each * part for each, (_, part) in zip(found, basis, strict=True))
    return found if agree(s, np.asarray(made), w) else None
