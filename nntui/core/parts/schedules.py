"""Schedules: the learning rate of an epoch, as a factor on the rate that was given."""

import math
from collections.abc import Callable
from typing import NamedTuple


class Schedule(NamedTuple):
    """``factor(epoch, decay, every)`` for epochs from 0; ``decay`` and ``every`` are its own."""

    name: str
    formula: str
    summary: str
    factor: Callable[[int, float, int], float]


def _cosine(epoch: int, decay: float, every: int) -> float:
    return decay + (1.0 - decay) * (1.0 + math.cos(math.pi * min(epoch / every, 1.0))) / 2.0


SCHEDULES: dict[str, Schedule] = {
    each.name: each
    for each in (
        Schedule("constant", "1", "the same rate throughout", lambda epoch, decay, every: 1.0),
        Schedule(
            "step",
            "decay^floor(epoch / every)",
            "falls by the factor decay after every so many epochs",
            lambda epoch, decay, every: decay ** (epoch // every),
        ),
        Schedule(
            "exponential",
            "decay^(epoch / every)",
            "falls smoothly, by the factor decay in every so many epochs",
            lambda epoch, decay, every: decay ** (epoch / every),
        ),
        Schedule(
            "inverse",
            "1 / (1 + decay*epoch / every)",
            "falls like one over the epoch",
            lambda epoch, decay, every: 1.0 / (1.0 + decay * epoch / every),
        ),
        Schedule(
            "cosine",
            "decay + (1 - decay)*(1 + cos(pi*min(epoch / every, 1)))/2",
            "falls along half a cosine to the share decay (Loshchilov and Hutter 2017)",
            _cosine,
        ),
    )
}
