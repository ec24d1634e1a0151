"""The words of the command line: which is a preset, what ``--set`` changes, how the app draws."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from nntui.presets import Preset

COLOURS = ("auto", "truecolor", "256", "16", "none")


class Commands(click.Group):
    """A group whose first word, when it is no command, is the preset to open in the app."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0].partition("=")[0] if args else ""
        if first not in self.commands and first not in ("-h", "--help", "--version"):
            args = ["app", *args]
        return super().parse_args(ctx, args)


Command = TypeVar("Command", bound=Callable[..., None])


def drawing(command: Command) -> Command:
    """The options of what opens the app."""
    for option in (
        click.option("--color", type=click.Choice(COLOURS), help="Colours to draw with."),
        click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal."),
        click.option("--ascii", is_flag=True, help="Draw with ASCII alone."),
        click.option("--fps", type=click.IntRange(1, 60), help="Pictures a second in training."),
    ):
        command = option(command)
    return command


def load(name: str, changes: tuple[str, ...] = ()) -> "Preset":
    """The preset called ``name``, with ``KEY=VALUE`` changes made.

    Raises UsageError for what is no change, ConfigError for one that cannot be made.
    """
    from nntui.presets import load_preset
    from nntui.presets.schema import override, parse_value

    loaded = load_preset(name)
    pairs = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"--set takes KEY=VALUE, not {change!r}")
        pairs[key.strip()] = parse_value(value.strip())
    return override(loaded, pairs) if pairs else loaded


def numbers(option: str, text: str) -> list[float]:
    """The finite numbers of ``text``, separated by commas; UsageError names ``option``."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise click.UsageError(f"{option} takes numbers such as 0.1,0.5, not {text!r}")
    return found
