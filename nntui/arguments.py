"""Parses arguments of the command line: presets, ``--set``, rows of numbers, drawing options."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from nntui.cli_output import saying

if TYPE_CHECKING:
    from nntui.presets import Preset
    from nntui.timeline import Run

LARGE_FILE, MANY_NUMBERS = 1_000_000, 10_000_000
"""Bytes of a preset and numbers of a network beyond which it is said that they take a moment."""
PLAYERS = ("auto", "numpy", "compiled")
COLOURS = ("auto", "truecolor", "256", "16", "none")


Command = TypeVar("Command", bound=Callable[..., None])


def drawing(command: Command) -> Command:
    """A decorator that adds the options of commands that open the app."""
    for option in (
        click.option("--color", type=click.Choice(COLOURS), help="Colours to draw with."),
        click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal."),
        click.option("--ascii", is_flag=True, help="Draw with ASCII alone."),
        click.option("--fps", type=click.IntRange(1, 60), help="Pictures a second in training."),
    ):
        command = option(command)
    return command


def playing(command: Command) -> Command:
    """A decorator that adds the option of commands that train."""
    option = click.option(
        "--player",
        type=click.Choice(PLAYERS),
        default="auto",
        help="What makes the updates: compiled code (nntui[fast]), or NumPy.",
    )
    return option(command)


def load(name: str, changes: tuple[str, ...] = ()) -> "Preset":
    """Load the preset ``name`` and apply ``KEY=VALUE`` changes; its warnings go to stderr.

    The preset of a session is the configuration at its cursor, with the seed of the run.  Raises
    ConfigError for a change that is not KEY=VALUE or not valid.
    """
    _refuse_program(name)
    from nntui.presets import load_preset
    from nntui.presets.command_line import read_set
    from nntui.presets.lookup import is_session
    from nntui.presets.schema import override

    pairs = dict(map(read_set, changes))
    if not is_session(name):
        with saying(f"reading {name}", _size(name) > LARGE_FILE):
            return _warned(load_preset(name, pairs))
    run = _saved_run(name)
    if run.lacking:
        click.echo(f"nntui: note: the configuration of {name}: {run.lacking}", err=True)
    return _warned(override(run.configured, pairs) if pairs else run.configured)


def _size(name: str) -> int:
    """The bytes of the file ``name``; 0 if there is none, for it may be a name or a string."""
    from pathlib import Path

    try:
        return Path(name).stat().st_size
    except (OSError, ValueError):
        return 0


def _warned(preset: "Preset") -> "Preset":
    for warning in preset.warnings:
        click.echo(f"nntui: warning: {warning}", err=True)
    return preset


def load_run(
    name: str, changes: tuple[str, ...] = (), seed: int | None = None, player: str = "auto"
) -> "Run":
    """The run of the preset ``name`` at update 0, or of the session ``name`` at its cursor.

    ``KEY=VALUE`` changes of a session count from its cursor on; it starts again from update 0 for
    another seed, and for a change of what decides update 0.  A session that goes on keeps its
    player.  Raises what `load` raises, and ConfigError for another player than that.
    """
    _refuse_program(name)
    from nntui.core.settings.dotted_keys import is_structural
    from nntui.presets.command_line import read_set
    from nntui.presets.lookup import is_session

    # What trains is imported once the preset is known to be valid.
    if not is_session(name):
        preset = load(name, changes)
        from nntui.timeline import Run

        numbers = preset.configuration.numbers
        with saying(f"preparing {numbers:,} numbers", numbers > MANY_NUMBERS):
            return Run(preset, seed, player)
    from nntui.timeline import Run

    pairs, run = dict(map(read_set, changes)), _saved_run(name)
    if seed is not None or (run.update > 0 and any(map(is_structural, pairs))):
        asked = run.player if player == "auto" else player
        run = Run(run.preset, run.seed if seed is None else seed, asked)
    keep_player(run.player, name, player)
    # What the session holds after its cursor is another future.
    run = run.fork(**pairs) if pairs or run.update < run.head else run
    _warned(run.preset)
    return run


def _refuse_program(name: str) -> None:
    from nntui.program.file_names import is_program, refuse_other_names

    refuse_other_names(name)
    if is_program(name):
        command = click.get_current_context().info_name
        raise click.UsageError(
            f"nntui {command} takes a preset, not a program; nntui show {name} > my.toml writes "
            "the preset that computes the same"
        )


def keep_player(player: str, name: str, asked: str) -> None:
    """ConfigError if the session ``name`` has another ``player`` than is asked for."""
    from nntui.core.errors import ConfigError
    from nntui.players.player_choice import check_player

    check_player(asked)
    if asked not in ("auto", player):
        raise ConfigError(
            "player", f"the updates of {name} are made by {player}, and it goes on with that"
        )


def _saved_run(name: str) -> "Run":
    from nntui.timeline import load_session
    from nntui.timeline.sessions.session_folder import find

    run = load_session(find(name))
    if run.tree.note:
        click.echo(f"nntui: note: {name}: {run.tree.note}", err=True)
    return run


def numbers(option: str, text: str) -> list[float]:
    """The finite numbers in ``text``, separated by commas; raises UsageError for other text."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise click.UsageError(f"{option} takes numbers such as 0.1,0.5, not {text!r}")
    return found
