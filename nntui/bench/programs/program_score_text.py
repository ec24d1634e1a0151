"""Render the score of the checks of programs as text and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from nntui.bench.matrix.score import Share
from nntui.bench.programs.checked import Checked
from nntui.bench.programs.program_score import Said, Score

AIMS = {"analysed": 0.9, "verdict": 0.95, "first line": 0.85, "false alarms": 0.0}
"""What is aimed at on programs that the checker was not tuned on."""


def as_lines(part: str, checked: Sequence[Checked]) -> Iterator[str]:
    """The score, line by line."""
    score = Score(tuple(map(Said, checked)))
    yield f"part {part}: {len(score.said)} programs, {len(score.wrong)} of them wrong"
    yield "shares with their Wilson 95 % intervals"
    yield _line("analysed", score.analysed, f"at least {AIMS['analysed']}")
    yield _line("verdict right, of those analysed", score.verdict, f"at least {AIMS['verdict']}")
    yield _line(
        "first line right, of the wrong", score.first_line, f"at least {AIMS['first line']}"
    )
    yield _line("only true lines, of those called wrong", score.only_true)
    yield _line("false alarms on right programs", score.false_alarms, "none")
    yield _line("loop found, of those analysed", score.loop)
    middle, most = score.seconds
    yield f"{'seconds of a check':40} median {_number(middle)}, 90 % within {_number(most)}"
    for title, groups in (
        ("group", score.by_group()),
        ("mutants by operator", score.by_operator()),
    ):
        if groups:
            yield ""
            yield (
                f"{title:24} {'programs':>8} {'analysed':>8} {'verdict':>8} {'line':>8} "
                f"{'only true':>9} {'alarms':>8} {'loop':>8} {'median s':>8} {'90 % s':>8}"
            )
            yield from (_row(name, each) for name, each in groups.items())
    misses = [(said.checked.case.name, said.miss) for said in score.said if said.miss]
    if misses:
        yield ""
        yield "misses"
        yield from (f"{name}  {miss}" for name, miss in misses)


def _row(name: str, score: Score) -> str:
    middle, most = score.seconds
    shares = (score.analysed, score.verdict, score.first_line)
    return (
        f"{name:24} {len(score.said):8} {' '.join(f'{_of(each):>8}' for each in shares)} "
        f"{_of(score.only_true):>9} {_of(score.false_alarms):>8} {_of(score.loop):>8} "
        f"{_number(middle):>8} {_number(most):>8}"
    )


def as_json(part: str, checked: Sequence[Checked]) -> dict[str, Any]:
    """The score as one object."""
    score = Score(tuple(map(Said, checked)))
    return {
        "part": part,
        **_figures(score),
        "groups": {name: _figures(each) for name, each in score.by_group().items()},
        "operators": {name: _figures(each) for name, each in score.by_operator().items()},
        "programs_checked": [_case(said) for said in score.said],
    }


def _figures(score: Score) -> dict[str, Any]:
    middle, most = score.seconds
    return {
        "programs": len(score.said),
        "wrong": len(score.wrong),
        "analysed": score.analysed.as_json(),
        "verdict_right": score.verdict.as_json(),
        "first_line_right": score.first_line.as_json(),
        "only_true_lines": score.only_true.as_json(),
        "false_alarms": score.false_alarms.as_json(),
        "loop_found": score.loop.as_json(),
        "seconds_median": middle,
        "seconds_90": most,
    }


def _case(said: Said) -> dict[str, Any]:
    case = said.checked.case
    return {
        "name": case.name,
        "group": case.group,
        "truth": {"ok": case.ok, "lines": list(case.lines)},
        "ok": said.ok,
        "findings": [
            {name: each.get(name) for name in ("code", "file", "line", "confidence")}
            for each in said.findings
        ],
        "exit_code": said.checked.exit_code,
        "seconds": said.checked.seconds,
        "miss": said.miss,
    }


def _line(what: str, found: Share, wanted: str = "") -> str:
    return f"{what:40} {found}" + (f"  (aim: {wanted})" if wanted else "")


def _of(found: Share) -> str:
    return f"{found.hits}/{found.of}" if found.of else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
