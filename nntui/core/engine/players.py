"""Players: what plays the recorded updates, NumPy call by call or one function that is compiled.

A run has the same player from its first update to its last, because the two round the last bits of
sums and of functions such as exp differently.
"""

from nntui.compiler.installed import is_installed
from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.configuration import Configuration

NUMPY, COMPILED, AUTO = "numpy", "compiled", "auto"
PLAYERS = (AUTO, NUMPY, COMPILED)
MOST_COMPILED = 2_000_000
"""Multiplications in an update above which NumPy's matrix products are faster (measured)."""


def chosen_player(asked: str, configuration: Configuration) -> str:
    """The player of a run of ``configuration`` that begins: ``numpy`` or ``compiled``.

    ``auto`` is the compiled one where it is installed and not slower; neither the machine nor the
    moment matters beyond that.  Raises ConfigError for a player that does not exist, or that is not
    installed.
    """
    if asked not in PLAYERS:
        raise ConfigError("player", f"must be one of {', '.join(PLAYERS)}, not {quoted(asked)}")
    if asked == COMPILED and not is_installed():
        raise ConfigError("player", "compiled needs the package llvmlite: pip install 'nntui[fast]'")
    return asked
