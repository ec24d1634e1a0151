"""The commands that take a person's own program, ``FILE.py``, where they take a preset.

The program's own arguments stand behind ``--``; they are cut off before click sees the line.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import click

from nntui.cli_output import print_json, saying, show_progress
from nntui.cli_training import ended_by_signals, exit_if

EXIT_CODES = {True: 0, False: 1, None: 3}
"""Of a check, by its verdict: right, a fault, could not tell."""
NO_PRESET = 3
"""The exit code of ``show`` where no preset computes what the program does."""
DEFAULT_TIME = 10.0
"""Seconds for a check."""
BEHIND = "nntui.program_arguments"
"""The key of the words behind ``--`` in a context's ``meta``."""

Command = TypeVar("Command", bound=Callable[..., None])


class Commands(click.Group):
    """A group that opens the app with its first word as the preset, unless that is a command.

    Of a line with a ``FILE.py`` it keeps what stands behind the first ``--`` after it apart.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0].partition("=")[0] if args else ""
        if first not in self.commands and first not in ("-h", "--help", "--version"):
            args = ["app", *args]
        command = self.commands.get(args[0]) if args else None
        at = _position_of_program(args, command) if command is not None else None
        if at is not None and "--" in args[at:]:
            cut = args.index("--", at)
            args, ctx.meta[BEHIND] = args[:cut], tuple(args[cut + 1 :])
        return super().parse_args(ctx, args)


def _position_of_program(args: Sequence[str], command: click.Command) -> int | None:
    """Where the command's first argument stands in ``args``, if it is a ``FILE.py``."""
    from nntui.program.file_names import is_program

    takes_value = {
        name: not option.is_flag
        for option in command.params
        if isinstance(option, click.Option)
        for name in option.opts
    }
    at = 1
    while at < len(args) and args[at].startswith("-") and args[at] != "--":
        at += 2 if takes_value.get(args[at]) else 1
    at += args[at : at + 1] == ["--"]
    return at if at < len(args) and is_program(args[at]) else None


def program_options(*names: str) -> Callable[[Command], Command]:
    """A decorator that adds those of `OPTIONS` with ``names``; None or False if not given."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = OPTIONS[name](command)
        return command

    return decorate


OPTIONS: dict[str, Callable[[Any], Any]] = {
    "--loop": click.option(
        "--loop", type=int, metavar="LINE", help="Of a FILE.py: each turn is one update."
    ),
    "--loss": click.option("--loss", metavar="TEXT", help="Of a FILE.py: what it minimises."),
    "--parameters": click.option(
        "--parameters", metavar="A,B,...", help="Of a FILE.py: what is trained."
    ),
    "--time": click.option(
        "--time", "seconds", type=float, metavar="S", help="Of a FILE.py: seconds (10)."
    ),
    "--diff": click.option("--diff", is_flag=True, help="Of a FILE.py: print the mend as a diff."),
    "--allow-effects": click.option(
        "--allow-effects", is_flag=True, help="Of a FILE.py: let it write, delete and connect."
    ),
    "--python": click.option(
        "--python", metavar="PATH", help="Of a FILE.py: the interpreter that runs it."
    ),
}
"""Options that belong to a program and to no preset."""


def takes_program(subject: str, **options: Any) -> bool:
    """Whether ``subject`` is a ``FILE.py``.

    ``options`` are those that a command has for programs alone, by name.  Raises UsageError for
    one of them with a preset, and ProgramError for a notebook.
    """
    from nntui.program.file_names import is_program, refuse_other_names

    refuse_other_names(subject)
    if is_program(subject):
        return True
    if given := _given(options):
        raise click.UsageError(f"{given} belongs to a program (FILE.py), not to a preset")
    return False


def refuse_preset_options(**options: Any) -> None:
    """Raise UsageError for an option of presets that was given with a program."""
    if given := _given(options):
        raise click.UsageError(f"{given} belongs to a preset, not to a program (FILE.py)")


def _given(options: Mapping[str, Any]) -> str:
    """The first of ``options`` that was given, as it is written; empty if none was."""
    names = (name for name, value in options.items() if value or _is_zero(value))
    return next((f"--{name.replace('_', '-')}" for name in names), "")


def _is_zero(value: Any) -> bool:
    """Whether it is a number, which is given even if it is 0."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def names_in(text: str | None) -> tuple[str, ...] | None:
    """The names in ``text``, separated by commas; a comma in brackets is part of a name."""
    if text is None:
        return None
    return tuple(name.strip() for name in re.split(r",(?![^\[\]]*\])", text))


def program_arguments() -> tuple[str, ...]:
    """The words behind ``--`` of the line that is being run."""
    behind: tuple[str, ...] = click.get_current_context().meta.get(BEHIND, ())
    return behind


def open_program(file: str, drawing: Mapping[str, Any], **options: Any) -> NoReturn:
    """Open the app on the program ``file``, and exit with its code.

    ``options`` are those of `CheckRequest` except for path and arguments; None is left out.
    """
    from nntui.program.checking import CheckRequest
    from nntui.tui.launch import Options, launch

    given = {name: value for name, value in options.items() if value is not None}
    request = CheckRequest(file, program_arguments(), **given)
    code = launch(None, options=Options(**drawing), program=request)
    click.get_current_context().exit(code)


def check_program(file: str, diff: bool, as_json: bool, **options: Any) -> None:
    """Check the program ``file``, print the answer, and exit with its code.

    ``options`` are those of `nntui.program.check` except for the arguments.
    """
    from nntui.program import check

    with ended_by_signals(), saying(f"running {file}"):
        answer = check(file, program_arguments(), diff=diff, **options)
    if as_json:
        print_json(answer.as_json())
    else:
        from nntui.program.answer_in_words import render_program_check

        click.echo(render_program_check(answer, diff))
    click.get_current_context().exit(EXIT_CODES[answer.ok])


def explain_program(file: str, as_json: bool, **options: Any) -> None:
    """Say why the program ``file`` does not learn.

    ``options`` are those of `nntui.program.why.why` except for the arguments; None is left out.
    """
    from nntui.program.why import why

    begun = False

    def progress(words: str, share: float) -> bool:
        nonlocal begun
        begun = True
        show_progress(share, words)
        return not interrupted

    given = {name: value for name, value in options.items() if value is not None}
    # Until there is something to tell, Ctrl+C ends it at once.
    with ended_by_signals(lambda: begun) as interrupted, saying(f"running {file}"):
        answer = why(file, program_arguments(), progress=progress, **given)
    if as_json:
        print_json(answer.as_json())
    else:
        click.echo(answer.text)
    exit_if(interrupted)


def show_program(file: str, as_string: bool, **options: Any) -> None:
    """Print the preset that computes what the program ``file`` does; exit with 3 if none does.

    ``options`` are those of `nntui.program.recognise.showing.show` except for the arguments.
    """
    from nntui.program.recognise.showing import show

    with ended_by_signals(), saying(f"running {file}"):
        found = show(file, program_arguments(), **options)
    if found.preset_text is None:
        where = file if found.line is None else f"{file}:{found.line}"
        click.echo(f"nntui: no preset computes the same as {where}: {found.reason}", err=True)
        click.get_current_context().exit(NO_PRESET)
    click.echo(found.as_string(file) if as_string else found.preset_text, nl=as_string)
