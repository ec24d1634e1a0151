"""Registry of all kinds of findings, by code."""

from nntui.diagnosis.finding import EXPERIMENT, MEASURED, Rule
from nntui.diagnosis.rules import (
    code_faults,
    depth,
    proofs,
    rates,
    saturation,
    scales,
    silent_samples,
    units,
)

PLATEAU = Rule(
    "plateau",
    "the goal is out of reach, and no cause was found",
    MEASURED,
    "progress is bad, and no other rule speaks",
    "the gate of this diagnosis",
    "a loss that reaches the goal within the budget",
)
BAD_LUCK = Rule(
    "bad-luck",
    "other first weights learn it",
    EXPERIMENT,
    "the same preset with other seeds: solved in 0 < k < K",
    "a Wilson interval of k of K (Wilson 1927)",
    "no other seed that solves it",
)
RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        *code_faults.RULES,
        *proofs.RULES,
        *units.RULES,
        *silent_samples.RULES,
        *saturation.RULES,
        *scales.RULES,
        *rates.RULES,
        *depth.RULES,
        PLATEAU,
        BAD_LUCK,
    )
}
"""Every rule there is, in the order of the list."""
