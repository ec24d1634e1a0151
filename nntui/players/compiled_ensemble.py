"""The ensemble whose updates are made by compiled code: as many replicas as vectors hold well."""

from collections.abc import Iterator, Sequence

import numpy as np

from nntui.core.engine.ensemble import Ensemble, numbers_per_replica, worthwhile
from nntui.core.engine.player_names import COMPILED
from nntui.core.engine.state import State
from nntui.core.engine.trainer import learning_rate, learning_rates
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array
from nntui.players.compiled_updates import CompiledUpdates

REPLICAS = 16
"""Replicas side by side: a few vectors of any processor, whose buffers stay in its first cache."""
MOST_SAMPLES = 16
"""Samples of an update above which a single network fills vectors as well (measured)."""
MOST_NUMBERS = 8_000
"""Numbers of a replica above which the buffers of all would leave the cache."""


def replicas_fill_vectors(configuration: Configuration) -> bool:
    """Whether `REPLICAS` networks train faster together than one by one."""
    return (
        worthwhile(configuration)
        and configuration.batch_size <= MOST_SAMPLES
        and numbers_per_replica(configuration) <= MOST_NUMBERS
    )


def _filled(states: Sequence[State]) -> list[State]:
    """As many states as there are places; those left over repeat the last, and nobody looks."""
    return [*states, *[states[-1]] * (REPLICAS - len(states))]


class CompiledEnsemble(Ensemble):
    """Trains at most `REPLICAS` replicas whose player is the compiled one."""

    PLAYER = COMPILED

    def __init__(self, states: Sequence[State]) -> None:
        super().__init__(_filled(states))
        self._compiled = CompiledUpdates(
            self.configuration,
            self._stepper,
            self._reported,
            self._orders is not None,
            watched=False,
        )
        self.count = len(states)

    def restart(self, states: Sequence[State]) -> None:
        """Go on with other replicas of the same configuration; raises what making one does."""
        self._place(_filled(states))
        self.count = len(states)

    def train(self, epochs: int) -> Iterator[tuple[int, Array]]:
        """Train ``epochs`` epochs; yield each one that reports, with its losses, (replicas,)."""
        reports, losses = self.trained(epochs)
        yield from zip(reports, losses, strict=True)

    def trained(self, epochs: int) -> tuple[range, Array]:
        """Train ``epochs`` epochs; returns those that report, and losses, (reports, replicas)."""
        report, per_epoch = self.configuration.report, self.configuration.updates_per_epoch
        reports = report.epochs(self.epoch, self.epoch + epochs)
        losses = np.empty((len(reports) + 1, REPLICAS))
        orders, done, left = self._drawn(epochs), 0, epochs
        while left > 0:
            now = min(max(self._compiled.most // per_epoch, 1), left)
            coming = range(self.epoch, self.epoch + now)
            rates = learning_rates(self.configuration, range(coming.start + 1, coming.stop + 1))
            due = (np.arange(self.epoch, self.epoch + now + 1) % report.every == 0).astype(np.uint8)
            given = None
            if self._orders is not None:
                following = [next(orders) for _ in coming]
                given = np.stack([self._orders, *following[:-1]])
                self._orders = following[-1]
            self._stepper.clock.rate[...] = learning_rate(self.configuration, self.epoch)
            self._compiled.total[...] = 0.0
            played = self._compiled.loop.play(
                0, now * per_epoch, rates, due, losses[done:], given, -np.inf
            )
            done, left = done + played.reports, left - now
            self._update += now * per_epoch
            self.epoch += now
        return reports, losses[:-1, : self.count]

    def safe(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each replica's parameters are too small for any overflow, (replicas,)."""
        return super().safe()[: self.count]
