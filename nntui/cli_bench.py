"""`nntui bench`: speed, and the scores of the diagnosis and of the check of programs."""

import click

from nntui.cli_output import erase_progress, print_json, show_progress
from nntui.cli_training import ended_by_signals


@click.command()
@click.option("--screen", is_flag=True, help="Measure the app in a terminal instead.")
@click.option("--long", is_flag=True, help="Also soak it: minutes of one run and of ten apps.")
@click.option("--matrix", is_flag=True, help="Score the diagnosis on planted faults instead.")
@click.option("--part", metavar="PART", help="Of the matrix: tuning, kept-apart or all.")
@click.option("--quick", is_flag=True, help="The matrix with two seeds instead of ten.")
@click.option("--programs", is_flag=True, help="Score check on known programs and mutants instead.")
@click.option("--kept-apart", is_flag=True, help="The programs that are not tuned on.")
@click.option("--limit", type=click.IntRange(1), help="The most programs of each group.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(
    screen: bool,
    long: bool,
    matrix: bool,
    part: str | None,
    quick: bool,
    programs: bool,
    kept_apart: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Measure nntui against the loops that people write, and its history (one to two minutes).

    With --matrix: plant faults in small networks, and score what the diagnosis says of them
    (about ten minutes on two cores).

    With --programs: check the programs of the repository's tests and one-line mutants of them,
    and score what is said of them (some minutes).
    """
    if programs:
        if screen or long or matrix or part is not None or quick:
            raise click.UsageError("--programs goes with --kept-apart, --limit and --json alone")
    elif kept_apart or limit is not None:
        raise click.UsageError("--kept-apart and --limit belong to --programs")
    elif matrix:
        if screen or long:
            raise click.UsageError("--matrix goes with --part, --quick and --json alone")
    elif part is not None or quick:
        raise click.UsageError("--part and --quick belong to --matrix")
    with ended_by_signals():
        if programs:
            _score_programs(kept_apart, limit, as_json)
        elif matrix:
            _score_diagnosis(part, quick, as_json)
        else:
            _measure_speed(screen, long, as_json)


def _measure_speed(screen: bool, long: bool, as_json: bool) -> None:
    from nntui.bench import bench as measure

    result = measure(None if as_json else click.echo, long=long, of_screen=screen)
    if as_json:
        print_json(result)


def _score_diagnosis(part: str | None, quick: bool, as_json: bool) -> None:
    from nntui.bench.matrix import ALL, PARTS, QUICK_SEEDS, SEEDS, run_matrix, score_text

    if part is not None and part not in PARTS:
        raise click.UsageError(f"--part {part} is not known; one of: {', '.join(PARTS)}")

    def progress(done: int, of: int) -> None:
        show_progress(done / max(of, 1), f"{done} of {of} cells")

    outcomes = run_matrix(part or ALL, QUICK_SEEDS if quick else SEEDS, progress)
    erase_progress()
    if as_json:
        print_json(score_text.as_json(outcomes))
    else:
        click.echo("\n".join(score_text.as_lines(outcomes)))


def _score_programs(kept_apart: bool, limit: int | None, as_json: bool) -> None:
    from nntui.bench.programs import KEPT_APART, TUNING, cases, check_all, program_score_text

    def progress(done: int, of: int) -> None:
        show_progress(done / max(of, 1), f"{done} of {of} programs")

    part = KEPT_APART if kept_apart else TUNING
    checked = check_all(cases(kept_apart, limit), progress)
    erase_progress()
    if as_json:
        print_json(program_score_text.as_json(part, checked))
    else:
        click.echo("\n".join(program_score_text.as_lines(part, checked)))
