"""Decide what keeps a run from learning: the findings, weighed by experiments with their fixes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nntui.diagnosis.evidence import EXPLAINS, FELT, forbids
from nntui.diagnosis.experiments.fixes import own_fixes
from nntui.diagnosis.experiments.results import Experiment, Experiments, simplest
from nntui.diagnosis.finding import EXPERIMENT, PROOF, Finding, Fix, Rule
from nntui.diagnosis.rules.code_faults import ONLY_PRINTED
from nntui.diagnosis.rules.finding_kinds import BAD_LUCK, FOUND, LONGER, PLATEAU
from nntui.diagnosis.rules.proofs import NO_BIAS
from nntui.diagnosis.rules.rates import TOO_HIGH, TOO_LOW
from nntui.diagnosis.rules.scales import INIT, INPUTS, PENALTY, TARGETS
from nntui.diagnosis.rules.units import TOO_FEW

NAMES: tuple[tuple[str, Rule], ...] = (
    (".units", TOO_FEW),
    ("layers", TOO_FEW),
    (".epochs", LONGER),
    (".bias", NO_BIAS),
    (".scale_inputs", INPUTS),
    (".scale_targets", TARGETS),
    (".init", INIT),
    (".scale", INIT),
    (".l1", PENALTY),
    (".l2", PENALTY),
)
"""The ends of keys, and what is the matter where changing nothing but them helps."""

DECISIVE = 20
"""Seeds from which a fix without effect is held to be none.  Our own choice."""
MINOR = 0.5
"""Mending the code faults is a minor matter if it wins less than this share of what the fix of
another finding wins.  Our own choice."""


@dataclass(frozen=True)
class Decision:
    """The findings, the cause first, and whether more time could change that."""

    findings: tuple[Finding, ...]
    decided: bool = True


def decide(
    findings: Sequence[Finding],
    suspects: Sequence[Finding],
    experiments: Experiments,
    seed: int,
) -> Decision:
    """Decide for a run from ``seed`` that misses its goal.

    The cause is the finding whose own fix makes it learn, by experiment: of several equally good
    ones the first.  A floor above the goal needs no experiment.  A proven code fault is the cause
    only if mending all of them helps, and no fix of another finding helps more.  Where no fix of
    a finding helps, the cause is what the best fix changes, or else bad luck.
    """
    if findings and forbids(findings[0]):
        return Decision(_in_order(findings[0], findings))
    slips = [each for each in findings if _is_harmful(each)]
    others = [each for each in (*findings, *suspects) if not each.rule.is_code_fault]
    correction = experiments.corrected if slips else None
    open_ = bool(slips) and (correction is None or not experiments.decided(correction))
    luck = list(bad_luck(experiments, seed))
    if correction is not None and correction.helps:
        own = [(each, experiments.with_own(each)) for each in others]
        better = [pair for pair in own if pair[1] is not None and _beats(pair[1], correction)]
        chosen = _first_best(better) or _heaviest(slips, experiments)
        return Decision((*_in_order(chosen, findings), *luck))
    own = [(each, experiments.with_own(each, mended=True)) for each in others]
    # Of several faults one may make up for another, so that mending both helps nothing.
    single = [(each, experiments.with_own(each)) for each in slips]
    helping = [pair for pair in (*single, *own) if pair[1] is not None and pair[1].helps]
    if helping:
        return Decision((*_in_order(_first_best(helping), findings), *luck), not open_)
    certain = [each for each in others if _holds_from_the_start(each)]
    best = simplest(experiments.tried, lambda each: _rule_of(each, experiments) is not FOUND)
    if certain:
        return Decision((*_in_order(certain[0], findings), *luck), not open_)
    if best is not None:
        settled = experiments.complete and not open_
        addressed = next((each for each in others if _addresses(best.fix, each)), None)
        cause = addressed or _slip_beside(best, slips, experiments) or named(best, experiments)
        if cause.code == FOUND.code and luck:
            return Decision((*luck, *_in_order(None, findings)), settled)
        return Decision((*_in_order(cause, findings), *luck), settled)
    own_effects = [*(each for _, each in own), *([correction] if slips else ())]
    known = [each for each in own_effects if each is not None]
    refuted = len(known) == len(own_effects) and all(
        each.seeds >= DECISIVE and not experiments.cut(each) for each in known
    )
    settled = experiments.complete and refuted and not open_
    if luck and refuted:
        return Decision((*luck, *_in_order(None, findings)), settled)
    return Decision((*findings, *luck), settled)


def attributed(
    findings: Sequence[Finding],
    suspects: Sequence[Finding],
    made: Sequence[Experiments],
    seed: int,
) -> tuple[Decision, Experiments]:
    """The decision by the first of ``made`` that shows a cause by its own effect, else the first.

    They are the same outcomes held against several goals, for a run without a goal of its own.
    """
    decisions = [decide(findings, suspects, each, seed) for each in made]
    for decision, tried in zip(decisions, made, strict=True):
        if _is_attributed(decision, tried):
            return decision, tried
    return decisions[0], made[0]


def _is_attributed(decision: Decision, tried: Experiments) -> bool:
    """Whether an experiment shows that the first finding is the cause, and what it is."""
    cause = decision.findings[0] if decision.findings else None
    if cause is None or cause.code in (FOUND.code, PLATEAU.code):
        return False
    if forbids(cause) or cause.rule.klass == EXPERIMENT:
        return True
    corrected = tried.corrected if cause.rule.is_code_fault else None
    own = (corrected, tried.with_own(cause, mended=True))
    return any(each is not None and each.helps for each in own)


def _in_order(cause: Finding | None, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """``cause``, then the other code faults, then the rest; a plateau is no finding beside it."""
    rest = [each for each in findings if each is not cause]
    if cause is not None:
        rest = [each for each in rest if each.rule is not PLATEAU]
    rest.sort(key=lambda each: not each.rule.is_code_fault)
    return (*([cause] if cause is not None else ()), *rest)


def _holds_from_the_start(finding: Finding) -> bool:
    """Whether it is proven that this run could not learn from update 0 on."""
    certain = finding.rule.klass == PROOF and finding.weight >= EXPLAINS
    return certain and finding.first_update == 0


def _is_harmful(finding: Finding) -> bool:
    """Whether a code fault could keep a run from learning."""
    return finding.rule.is_code_fault and finding.code not in ONLY_PRINTED


def _beats(one: Experiment, mended: Experiment) -> bool:
    """Whether ``one`` helps so much more that what ``mended`` wins is not the point."""
    if not one.helps or one.base_epochs != mended.base_epochs:
        return False
    gain, other = (each.solved - each.baseline_solved for each in (one, mended))
    return other / mended.seeds < MINOR * gain / one.seeds


def _first_best(pairs: Sequence[tuple[Finding, Experiment | None]]) -> Finding | None:
    """The first finding whose experiment is as good as the best of ``pairs``."""
    made = [(finding, each) for finding, each in pairs if each is not None]
    best = min((each for _, each in made), key=lambda each: each.rank, default=None)
    good = [finding for finding, each in made if each is best or (best and each.as_good_as(best))]
    return good[0] if good else None


def _heaviest(slips: Sequence[Finding], experiments: Experiments) -> Finding:
    """The code fault whose own mending helps, else the first."""
    own = [(each, experiments.with_own(each)) for each in slips]
    helping = [pair for pair in own if pair[1] is not None and pair[1].helps]
    return _first_best(helping) or slips[0]


def _addresses(fix: Fix, finding: Finding) -> bool:
    """Whether ``fix`` changes all that a fix of ``finding`` changes, to whatever values."""
    return any(own.changes.keys() <= fix.changes.keys() for own in own_fixes(finding))


def _slip_beside(
    best: Experiment, slips: Sequence[Finding], experiments: Experiments
) -> Finding | None:
    """The code fault that ``best`` mends, or could as well, where it is not all that is needed."""
    mend = experiments.correction.changes.items()
    with_it = [each for each in experiments.tried if each.fix.changes.items() > mend]
    as_good = any(each is best or each.as_good_as(best) for each in with_it if each.helps)
    felt = [each for each in slips if each.weight >= FELT]
    return felt[0] if felt and as_good and best.fix.parts > 1 else None


def _rule_of(best: Experiment, experiments: Experiments) -> Rule:
    """What is the matter where the change of ``best`` makes it learn; `FOUND` without a name."""
    before = experiments.given.learning_rate
    keys = [key for key in best.fix.changes if key not in experiments.correction.changes]
    rate = best.fix.changes.get("training.learning_rate")
    if rate is not None and before is not None and len(keys) == 1:
        return TOO_LOW if rate > before else TOO_HIGH
    if keys and all(key.endswith((".init", ".scale")) for key in keys):
        return INIT
    # A fix of nothing but the program is no setting.
    named_by = (rule for end, rule in NAMES if keys and all(key.endswith(end) for key in keys))
    return next(named_by, FOUND)


def named(best: Experiment, experiments: Experiments) -> Finding:
    """The finding that the change of ``best`` makes it learn."""
    within = f" within {best.epochs:,} epochs" if experiments.cut(best) else ""
    return Finding(
        replace(_rule_of(best, experiments), klass=EXPERIMENT),
        f"with this changed {best.solved} of {best.seeds} seeds solve it{within}, as it stands "
        f"{best.baseline_solved}: {best.fix.text}",
        first_update=0,
        fixes=(best.fix,),
    )


def bad_luck(experiments: Experiments, seed: int) -> Iterator[Finding]:
    """That other seeds solve it as it stands, if some do."""
    baseline = experiments.baseline
    if baseline is None or not 0 < baseline.solved < baseline.seeds:
        return
    low, high = baseline.interval
    others = [each for each in experiments.solving if each != seed]
    yield Finding(
        BAD_LUCK,
        f"{baseline.solved} of {baseline.seeds} seeds solve it as it stands"
        f" (95 % interval {low:.0%} to {high:.0%}); seed {seed} does not",
        first_update=0,
        fixes=(Fix("train again from another seed", {"seed": others[0]} if others else {}),),
    )
