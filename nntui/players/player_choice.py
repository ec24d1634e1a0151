"""Chooses the player of a run that begins, by what is installed and what is asked for."""

from functools import lru_cache

from nntui.compiler.calls.regions import NotCompilableError
from nntui.compiler.installed import is_installed, is_wanted
from nntui.core.engine.algebra import Single
from nntui.core.engine.ensemble import products_per_update
from nntui.core.engine.player_names import AUTO, COMPILED, NUMPY, PLAYERS
from nntui.core.engine.reported_loss import ReportedLoss
from nntui.core.engine.stepper import Stepper
from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.configuration import Configuration
from nntui.players.compiled_updates import CompiledUpdates

MOST_PRODUCTS_COMPILED = 150_000
"""Multiplications in an update above which NumPy's matrix products are faster (measured)."""


def check_player(asked: str) -> None:
    """ConfigError unless the player exists and is installed."""
    if asked not in PLAYERS:
        raise ConfigError("player", f"must be one of {', '.join(PLAYERS)}, not {quoted(asked)}")
    if asked == COMPILED and not is_installed():
        raise ConfigError(
            "player", "compiled needs the package llvmlite: pip install 'nntui[fast]'"
        )


def chosen_player(asked: str, configuration: Configuration) -> str:
    """The player of a run of ``configuration`` that begins: ``numpy`` or ``compiled``.

    It depends on the configuration, on what is installed and on what is asked for, and on nothing
    else.  An update with a call that cannot be compiled is played by NumPy, whatever is asked.
    Raises what `check_player` raises.
    """
    check_player(asked)
    if asked == NUMPY or not (is_wanted() if asked == AUTO else is_installed()):
        return NUMPY
    if asked == AUTO and products_per_update(configuration) > MOST_PRODUCTS_COMPILED:
        return NUMPY
    return COMPILED if is_compilable(configuration) else NUMPY


def player_of_restart(player: str, configuration: Configuration) -> str:
    """The player of a run that begins anew with another configuration, where ``player`` played."""
    return player if player == NUMPY else chosen_player(AUTO, configuration)


def check_compilable(player: str, configuration: Configuration) -> None:
    """ConfigError if ``player`` cannot go on with ``configuration``."""
    if player == COMPILED and not is_compilable(configuration):
        raise ConfigError("player", "this cannot be compiled; begin the run with the player numpy")


@lru_cache(maxsize=64)
def is_compilable(configuration: Configuration) -> bool:
    """Whether the compiler knows every call of an update."""
    stepper, ordered = Stepper(configuration), configuration.training.order != "in-order"
    reported = ReportedLoss(configuration, stepper.theta, Single())
    try:
        CompiledUpdates(configuration, stepper, reported, ordered, watched=True).translate()
    except NotCompilableError:
        return False
    return True
