"""The trainer whose updates are made by compiled code, many of them in a call."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nntui.core.engine.player_names import COMPILED
from nntui.core.engine.state import Divergence, Order, State
from nntui.core.engine.trainer import OnEpoch, Trainer, learning_rate, learning_rates
from nntui.core.tape import Array, ComputedTensor
from nntui.players.compiled_updates import CompiledUpdates

OnEpochs = Callable[[range, Array], None]


class _Moment(NamedTuple):
    """Where a trainer is: what an update changes, as copies."""

    theta: Array
    slots: tuple[Array, ...]
    clock: tuple[Array, Array]
    """The update count and the learning rate."""
    loss_sum: float
    order: Order | None
    random: tuple[Any, ...]


class CompiledTrainer(Trainer):
    """Trains one network from any state of its configuration whose player is the compiled one.

    ``on_epochs(epochs, losses)``, if given, is called in the place of ``on_epoch``, with many
    epochs at once.
    """

    PLAYER = COMPILED

    def __init__(
        self, state: State, on_epoch: OnEpoch | None = None, on_epochs: OnEpochs | None = None
    ) -> None:
        super().__init__(state, on_epoch)
        self._on_epochs = on_epochs or self._one_by_one
        self._compiled = CompiledUpdates(
            self.configuration, self._stepper, self._reported, state.order is not None, watched=True
        )

    def prepare(self) -> None:
        """Compile everything now, and not when it is used."""
        self._compiled.prepare()

    def restore(self, state: State) -> None:
        """Go to ``state``, which must belong to the trainer's configuration."""
        super().restore(state)
        self._is_unfilled = False
        """Whether the buffers of the last update are still to be filled."""

    def _begin_epoch(self, order: Order | None) -> None:
        self._clock.rate[...] = learning_rate(self.configuration, self.epoch)
        self._order = order

    def advance(self, updates: int, stop: float | None = None) -> bool:
        """Make ``updates`` updates, or fewer if one diverges; that one is the last.

        An epoch that reports a loss at or below ``stop``, if that is given, is the last too.
        Returns whether there was such an end.
        """
        lowest = -np.inf if stop is None else stop
        while updates > 0 and self.divergence is None:
            before, count = self._moment(), min(updates, self._compiled.most)
            made, ended = self._play(count, lowest)
            if made < count:
                # Made again as the last one of a call, it leaves all behind that is needed.
                self._place(before)
                self._order, self._drawn_state, self._random = before.order, before.random, None
                updates = made
            elif ended:
                return True
            else:
                updates -= count
        return self.divergence is not None

    @property
    def written(self) -> tuple[ComputedTensor, ...]:
        """The tensors of the last update in the order of computation, as live buffers."""
        self._fill_buffers(self.position - 1)
        return super().written

    def _locate(self, position: int, loss: float) -> Divergence:
        self._fill_buffers(position)
        return super()._locate(position, loss)

    def _play(self, count: int, lowest: float) -> tuple[int, bool]:
        """Make ``count`` updates; nothing counts if one ends the training that is not the last.

        Returns how many updates there are until then, and whether the last one ends it.
        """
        per_epoch, report = len(self._batches), self.configuration.report
        ends, position = divmod(self.position + count, per_epoch)
        epochs = range(self.epoch, self.epoch + ends + 1)
        rates = learning_rates(self.configuration, epochs[1:])
        due = (np.arange(epochs.start, epochs.stop) % report.every == 0).astype(np.uint8)
        losses, order, orders = np.empty(ends + 1), self._order, None
        if order is not None:
            drawn = [order, *(self._next_order() for _ in range(ends))]
            orders = np.concatenate([each for each in drawn if each is not None])
        total = self._compiled.total
        total[...] = self._loss_sum
        played = self._compiled.loop.play(self.position, count, rates, due, losses, orders, lowest)
        if played.made < count:
            return played.made, True
        self._is_unfilled = True
        begun, at = divmod(self.position + count - 1, per_epoch)
        self.position = position
        self.update += count
        self._loss_sum = float(total)
        reported = report.epochs(epochs.start, epochs.stop - 1)
        if reported:
            self._on_epochs(reported, losses[: played.reports])
        if played.is_wild:
            self._order = drawn[begun] if orders is not None else None
            self.divergence = self._locate(at, played.loss)
        self.epoch += ends
        if orders is not None:
            self._order = drawn[-1]
        return count, played.ended

    def _one_by_one(self, epochs: range, losses: Array) -> None:
        if self._on_epoch is not None:
            for epoch, loss in zip(epochs, losses.tolist(), strict=True):
                self._on_epoch(epoch, loss)

    def _moment(self) -> _Moment:
        clock, slots = self._clock, self._stepper.slots
        return _Moment(
            self._theta.copy(),
            tuple(slot.copy() for slot in slots),
            (clock.count.copy(), clock.rate.copy()),
            self._loss_sum,
            self._order,
            self._random_state if self._order is not None else self._drawn_state,
        )

    def _place(self, moment: _Moment) -> None:
        self._theta[...] = moment.theta
        for slot, values in zip(self._stepper.slots, moment.slots, strict=True):
            slot[...] = values
        self._clock.count[...], self._clock.rate[...] = moment.clock

    def _fill_buffers(self, position: int) -> None:
        """Make the last update again, which was that at ``position``, with all its tensors."""
        if not self._is_unfilled:
            return
        now = self._moment()
        for live, saved in self._compiled.saved:
            live[...] = saved
        self._compiled.fill_buffers(self._batches[position][0].batch)
        self._place(now)
        self._is_unfilled = False
