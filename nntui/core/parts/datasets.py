"""Classic two-dimensional data sets for classification.

Draw order: first the positions of the points (drawn for ``xor`` only), then the noise, one
standard normal number for each coordinate, point by point.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nntui.core.tape import Array

Labels = npt.NDArray[np.intp]
Points = tuple[Array, Labels]
"""Points (samples, 2) and their classes, whole numbers from 0, (samples,)."""


class DataSet(NamedTuple):
    """``draw(random, samples, classes)`` gives the points without noise."""

    name: str
    formula: str
    summary: str
    most_classes: int
    draw: Callable[[np.random.RandomState, int, int], Points]


def _turns(samples: int, classes: int) -> tuple[Labels, Array]:
    """The classes, assigned in turn, and each point's position along its class, from 0 to 1."""
    labels = np.arange(samples, dtype=np.intp) % classes
    along = (np.arange(samples) // classes) / max(-(-samples // classes) - 1, 1)
    return labels, along


def _xor(random: np.random.RandomState, samples: int, classes: int) -> Points:
    points = random.uniform(-1.0, 1.0, (samples, 2))
    return points, (points[:, 0] * points[:, 1] < 0.0).astype(np.intp)


def _circles(random: np.random.RandomState, samples: int, classes: int) -> Points:
    labels, along = _turns(samples, classes)
    angle, radius = 2.0 * np.pi * along, (labels + 1.0) / classes
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), labels


def _moons(random: np.random.RandomState, samples: int, classes: int) -> Points:
    labels, along = _turns(samples, 2)
    angle = np.pi * along
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1.0 - np.cos(angle), 0.5 - np.sin(angle)])
    return np.where(labels[:, None] == 0, upper, lower), labels


def _spiral(random: np.random.RandomState, samples: int, classes: int) -> Points:
    labels, along = _turns(samples, classes)
    angle = 3.5 * np.pi * along + 2.0 * np.pi * labels / classes
    return np.column_stack([along * np.sin(angle), along * np.cos(angle)]), labels


def _clusters(random: np.random.RandomState, samples: int, classes: int) -> Points:
    labels, _ = _turns(samples, classes)
    angle = 2.0 * np.pi * labels / classes
    return np.column_stack([np.cos(angle), np.sin(angle)]), labels


DATASETS: dict[str, DataSet] = {
    each.name: each
    for each in (
        DataSet("xor", "class 1 where x1*x2 < 0", "uniform in [-1, 1]^2", 2, _xor),
        DataSet("circles", "radius (class + 1) / classes", "rings around the origin", 10, _circles),
        DataSet("moons", "two half circles", "two interleaving half moons", 2, _moons),
        DataSet("spiral", "radius t, angle 3.5*pi*t, t in [0, 1]", "arms around 0", 10, _spiral),
        DataSet("clusters", "centres on the unit circle", "one Gaussian a class", 20, _clusters),
    )
}


def draw_dataset(
    name: str, random: np.random.RandomState, samples: int, classes: int, noise: float
) -> Points:
    """Points (samples, 2) and classes (samples,) of the set called ``name``.

    ``noise`` is the standard deviation of the normal noise.  Raises KeyError for another name.
    """
    points, labels = DATASETS[name].draw(random, samples, classes)
    return points + noise * random.randn(samples, 2), labels
