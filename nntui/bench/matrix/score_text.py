"""Render the score as text and as JSON."""

from collections.abc import Iterator
from typing import Any

from nntui.bench.matrix.matrix_run import Outcomes
from nntui.bench.matrix.outcomes import HURTS, NOT_HEALTHY, SILENT
from nntui.bench.matrix.score import Naming, Score, Share

TARGETS = {"top-1": 0.85, "precision": 0.7, "quiet": 0.98, "flagged": 1.0, "left": 0.5}
"""What is aimed at on the part that is kept apart."""


def as_lines(outcomes: Outcomes) -> Iterator[str]:
    """The score, line by line."""
    score = Score(outcomes.faulty, outcomes.healthy)
    naming, labels = Naming.of(score.failed), score.labels
    unfit = len(score.healthy) - len(score.well)
    yield f"part {outcomes.part}, {outcomes.seeds} seeds"
    yield (
        f"{len(score.faulty)} planted runs: {labels[HURTS]} fail, {labels[SILENT]} succeed all the "
        f"same, {labels[NOT_HEALTHY]} fail without the fault"
    )
    yield f"{len(score.well)} healthy runs, and {unfit} more that failed and are left out"
    yield "shares with their Wilson 95 % intervals; targets are those of the part kept apart"
    yield _line("top-1", naming.top1, f"at least {TARGETS['top-1']}")
    yield _line("recall", naming.recall)
    yield _line("list precision", naming.precision, f"at least {TARGETS['precision']}")
    yield _line("... with what follows from the fault", naming.precision_beside)
    yield _line("code faults flagged in one update", score.code["flagged"], "all")
    yield _line("... and named", score.code["named"])
    yield _line("right programs that are called wrong", score.accused)
    for when, found in score.quiet.items():
        wanted = "" if when == "on the way" else f"at least {TARGETS['quiet']}"
        yield _line(f"healthy without alarm, {when}", found, wanted)
    yield f"{'alarms per healthy run':38} {_number(score.alarms_per_healthy_run)}"
    latency = score.latency
    yield (
        f"{'latency':38} {_number(latency['median_updates'])} updates, "
        f"{_number(latency['median_share'])} of the run (medians); "
        f"at update 1: {_number(latency['at_update_1'])}"
    )
    for cure, left in score.left.items():
        wanted = f"{TARGETS['left']} of the next line's" if "fix" in cure else ""
        yield _line(f"failures left after {cure}", left, wanted)
    for title, groups in (
        ("kind", score.by(lambda each: each.kind)),
        ("task", score.by(lambda each: each.task)),
        ("network", score.by(lambda each: each.architecture)),
    ):
        yield ""
        yield f"{title:24} {'failed':>6} {'top-1':>6} {'recall':>6} {'precision':>9} {'beside':>6}"
        for name, each in groups.items():
            yield (
                f"{name:24} {each.top1.of:6} {_number(each.top1.value):>6} "
                f"{_number(each.recall.value):>6} {_number(each.precision.value):>9} "
                f"{_number(each.precision_beside.value):>6}"
            )
    yield from _confusions(score)


def _confusions(score: Score) -> Iterator[str]:
    """What was said instead of the right answer."""
    if score.misses:
        yield ""
        yield "headlines that are no right answer, by kind"
        for kind, found in score.misses.items():
            yield f"{kind:24} " + ", ".join(f"{said} {n}" for said, n in found.most_common())
    for title, counts in (
        ("code faults not named after one update", score.unflagged),
        ("alarms of healthy runs", score.false_alarms),
    ):
        if counts:
            yield ""
            yield title
            yield from (f"{said}  {n}" for said, n in counts.most_common())


def as_json(outcomes: Outcomes) -> dict[str, Any]:
    """The score as one object."""
    score = Score(outcomes.faulty, outcomes.healthy)
    return {
        "part": outcomes.part,
        "seeds": outcomes.seeds,
        "planted": score.labels,
        "healthy": len(score.well),
        "healthy_failed": len(score.healthy) - len(score.well),
        **_naming(Naming.of(score.failed)),
        "code_faults": {name: each.as_json() for name, each in score.code.items()},
        "right_programs_called_wrong": score.accused.as_json(),
        "healthy_without_alarm": {name: each.as_json() for name, each in score.quiet.items()},
        "alarms_per_healthy_run": score.alarms_per_healthy_run,
        "latency": score.latency,
        "failures_left": {name: each.as_json() for name, each in score.left.items()},
        "kinds": {k: _naming(each) for k, each in score.by(lambda each: each.kind).items()},
        "tasks": {k: _naming(each) for k, each in score.by(lambda each: each.task).items()},
        "misses": {kind: dict(found) for kind, found in score.misses.items()},
        "code_faults_not_named": dict(score.unflagged),
        "false_alarms": dict(score.false_alarms),
    }


def _naming(naming: Naming) -> dict[str, Any]:
    return {name: found.as_json() for name, found in vars(naming).items()}


def _line(what: str, found: Share, wanted: str = "") -> str:
    return f"{what:38} {found}" + (f"  (aim: {wanted})" if wanted else "")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
