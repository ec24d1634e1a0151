"""Diagnose an observed run: apply all rules and rank the findings."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from nntui.core.errors import ConfigError
from nntui.diagnosis.checks.replays import MOST_ROWS_OF_RUN
from nntui.diagnosis.checks.tensor_names import not_compared
from nntui.diagnosis.deadline import NEVER, Deadline
from nntui.diagnosis.evidence import EXPLAINS, FELT, FORBIDS, Evidence
from nntui.diagnosis.finding import PROOF, Diagnosis, Finding
from nntui.diagnosis.measures.progress import epochs_needed
from nntui.diagnosis.observation import Observation
from nntui.diagnosis.rules.code_faults import ONLY_PRINTED, code_faults
from nntui.diagnosis.rules.depth import exploding, vanishing
from nntui.diagnosis.rules.finding_kinds import PLATEAU
from nntui.diagnosis.rules.improper_targets import improper_targets
from nntui.diagnosis.rules.proofs import MOST_GROUPED, proofs
from nntui.diagnosis.rules.rates import diverged, oscillation, rate_too_high, rate_too_low
from nntui.diagnosis.rules.saturation import loss_mismatch, saturation
from nntui.diagnosis.rules.scales import (
    init_scale,
    inputs_scale,
    penalty,
    targets_scale,
    without_bias,
)
from nntui.diagnosis.rules.silent_samples import silent_samples
from nntui.diagnosis.rules.units import dead_layers, dead_units, one_unit, symmetric_start
from nntui.diagnosis.subject import Program, Subject
from nntui.presets.preset import Preset
from nntui.presets.schema import override

MEASUREMENTS: tuple[Callable[[Evidence], Iterable[Finding]], ...] = (
    inputs_scale,
    targets_scale,
    init_scale,
    penalty,
    rate_too_high,
    loss_mismatch,
    saturation,
    dead_units,
    one_unit,
    without_bias,
    vanishing,
    exploding,
    oscillation,
    diverged,
)


def diagnose(observation: Observation, deadline: Deadline = NEVER) -> Diagnosis:
    """Diagnose ``observation``.  A pure function, safe to call from any thread.

    No rule is started after ``deadline``; `Diagnosis.limits` lists what was left out.
    """
    return diagnose_subject(Program(observation.preset.configuration), observation, deadline)


def diagnose_subject(
    subject: Subject,
    observation: Observation,
    deadline: Deadline = NEVER,
    *,
    with_code: bool = True,
) -> Diagnosis:
    """Like `diagnose`, for any program; ``with_code``: look for faults of its code as well."""
    evidence = Evidence(subject, observation, deadline)
    # Parameters on their way to infinity overflow whatever is computed from them.
    with np.errstate(all="ignore"):
        found = [
            finding
            for rule in (*([code_faults] if with_code else []), _certificates, _measured)
            if evidence.has_time()
            for finding in rule(evidence)
        ]
        causes, explained = _causes(_told_aside(found))
        listed = sorted(causes, key=_place)
    if evidence.progress.bad and not any(_is_cause(each) for each in listed):
        listed.append(_plateau(evidence))
    return Diagnosis(
        update=observation.state.update,
        learns=not evidence.progress.bad and all(each.rule.is_code_fault for each in listed),
        findings=tuple(_tried(observation.preset, each) for each in listed),
        checked=_checked(evidence),
        limits=_limits(evidence),
        suspects=tuple(_tried(observation.preset, each) for each in sorted(explained, key=_place)),
        progress=evidence.progress.said,
    )


def _certificates(evidence: Evidence) -> Iterator[Finding]:
    """Proofs: those that forbid the goal always, the others where progress is bad."""
    yield from improper_targets(evidence)
    progress = evidence.progress
    if progress.reached:
        return
    for each in proofs(evidence):
        if each.weight >= 1.0 or (progress.bad and each.weight >= 0.5):
            yield each
    if progress.bad or not progress.trained:
        yield from symmetric_start(evidence)
    for each in dead_layers(evidence):
        # One that was dead from the start has had no chance; a late one may still be pushed out
        # by what momentum or a penalty does.
        if progress.bad or each.first_update == 0 or _stays_dead(evidence):
            yield each
    if progress.bad:
        yield from silent_samples(evidence)


def _stays_dead(evidence: Evidence) -> bool:
    """Whether only gradients of the data move the parameters, and a constant misses the goal."""
    training = evidence.stated.training
    penalised = evidence.stated.l1 or evidence.stated.l2
    misses = evidence.cost.constant(evidence.y) > evidence.observation.preset.goal.loss
    return misses and not (training.momentum or evidence.scales_itself or penalised)


def _measured(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.progress.trained:
        return
    if evidence.progress.slow:
        yield from rate_too_low(evidence)
    if evidence.progress.bad:
        for measure in MEASUREMENTS:
            if evidence.has_time():
                yield from measure(evidence)


def _is_cause(finding: Finding) -> bool:
    """Whether it can keep a run from learning at all."""
    return finding.code not in ONLY_PRINTED


def _hurts(finding: Finding) -> bool:
    """Whether it is taken for a cause before any experiment."""
    return _is_cause(finding) and not (finding.rule.is_code_fault and finding.weight < FELT)


def _causes(found: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """``found`` without the symptoms of other findings; then those that a proof explains.

    If a fault or a certificate explains the failure, measurements are consequences of it.
    """
    codes = {each.code for each in found}
    left = [each for each in found if not codes & set(each.symptom_of)]
    explained = any(
        _hurts(each) and (each.rule.is_code_fault or each.weight >= EXPLAINS)
        for each in left
        if each.rule.klass == PROOF
    )
    measured = [each for each in left if each.rule.klass != PROOF]
    if not explained:
        return left, []
    return [each for each in left if each.rule.klass == PROOF], measured


def _told_aside(found: list[Finding]) -> list[Finding]:
    """``found``, where the evidence of a cause tells of the symptoms that are dropped for it."""
    codes = {each.code for each in found}
    kept = [each for each in found if not codes & set(each.symptom_of)]
    told: dict[int, list[str]] = {}
    for each in found:
        causes = [cause for cause in kept if each.aside and cause.code in each.symptom_of]
        if causes:
            told.setdefault(id(min(causes, key=_place)), []).append(each.aside)
    return [
        replace(each, evidence="; ".join((each.evidence, *told.get(id(each), ()))))
        for each in found
    ]


def _place(finding: Finding) -> tuple[int, float]:
    """Sort key of a finding in the list, lowest first."""
    if finding.rule.is_code_fault:
        return (2 if _hurts(finding) else 5), -finding.weight
    if finding.rule.klass != PROOF:
        return 4, -finding.weight
    if finding.weight >= FORBIDS:
        return 0, -finding.weight
    # What stands in the way from update 0 on is no consequence of wrong updates.
    certain = finding.weight >= EXPLAINS and finding.first_update == 0
    return (1 if certain else 3), -finding.weight


def _plateau(evidence: Evidence) -> Finding:
    said = evidence.progress.said
    losses, goal = evidence.observation.losses, evidence.observation.preset.goal
    epochs = evidence.observation.state.epoch
    needed = epochs_needed(losses, goal.loss, epochs) if len(losses) > 3 else np.inf
    if not np.isfinite(needed):
        return Finding(PLATEAU, said)
    return Finding(PLATEAU, f"{said}; at this pace it takes {needed:.2g} epochs more")


def _tried(preset: Preset, finding: Finding) -> Finding:
    """``finding`` with its fixes checked: without those that change nothing.

    One that the preset cannot take keeps only its text.
    """
    fixes = []
    for fix in finding.fixes:
        try:
            changed = override(preset, fix.changes)
        except ConfigError:
            fixes.append(replace(fix, changes={}))
        else:
            # Whether a fault is on in the preset is not to be read.
            if finding.rule.is_code_fault or not fix.changes or changed != preset:
                fixes.append(fix)
    return replace(finding, fixes=tuple(fixes))


def _limits(evidence: Evidence) -> tuple[str, ...]:
    """What was examined only in part, in words."""
    rows, batch, said = evidence.x.shape[1], evidence.stated.batch_size, []
    if (held := evidence.stated.reported_samples) < rows:
        said.append(
            f"the goal is held against {held:,} of {rows:,} rows an epoch, drawn at random: "
            'report.rows = "all" takes all of them'
        )
    if batch > MOST_ROWS_OF_RUN:
        said.append(f"updates compared on {MOST_ROWS_OF_RUN:,} of the {batch:,} rows of a batch")
    said += not_compared(evidence.stated)
    if (seen := evidence.sample_x.shape[1]) < rows:
        said.append(f"units and scales measured on {seen:,} of {rows:,} rows, evenly chosen")
    if rows > MOST_GROUPED:
        said.append(f"no floors of the loss: more than {MOST_GROUPED:,} rows")
    if evidence.cut_short:
        said.append("the time ended before every rule was tried")
    return tuple(said)


def _checked(evidence: Evidence) -> tuple[str, ...]:
    """What was examined, in words."""
    looked = [
        "forward pass, updates and printed loss",
        "what the output can reach",
        "biases",
        "linearity",
        "rows that contradict each other",
    ]
    progress = evidence.progress
    if progress.bad or not progress.trained:
        looked += ["units that start equal"]
    if not progress.reached:
        looked += ["dead layers"]
    if progress.bad:
        looked += ["samples that no unit answers", "scales", "the learning rate"]
        looked += ["units", "gradients"]
    return (*looked, f"progress: {progress.said}")
