"""Optimisers: the rules that turn a gradient into a step of the parameters, written as formulas.

An optimiser works on flat vectors: ``theta`` (parameters), ``g`` (the gradient), ``step`` and one
vector of the same shape for each of its slots, so the same rule serves one layer or the whole
network.  Slots start at 0.  A new optimiser is one entry of `OPTIMISERS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from nntui.core.formulas.calculus import simplified
from nntui.core.formulas.expression import Expression, Name, Number
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.recording import record
from nntui.core.tape import Array, Tape

CLIPPED = formula("max(min(g, clip_value), -clip_value)")
"""A gradient on its way to the optimiser, with a ``clip_value``."""


@dataclass(frozen=True, eq=False)
class Clock:
    """Learning rate and update count as 0-d arrays, which the trainer keeps up to date."""

    rate: Array = field(default_factory=lambda: np.zeros(()))
    """The learning rate of the current epoch."""
    count: Array = field(default_factory=lambda: np.zeros(()))
    """The number of the current update; the first is 1."""


@dataclass(frozen=True, eq=False)
class Optimiser:
    """One rule: ``formula`` assigns its slots and then subtracts the step from ``theta``.

    Its variables are ``g``, ``rate``, ``t`` (the number of the update, from 1), the letters of
    the slots and the parameters.  A slot that the parameters make superfluous, such as the
    velocity with momentum 0, is left out.
    """

    name: str
    formula: str
    summary: str
    letters: Mapping[str, str] = field(default_factory=dict)
    """The name of each slot, by its letter in the formula."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    """The keys of the preset's training table that it reads, with their values."""
    source: str = ""
    torch: str = ""
    """Its PyTorch source, such as ``SGD(momentum=MOMENTUM)``; empty if PyTorch has no such rule."""
    torch_without: str = ""
    """A parameter that must be 0 for PyTorch's rule to be the same; may be empty."""

    @property
    def is_in_torch(self) -> bool:
        """Whether PyTorch has this rule with these parameters."""
        return bool(self.torch) and not self.parameters.get(self.torch_without)

    @cached_property
    def written(self) -> tuple[tuple[str, Expression], ...]:
        """The assignments of the formula, (letter or ``step``, expression), parameters by name."""
        *slots, last = (part.strip() for part in self.formula.split(";"))
        pairs = [tuple(part.split(" = ", 1)) for part in slots]
        step = last.removeprefix("theta -= ")
        return tuple((name, formula(text)) for name, text in (*pairs, ("step", step)))

    @cached_property
    def readable(self) -> tuple[tuple[str, Expression], ...]:
        """`written` without superfluous slots and parameters that are 0."""
        if len(self.assignments) < len(self.written):
            return self.assignments
        zeros = {name: 0.0 for name, value in self.parameters.items() if value == 0.0}
        return tuple((letter, simplified(each.bound(zeros))) for letter, each in self.written)

    @cached_property
    def assignments(self) -> tuple[tuple[str, Expression], ...]:
        """`written` with the parameters as numbers and without superfluous slots."""
        kept: list[tuple[str, Expression]] = []
        known: dict[str, Expression] = {}
        for letter, expression in self.written:
            bound = simplified(expression.bound(self.parameters).bound(known))
            if letter in bound.names or letter == "step":
                kept.append((letter, bound))
            else:
                known[letter] = bound
        return tuple(kept)

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors that it keeps from update to update."""
        return tuple(self.letters[letter] for letter, _ in self.assignments[:-1])

    @property
    def counts(self) -> bool:
        """Whether its step depends on the number of the update."""
        return any("t" in expression.names for _, expression in self.assignments)

    @property
    def step(self) -> Expression:
        """The expression that is subtracted from the parameters."""
        return self.assignments[-1][1]

    @property
    def is_plain(self) -> bool:
        """Whether the step is the gradient times the rate, without slots."""
        return self.step == formula("rate*g")

    @property
    def is_linear(self) -> bool:
        """Whether the first step is the gradient times a number."""
        nodes = (node for _, expression in self.assignments for node in expression.walk())
        return all(
            isinstance(node, Number | Name) or getattr(node, "symbol", "") in ("+", "-", "*")
            for node in nodes
        )

    def update(
        self,
        tape: Tape,
        theta: Array,
        gradient: Array,
        step: Array,
        slots: Mapping[str, Array],
        clock: Clock,
    ) -> None:
        """Record the slots' new values, the ``step``, and ``theta -= step``."""
        values = {"g": gradient, "rate": clock.rate, "t": clock.count}
        values |= {letter: slots[slot] for letter, slot in self.letters.items() if slot in slots}
        for letter, expression in self.assignments:
            record(tape, expression, values, step if letter == "step" else values[letter])
        tape.add(np.subtract, theta, step, theta)


OPTIMISERS: dict[str, Optimiser] = {
    each.name: each
    for each in (
        Optimiser(
            "sgd",
            "v = momentum*v + (1 - dampening)*g;  theta -= rate*v",
            "gradient descent, with momentum if wanted; PyTorch does not dampen a first gradient",
            letters={"v": "velocity"},
            parameters={"momentum": 0.0, "dampening": 0.0},
            source="Polyak 1964",
            torch="SGD(momentum=MOMENTUM)",
            torch_without="dampening",
        ),
        Optimiser(
            "nesterov",
            "v = momentum*v + g;  theta -= rate*(g + momentum*v)",
            "momentum with a look one step ahead",
            letters={"v": "velocity"},
            parameters={"momentum": 0.0},
            source="Nesterov 1983, in the form of Sutskever et al. 2013",
            torch="SGD(momentum=MOMENTUM, nesterov=True)",
        ),
        Optimiser(
            "rmsprop",
            "s = rho*s + (1 - rho)*g^2;  theta -= rate*g/(sqrt(s) + epsilon)",
            "each parameter's step is scaled by its gradient's recent size",
            letters={"s": "square"},
            parameters={"rho": 0.9, "epsilon": 1e-8},
            source="Tieleman and Hinton 2012",
            torch="RMSprop(alpha=RHO, eps=EPSILON)",
        ),
        Optimiser(
            "adam",
            "m = beta1*m + (1 - beta1)*g;  s = beta2*s + (1 - beta2)*g^2;  "
            "theta -= rate*m/(1 - beta1^t) / (sqrt(s/(1 - beta2^t)) + epsilon)",
            "momentum and scaled steps combined",
            letters={"m": "mean", "s": "square"},
            parameters={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
            source="Kingma and Ba 2015",
            torch="Adam(betas=(BETA1, BETA2), eps=EPSILON)",
        ),
    )
}


def optimiser(name: str, **parameters: Any) -> Optimiser:
    """The optimiser called ``name``, with ``parameters``; those it does not take are ignored.

    Raises KeyError for another name.
    """
    kind = OPTIMISERS[name]
    return _with(kind, tuple((k, v) for k, v in parameters.items() if k in kind.parameters))


@lru_cache(maxsize=256)
def _with(kind: Optimiser, given: tuple[tuple[str, float], ...]) -> Optimiser:
    """``kind`` with other parameters; kept, because its formulas are then parsed once."""
    return replace(kind, parameters={**kind.parameters, **dict(given)})
