"""The command line.  Each command imports what it needs when it runs, so that help is instant."""

import codecs
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from nntui import __version__
from nntui.arguments import drawing, keep_player, load, playing
from nntui.cli_answers import ANSWERS
from nntui.cli_bench import bench
from nntui.cli_output import print_json
from nntui.cli_programs import (
    Commands,
    names_in,
    open_program,
    program_options,
    refuse_preset_options,
    show_program,
    takes_program,
)
from nntui.cli_refusals import complain, in_one_line
from nntui.cli_serve import serve

if TYPE_CHECKING:
    from nntui.presets.making.csv_columns import CsvColumns

INTERRUPTED = 130
AS_GIVEN, ESCAPED = "nntui-as-given", "backslashreplace"
"""How characters are written that the terminal's encoding does not know."""
BROKEN_PIPE = 1
"""click's exit code if the reader of the output has gone, which is not an error."""
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""Set to 1 unless already set: with small matrices, threads of the linear algebra library mostly
wait for each other (on a busy machine, a 1-64-1 network trained ten times slower with two)."""


@click.group(
    cls=Commands,
    subcommand_metavar="[PRESET] | COMMAND",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="nntui")
def commands() -> None:
    """Step the training of a small neural network, and see why it does not learn.

    nntui opens the library of scenarios; nntui PRESET opens one of them (a name from the
    library, the path of a .toml file or of a session, a .nntui file, or a string that nntui show
    --string printed), nntui FILE.py a program of your own, and nntui FILE.csv makes a preset for
    your own data.  They draw on the terminal, and so does open; they take

    \b
      --player PLAYER   auto, compiled (nntui[fast]) or numpy: what makes the updates.
      --fps N           Pictures a second while training (1 to 60; 15, over SSH 5).
      --ascii           Draw with ASCII alone.
      --no-mouse        Leave the mouse to the terminal.
      --color COLOURS   auto, truecolor, 256, 16 or none.

    The other commands below need no terminal.  check, why and show also take FILE.py.  The
    program's own arguments stand behind --.  nntui help lists the topics of the manual.
    """


@commands.command(
    hidden=True,
    options_metavar="[--player PLAYER] [--fps N] [--ascii] [--no-mouse] [--color COLOURS]",
)
@click.argument("preset", required=False)
@click.option("--seed", type=int, metavar="K", help="Of a FILE.py: seeds NumPy and random.")
@program_options("--loop", "--loss", "--parameters", "--time", "--allow-effects", "--python")
@playing
@drawing
def app(
    preset: str | None,
    seed: int | None,
    loop: int | None,
    loss: str | None,
    parameters: str | None,
    seconds: float | None,
    allow_effects: bool,
    python: str | None,
    **options: Any,
) -> None:
    """Open the app."""
    player = None if options["player"] == "auto" else options["player"]
    own = {
        **{"seed": seed, "loop": loop, "loss": loss, "parameters": parameters},
        **{"time": seconds, "allow_effects": allow_effects, "python": python},
    }
    if preset is not None and takes_program(preset, **own):
        refuse_preset_options(player=player)
        open_program(preset, options, **{**own, "parameters": names_in(parameters)})
    from nntui.presets.lookup import is_session

    if preset is not None and is_session(preset):
        _open_session(preset, options)
    data = _columns_of(preset) if preset is not None else None
    loaded = load(preset) if preset is not None and data is None else None
    from nntui.tui.launch import Options, launch

    click.get_current_context().exit(launch(loaded, options=Options(**options), data=data))


def _columns_of(path: str) -> "CsvColumns | None":
    """The columns of a CSV file, for which a preset is then made; None for another path."""
    from nntui.presets.making.csv_columns import look_at_csv
    from nntui.presets.text_files import is_csv

    return look_at_csv(Path(path)) if is_csv(path) else None


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def presets(as_json: bool) -> None:
    """List the library of scenarios."""
    from nntui.presets.lookup import library

    found = list(library())
    if as_json:
        rows = [
            {
                "name": preset.name,
                "question": preset.story.question,
                "goal": preset.goal.loss,
                "epochs": preset.goal.epochs,
            }
            for preset in found
        ]
        print_json({"presets": rows})
        return
    width = max(len(preset.name) for preset in found)
    for preset in found:
        click.echo(f"{preset.name:{width}}  {preset.story.question}")
        click.echo(f"{'':{width}}  {preset.network}; {preset.story.happens}")


@commands.command("list")
@click.argument("kind", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_kind(kind: str | None, as_json: bool) -> None:
    """List what a preset can contain, or what a diagnosis can find, one line each.

    KIND is activations, losses, initialisers, optimisers, schedules, faults, data, findings, or
    keys: every key of a preset with its type, default, meaning and limits.
    """
    from nntui.catalogue import KINDS, as_lines, as_table

    if kind is None:
        raise click.UsageError(f"list what? One of: {', '.join(KINDS)}")
    if as_json:
        print_json(as_table(kind))
    else:
        click.echo("\n".join(as_lines(kind)))


@commands.command("help")
@click.argument("topic", required=False)
def manual(topic: str | None) -> None:
    """Print a topic of the manual, or list the topics."""
    from nntui.manual import source, topics

    if topic is None:
        known = topics()
        width = max(map(len, known))
        click.echo("\n".join(f"{name:{width}}  {about}" for name, about in known.items()))
        return
    text = source(topic)
    from nntui.manual.generated_tables import filled
    from nntui.manual.plain_text import plain_text
    from nntui.tui.actions import ACTIONS

    click.echo(plain_text(filled(text, ACTIONS)))


@commands.command()
@click.argument("preset", metavar="PRESET|FILE.py")
@click.option("--string", "as_string", is_flag=True, help="Print it as one short string.")
@program_options("--allow-effects", "--python")
def show(preset: str, as_string: bool, allow_effects: bool, python: str | None) -> None:
    """Print a preset's TOML, ready to copy and edit.

    As a string (without its story) it can be pasted wherever a preset is asked for.

    Of FILE.py, a program of your own, it is the preset that computes the same; it is run to find
    out, with the arguments behind --.  The exit code is 3 if no preset does.
    """
    if takes_program(preset, allow_effects=allow_effects, python=python):
        show_program(preset, as_string, allow_effects=allow_effects, python=python)
        return
    from nntui.presets import encode, to_toml
    from nntui.presets.lookup import is_session, is_string, preset_text

    if as_string:
        click.echo(encode(load(preset)))
    elif is_string(preset) or is_session(preset):
        click.echo(to_toml(load(preset)), nl=False)
    else:
        click.echo(preset_text(preset), nl=False)


@commands.command("open")
@click.argument("file")
@drawing
def open_session(file: str, **options: Any) -> None:
    """Open a saved session in the app, at the point where it was saved.

    FILE is its name, as nntui sessions lists it, a preset's name (its latest session is
    opened), or the path of a .nntui file.
    """
    _open_session(file, options)


def _open_session(file: str, options: dict[str, Any]) -> NoReturn:
    from nntui.program.debugging.sessions.program_session import (
        is_program_session,
        load_program_session,
    )
    from nntui.timeline.sessions.session import load
    from nntui.timeline.sessions.session_folder import find
    from nntui.tui.launch import Options, launch

    path = find(file)
    player = options.get("player", "auto")
    if is_program_session(path):
        kept = load_program_session(path)
        click.get_current_context().exit(launch(None, None, Options(**options), kept))
    session = load(path)  # errors must be printed before the app draws
    keep_player(session.branch.stretches[0].first.player, file, player)
    click.get_current_context().exit(launch(None, session, Options(**options)))


@commands.command()
@click.option("--delete", "unwanted", multiple=True, metavar="NAME", help="Delete a session.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def sessions(unwanted: tuple[str, ...], as_json: bool) -> None:
    """List the saved sessions, or delete some."""
    from nntui.timeline.sessions import session_folder

    session_folder.tidy()
    for name in unwanted:
        path = session_folder.delete(name)
        if not as_json:
            click.echo(f"deleted {path}")
    if unwanted and not as_json:
        return
    found = session_folder.entries()
    if as_json:
        print_json(
            {
                "folder": str(session_folder.folder()),
                "sessions": [entry.as_json() for entry in found],
            }
        )
    elif found:
        click.echo("\n".join([*session_folder.listing(found), f"in {session_folder.folder()}"]))
    else:
        click.echo(f"no saved sessions in {session_folder.folder()}")


for answer in (*ANSWERS, bench, serve):
    commands.add_command(answer)


def _as_given(error: UnicodeError) -> tuple[bytes, int]:
    """Bytes of a file's name as they were given; other unknown characters as escapes."""
    assert isinstance(error, UnicodeEncodeError)
    unknown = error.object[error.start : error.end]
    written = (
        os.fsencode(each) if "\udc80" <= each <= "\udcff" else each.encode("ascii", ESCAPED)
        for each in unknown
    )
    return b"".join(written), error.end


codecs.register_error(AS_GIVEN, _as_given)


def main() -> int:
    """Run the command line and return its exit code; bad input is one line on stderr."""
    for variable in BLAS_THREADS:
        os.environ.setdefault(variable, "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A preset may hold characters that the terminal's encoding does not know.  For ASCII
            # click would put a stream of its own in UTF-8 in the place of this one.
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors=AS_GIVEN)
    if sys.stdout is None:
        return complain("standard output is closed")
    try:
        return int(commands.main(standalone_mode=False) or 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        said = in_one_line(error)
        if said is None:
            raise
        return complain(said)
    except SystemExit as error:
        if error.code != BROKEN_PIPE:
            raise
        return 0
