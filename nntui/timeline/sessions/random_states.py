"""The random states and the shuffled orders of epochs that a session's states refer to."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nntui.core.engine.state import Order, frozen
from nntui.core.errors import ConfigError
from nntui.core.settings.configuration import Configuration
from nntui.timeline.sessions.checked_fields import Stream

MT_WORDS = 624
"""Words of the Mersenne Twister."""


class SavedRandomStates:
    """All random states and orders of a session; its states refer to them by number."""

    def __init__(self, streams: Mapping[str, Stream]) -> None:
        self._randoms = _read_randoms(streams)
        self._orders = _read_orders(streams)

    def random(self, place: int) -> tuple[Any, ...]:
        """A random state."""
        if not 0 <= place < len(self._randoms):
            raise ConfigError("states", "refer to a random state that does not exist")
        return self._randoms[place]

    def order(self, place: int, configuration: Configuration) -> Order | None:
        """The order of an epoch; None for that of the data."""
        ordered = configuration.training.order != "in-order"
        if not ordered and place == -1:
            return None
        if ordered and 0 <= place < len(self._orders):
            order = self._orders[place]
            fits = len(order) == configuration.samples_per_epoch
            if fits and order.min() >= 0 and order.max() < configuration.data.training_rows:
                return order
        raise ConfigError("states", "refer to an order that does not fit the data")


def _read_randoms(streams: Mapping[str, Stream]) -> list[tuple[Any, ...]]:
    """Arguments for ``RandomState.set_state``, which does not check them itself."""
    keys = streams["random_keys"].rest(MT_WORDS)
    places = streams["random_places"].take(2 * len(keys)).reshape(-1, 2)
    gauss = streams["random_gauss"].take(len(keys))
    if len(keys) and not (places.min() >= 0 and (places.max(axis=0) <= (MT_WORDS, 1)).all()):
        raise ConfigError("random_places", "has an invalid position in the random stream")
    if not np.isfinite(gauss).all():
        raise ConfigError("random_gauss", "must be finite")
    return [
        ("MT19937", frozen(key), int(at), int(has_gauss), float(value))
        for key, (at, has_gauss), value in zip(keys, places, gauss, strict=True)
    ]


def _read_orders(streams: Mapping[str, Stream]) -> list[Order]:
    sizes = streams["order_sizes"].rest().ravel().tolist()
    if min(sizes, default=1) < 1:
        raise ConfigError("order_sizes", "must be positive")
    return [frozen(streams["orders"].take(size).astype(np.intp)) for size in sizes]
