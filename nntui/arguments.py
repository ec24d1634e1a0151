"""Parses arguments of the command line: presets, ``--set``, rows of numbers, drawing options."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from nntui.presets import Preset

COLOURS = ("auto", "truecolor", "256", "16", "none")


class Commands(click.Group):
    """A group that opens the app with its first word as the preset, unless that is a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0].partition("=")[0] if args else ""
        if first not in self.commands and first not in ("-h", "--help", "--version"):
            args = ["app", *args]
        return super().parse_args(ctx, args)


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


def load(name: str, changes: tuple[str, ...] = ()) -> "Preset":
    """Load the preset ``name`` and apply ``KEY=VALUE`` changes; its warnings go to stderr.

    Raises UsageError for a change that is not KEY=VALUE, ConfigError for one that is not valid.
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
    loaded = override(loaded, pairs) if pairs else loaded
    for warning in loaded.warnings:
        click.echo(f"nntui: warning: {warning}", err=True)
    return loaded


def numbers(option: str, text: str) -> list[float]:
    """The finite numbers in ``text``, separated by commas; raises UsageError for other text."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise click.UsageError(f"{option} takes numbers such as 0.1,0.5, not {text!r}")
    return found
