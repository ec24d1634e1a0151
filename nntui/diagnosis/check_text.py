"""Render a Check as plain text."""

from collections.abc import Iterator, Sequence
from textwrap import fill

from nntui.diagnosis.check import Check
from nntui.diagnosis.checks.gradient_check import SUSPICIOUS, GradientCheck
from nntui.diagnosis.checks.replays import PLACES, RUN
from nntui.diagnosis.checks.update_check import OK, TOO_SMALL, WRONG
from nntui.diagnosis.finding import Finding

WIDTH = 80
MOST_KINKS = 3
"""Kinks named in a line; the rest are counted."""


def render_check(check: Check) -> str:
    """``check`` as text in lines of at most 80 columns."""
    return "\n".join(_folded(line) for line in _lines(check))


def _folded(line: str) -> str:
    """``line``, continued below its own indent where it is too long."""
    indent = " " * (len(line) - len(line.lstrip(" 0123456789.")))
    return line if len(line) <= WIDTH else fill(line, WIDTH, subsequent_indent=indent)


def _lines(check: Check) -> Iterator[str]:
    yield f"{check.preset}, seed {check.seed}, update {check.update}"
    yield ""
    yield (
        f"Gradient check at update {check.update}: reported gradients against differences, h = 1e-5"
    )
    yield from _table(
        ("tensor", "error", "|analytic|", "|numeric|", "complex step", "kinks", "verdict"),
        [
            (
                each.tensor.name,
                _number(each.relative_error),
                _number(each.analytic_norm),
                _number(each.numeric_norm),
                _number(each.oracle_error),
                f"{each.kinks} of {each.coordinates}" if each.kinks else "",
                each.verdict,
            )
            for each in check.gradient
        ],
    )
    yield from (_kinks(each) for each in check.gradient if each.kinks)
    yield _of_gradient(check)
    yield ""
    yield f"Update check at update {check.update} and at other parameters: steps against the rule"
    yield from _table(
        ("tensor", "residual", "of gradient", "verdict", "cause"),
        [
            (
                each.tensor.name,
                _number(each.of_step),
                _number(each.of_gradient),
                each.verdict,
                check.causes.get(each.tensor.name, ""),
            )
            for each in check.updates
        ],
    )
    yield _of_updates(check)
    yield ""
    yield _residual("Forward pass", check.forward_residual)
    yield _residual("Printed loss", check.printed_residual)
    if check.limits:
        yield f"Sampled: {'; '.join(check.limits)}."
    yield ""
    yield from _verdict(check.findings)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"


def _kinks(each: GradientCheck) -> str:
    named = ", ".join(each.at[:MOST_KINKS])
    more = f" and {len(each.at) - MOST_KINKS} more" if len(each.at) > MOST_KINKS else ""
    said = (
        "compared with the complex step instead"
        if each.kinks == each.coordinates
        else "left out: the loss has no slope there"
    )
    return f"  {each.tensor.name}: {each.kinks} at a kink ({named}{more}), {said}"


def _of_gradient(check: Check) -> str:
    at = f"At update {check.update}"
    bad = [each for each in check.gradient if each.verdict in (WRONG, SUSPICIOUS)]
    if bad:
        names = ", ".join(each.tensor.name for each in bad)
        worst = max(each.relative_error or 0.0 for each in bad)
        return f"  {at}, not the slope of the loss: {names} (worst error {worst:.2g})."
    small = [each.tensor.name for each in check.gradient if each.verdict == TOO_SMALL]
    if len(small) == len(check.gradient):
        return f"  {at}, all gradients are at rounding level: nothing can be compared."
    said = f"; {', '.join(small)}: at rounding level, not compared" if small else ""
    return f"  {at}, the reported gradient is the slope of the loss{said}."


def _of_updates(check: Check) -> str:
    bad: dict[str, list[str]] = {}
    for each in check.updates:
        if each.verdict == WRONG:
            bad.setdefault(check.places[each.tensor.name], []).append(each.tensor.name)
    if bad:
        # In the order of the places that were tried.
        said = [
            f"{'first seen ' * (place != RUN)}{_place(place, check)}: {', '.join(names)}"
            for place, names in sorted(bad.items(), key=lambda each: PLACES.index(each[0]))
        ]
        return f"  The update is not the stated rule on the true gradient {'; '.join(said)}."
    if not any(each.verdict == OK for each in check.updates):
        return "  All steps are at rounding level: nothing can be compared."
    return "  Everywhere the update is the stated rule applied to the true gradient."


def _place(place: str, check: Check) -> str:
    return f"at update {check.update}" if place == RUN else place


def _residual(what: str, residual: float | None) -> str:
    if residual is None:
        return f"{what}: not compared."
    return f"{what}: off by {residual:.2g}." if residual else f"{what}: as stated."


def _verdict(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        yield "No fault found: the program computes what it states."
        return
    count = len(findings)
    yield f"{count} {'fault' if count == 1 else 'faults'} found, most important first."
    for number, finding in enumerate(findings, 1):
        yield f"{number}. {finding.code}: {finding.rule.title}."
        yield f"   {finding.evidence[0].upper()}{finding.evidence[1:]}."
        yield f"   Fix: {finding.fixes[0].text}."
