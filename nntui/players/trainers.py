"""The trainer of a state: that of its player."""

from nntui.core.engine.player_names import COMPILED
from nntui.core.engine.state import State
from nntui.core.engine.trainer import OnEpoch, Trainer
from nntui.players.compiled_trainer import CompiledTrainer, OnEpochs


def prepare(state: State) -> None:
    """Compile what a trainer of ``state`` will need, so that it need not wait for that."""
    if state.player == COMPILED:
        CompiledTrainer(state).prepare()


def trainer_of(
    state: State, on_epoch: OnEpoch | None = None, on_epochs: OnEpochs | None = None
) -> Trainer:
    """A trainer that goes on from ``state`` with its player.

    At the end of every epoch that reports, it calls ``on_epoch(epoch, loss)``, or, if it makes many
    updates at once, ``on_epochs(epochs, losses)`` if that is given.
    """
    if state.player == COMPILED:
        return CompiledTrainer(state, on_epoch, on_epochs)
    return Trainer(state, on_epoch)
