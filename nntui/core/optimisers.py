"""Optimisers: the rule that turns a gradient into a change of the parameters.

An optimiser sees flat vectors: ``theta`` (parameters), ``gradient`` and one vector of the same
length for each of its slots, so the same rule serves one layer or the whole network.
"""

from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array, Tape


@dataclass(frozen=True)
class SGD:
    """Gradient descent, with heavy-ball momentum (Polyak 1964) when ``momentum`` is not 0.

    ``v = momentum*v + g`` and ``theta -= learning_rate*v``; without momentum, ``v`` is ``g``.
    """

    learning_rate: float
    momentum: float = 0.0

    name = "sgd"
    formula = "v = momentum*v + g;  theta -= learning_rate*v"
    summary = "gradient descent, with momentum if wanted"

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors it carries from update to update."""
        return ("velocity",) if self.momentum else ()

    def update(
        self, tape: Tape, theta: Array, gradient: Array, step: Array, slots: dict[str, Array]
    ) -> None:
        """Record ``step = learning_rate * direction`` and ``theta -= step``."""
        direction = gradient
        if self.momentum:
            direction = slots["velocity"]
            tape.add(np.multiply, direction, self.momentum, direction)
            tape.add(np.add, direction, gradient, direction)
        tape.add(np.multiply, direction, self.learning_rate, step)
        tape.add(np.subtract, theta, step, theta)


OPTIMISERS: dict[str, type[SGD]] = {SGD.name: SGD}
