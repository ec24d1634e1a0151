"""The commands that answer something about one preset: run, sweep, check, why and export.

Of these, check and why also take a program.

Each imports what it needs when it runs, so that help is instant.
"""

from typing import TYPE_CHECKING

import click

from nntui.arguments import load, load_run, numbers, playing
from nntui.cli_output import erase_progress, print_json, print_pieces, saying, show_progress
from nntui.cli_programs import (
    DEFAULT_TIME,
    check_program,
    explain_program,
    names_in,
    program_options,
    refuse_preset_options,
    takes_program,
)
from nntui.cli_training import announce_compiler, exit_if, interruptible, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nntui.sweeps.block import Outcome

FOUND_FAULT = 1
"""The exit code of a check that found one."""
MANY_PARAMETERS, MANY_UPDATES = 100_000, 10_000
"""Parameters whose check takes a moment, and updates before it."""
SEEDS, MOST_SEEDS = 100, 10_000_000
"""For each fix of a preset: how many if not said, and at most."""


@click.command()
@click.argument("preset")
@click.option("--seed", type=int, help="Seed of the first parameters.")
@click.option("--epochs", type=click.IntRange(0), help="Budget in epochs.")
@click.option("--updates", type=click.IntRange(0), help="Budget in updates.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change an entry.")
@click.option("--predict", multiple=True, metavar="X1,X2,...", help="Predict a row afterwards.")
@playing
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def run(
    preset: str,
    seed: int | None,
    epochs: int | None,
    updates: int | None,
    changes: tuple[str, ...],
    predict: tuple[str, ...],
    player: str,
    as_json: bool,
) -> None:
    """Train a preset to its end, and print the result."""
    if epochs is not None and updates is not None:
        raise click.UsageError("--epochs and --updates exclude each other; give one")
    training = load_run(preset, changes, seed, player)
    from nntui.core.errors import ConfigError
    from nntui.timeline import Run
    from nntui.timeline.history.termination import Termination
    from nntui.timeline.views.json_text import json_pieces
    from nntui.timeline.views.run_result import run_result, run_text

    began = training.update
    rows = [numbers("--predict", text) for text in predict]
    for row in rows:
        try:
            training.predict([row])
        except ConfigError as error:
            raise click.UsageError(f"--predict {error.message}") from None
    initial = Run.on(training.tree, training.branch, 0).parameters
    with interruptible() as interrupted:
        status = train(training, Termination(epochs, updates), interrupted)
    predictions = [training.predict([row])[:, 0] for row in rows]
    if as_json:
        print_pieces(json_pieces(run_result(training, status, initial, predictions)))
    else:
        click.echo(run_text(training, status, rows, predictions, began))
    exit_if(interrupted)


@click.command()
@click.argument("preset")
@click.option("--seeds", type=click.IntRange(1, MOST_SEEDS), default=100, help="How many seeds.")
@click.option("--first-seed", type=click.IntRange(0), help="The first of them.")
@click.option("--epochs", type=click.IntRange(0), help="Budget in epochs.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change an entry.")
@click.option("--scheduler", metavar="ADDRESS", help="Train on a Dask cluster (nntui[dask]).")
@playing
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def sweep(
    preset: str,
    seeds: int,
    first_seed: int | None,
    epochs: int | None,
    changes: tuple[str, ...],
    scheduler: str | None,
    player: str,
    as_json: bool,
) -> None:
    """Train a preset from many seeds, and count how many solve it."""
    loaded = load(preset, changes)
    from nntui.players.player_choice import chosen_player
    from nntui.sweeps import sweep as train_many
    from nntui.sweeps.cluster import cluster
    from nntui.sweeps.sweep_text import sweep_text

    first = loaded.seed if first_seed is None else first_seed
    if first + seeds > 2**32:
        raise click.UsageError(f"--first-seed {first} with --seeds {seeds}: the last is 2**32 - 1")
    announce_compiler(chosen_player(player, loaded.configuration))
    with cluster(scheduler) as executor, interruptible() as interrupted:

        def progress(done: "Sequence[Outcome]", of: int) -> bool:
            show_progress(len(done) / max(of, 1), f"{len(done)} of {of} seeds")
            return not interrupted

        asked = range(first, first + seeds)
        result = train_many(
            loaded, asked, executor, epochs=epochs, player=player, progress=progress
        )
    erase_progress()
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(sweep_text(result))
    exit_if(interrupted)


@click.command()
@click.argument("preset", metavar="PRESET|FILE.py")
@click.option("--seed", type=int, help="Of the first weights, or of all draws.")
@click.option("--at-update", type=click.IntRange(0), help="Check there, not where the run is.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change an entry.")
@program_options(
    "--loop", "--loss", "--parameters", "--time", "--diff", "--allow-effects", "--python"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(
    preset: str,
    seed: int | None,
    at_update: int | None,
    changes: tuple[str, ...],
    as_json: bool,
    loop: int | None,
    loss: str | None,
    parameters: str | None,
    seconds: float | None,
    diff: bool,
    allow_effects: bool,
    python: str | None,
) -> None:
    """Check the updates of a preset or of your own program.

    A preset is checked against its own description.

    FILE.py is run, in a process of its own and with the arguments behind --: is every update the
    gradient of the loss, and if not, which line is wrong?

    The exit code is 1 if there is a fault, and 3 if it could not tell.
    """
    asked = {"loop": loop, "loss": loss, "parameters": names_in(parameters), "time": seconds}
    allowed = {"allow_effects": allow_effects, "python": python}
    if takes_program(preset, **asked, diff=diff, **allowed):
        refuse_preset_options(at_update=at_update, set=changes)
        asked["time"] = DEFAULT_TIME if seconds is None else seconds
        check_program(preset, diff, as_json, seed=seed, **asked, **allowed)
        return
    run = load_run(preset, changes, seed)
    from nntui.diagnosis.check import check as checked
    from nntui.diagnosis.check_text import render_check

    if at_update is not None:
        with saying(f"training to update {at_update:,}", at_update > MANY_UPDATES):
            run.seek(at_update)
    count = run.preset.configuration.parameters
    with saying(f"checking {count:,} parameters", count > MANY_PARAMETERS):
        result = checked(run)
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(render_check(result))
    if not result.ok:
        click.get_current_context().exit(FOUND_FAULT)


@click.command()
@click.argument("preset", metavar="PRESET|FILE.py")
@click.option("--seed", type=int, help="Seed of the run that is diagnosed.")
@click.option(
    "--seeds", type=click.IntRange(1, MOST_SEEDS), help="For each fix (100; of a FILE.py 20)."
)
@click.option("--time", "seconds", type=click.FloatRange(1), default=20.0, help="Seconds (20).")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change an entry.")
@playing
@program_options("--allow-effects", "--python")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def why(
    preset: str,
    seed: int | None,
    seeds: int | None,
    seconds: float,
    changes: tuple[str, ...],
    player: str,
    as_json: bool,
    allow_effects: bool,
    python: str | None,
) -> None:
    """Say why a preset or your own program does not learn.

    Its run is diagnosed; then fixes are tried over many seeds, within the time.  FILE.py is run
    for that, with the arguments behind --.
    """
    from time import perf_counter

    started = perf_counter()
    if takes_program(preset, allow_effects=allow_effects, python=python):
        refuse_preset_options(set=changes, player=None if player == "auto" else player)
        allowed = {"allow_effects": allow_effects, "python": python}
        options = {"seed": seed, "seeds": seeds, "time": seconds, "started": started}
        explain_program(preset, as_json, **options, **allowed)
        return
    asked = load_run(preset, changes, seed, player)
    from nntui.diagnosis.answer_text import render_answer
    from nntui.diagnosis.why import why as ask

    announce_compiler(asked.player)
    with interruptible() as interrupted:

        def progress(words: str, share: float) -> bool:
            show_progress(share, words)
            return not interrupted

        answer = ask(asked, None, seeds or SEEDS, seconds, progress, player=player, started=started)
    erase_progress()
    if as_json:
        print_json(answer.as_json())
    else:
        click.echo(render_answer(answer))
    exit_if(interrupted)


@click.command("export")
@click.argument("preset")
@click.option("--as", "target", required=True, metavar="numpy|pytorch", help="The library to use.")
@click.option("-o", "file", metavar="FILE", help="Write to a file, not to standard output.")
@click.option("--seed", type=int, help="Seed of the first parameters.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change an entry.")
def export_script(
    preset: str, target: str, file: str | None, seed: int | None, changes: tuple[str, ...]
) -> None:
    """Print a preset as a standalone script that prints the same losses without nntui."""
    loaded = load(preset, changes)
    from pathlib import Path

    from nntui.export import export
    from nntui.presets.atomic_write import write_bytes

    script = export(loaded, target, seed)
    if file is None:
        click.echo(script, nl=False)
    else:
        write_bytes(Path(file), script.encode())


ANSWERS = (run, sweep, check, why, export_script)
"""The commands of this module."""
