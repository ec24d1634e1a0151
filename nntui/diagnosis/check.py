"""Check a run at its cursor: gradients and updates per tensor, forward pass, printed loss."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.core.settings.configuration import Configuration
from nntui.diagnosis.checks.examination import Examined, disturbs, examine
from nntui.diagnosis.checks.gradient_check import MOST_SAMPLES, GradientCheck, check_gradient
from nntui.diagnosis.checks.replays import MOST_ROWS_OF_RUN, next_rows
from nntui.diagnosis.checks.tensor_names import not_compared
from nntui.diagnosis.checks.update_check import OK, WRONG, Residual
from nntui.diagnosis.finding import Finding
from nntui.diagnosis.rules.code_faults import FORWARD, findings_of
from nntui.diagnosis.subject import Program, Subject
from nntui.timeline.run import Run


@dataclass(frozen=True, eq=False)
class Check:
    """What the checks of one run say; `as_json` is ``check --json``."""

    preset: str
    seed: int
    update: int
    gradient: tuple[GradientCheck, ...]
    updates: tuple[Residual, ...]
    findings: tuple[Finding, ...]
    causes: dict[str, str]
    """Per tensor whose update is wrong, what makes it so."""
    places: dict[str, str]
    """Likewise, the first parameters tried from which it shows, in words."""
    forward_residual: float
    printed_residual: float | None
    """None where it was not looked at; both are 0 where nothing is wrong."""
    limits: tuple[str, ...] = ()
    """What was looked at on a part of the rows or coordinates, in words."""

    @property
    def ok(self) -> bool:
        """Whether the program computes what it states."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The object that ``check --json`` prints."""
        return {
            "preset": self.preset,
            "seed": self.seed,
            "update": self.update,
            "gradient": [_gradient_json(each) for each in self.gradient],
            "update_check": [
                {
                    "tensor": each.tensor.name,
                    "residual": each.of_step,
                    "gradient_residual": each.of_gradient,
                    "verdict": each.verdict,
                    "cause": self.causes.get(each.tensor.name),
                    "where": self.places.get(each.tensor.name),
                }
                for each in self.updates
            ],
            "forward": {
                "residual": self.forward_residual,
                "verdict": _verdict(self.forward_residual),
            },
            "printed_loss": None
            if self.printed_residual is None
            else {"residual": self.printed_residual, "verdict": _verdict(self.printed_residual)},
            "findings": [each.as_json() for each in self.findings],
            "limits": list(self.limits),
            "ok": self.ok,
        }


@np.errstate(all="ignore")
def check(run: Run) -> Check:
    """Check the program of ``run`` at its cursor; the run stays where it is."""
    subject: Subject = Program(run.preset.configuration)
    state = run.state
    examined = examine(subject, state)
    rows = next_rows(subject.stated, state)[0]
    # The first update of the first probe is that of the run, where its parameters are finite.
    noise = examined.replays.noise[0].gradient if np.isfinite(state.theta).all() else None
    gradient = check_gradient(subject, state.theta, rows, state.epoch, examined.forward, noise)
    printed = examined.printed
    return Check(
        run.preset.name,
        run.seed,
        run.update,
        tuple(gradient),
        examined.residuals,
        tuple(findings_of(examined)),
        _causes(examined),
        {
            each.tensor.name: examined.replays.where(each.first)
            for each in examined.residuals
            if each.first is not None
        },
        examined.forward.residual,
        None if printed is None else printed.residual if not printed.is_stated else 0.0,
        tuple(_limits(len(rows), gradient, subject.stated)),
    )


def _limits(rows: int, gradient: Sequence[GradientCheck], stated: Configuration) -> Iterator[str]:
    """What is left out of an update of ``rows`` rows."""
    if rows > MOST_SAMPLES:
        yield f"gradients compared on {MOST_SAMPLES:,} of the {rows:,} rows of a batch"
    if rows > MOST_ROWS_OF_RUN:
        yield f"updates compared on {MOST_ROWS_OF_RUN:,} of the {rows:,} rows of a batch"
    yield from not_compared(stated)
    for each in gradient:
        if each.coordinates < each.size:
            yield f"{each.tensor.name} compared at {each.coordinates:,} of {each.size:,} numbers"


def _causes(examined: Examined) -> dict[str, str]:
    """Which rules change the update of each tensor, by name."""
    found = {}
    for residual in examined.residuals:
        if residual.verdict != WRONG:
            continue
        names = [
            entry.name
            for entry in examined.explanation.rules
            if disturbs(examined, entry, residual.tensor)
        ]
        if examined.forward.unknown is not None:
            names.append(FORWARD)
        elif residual.tensor in examined.explanation.unknown:
            names.append("unknown")
        found[residual.tensor.name] = ", ".join(dict.fromkeys(names)) or "unknown"
    return found


def _verdict(residual: float) -> str:
    return WRONG if residual else OK


def _gradient_json(each: GradientCheck) -> dict[str, Any]:
    return {
        "tensor": each.tensor.name,
        "relative_error": each.relative_error,
        "analytic_norm": each.analytic_norm,
        "numeric_norm": each.numeric_norm,
        "complex_step_error": each.oracle_error,
        "coordinates": each.coordinates,
        "size": each.size,
        "kinks": each.kinks,
        "at": list(each.at),
        "verdict": each.verdict,
    }
