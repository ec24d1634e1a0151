"""Registry of all kinds of findings, by code."""

from nntui.diagnosis.finding import EXPERIMENT, MEASURED, Rule
from nntui.diagnosis.rules import (
    code_faults,
    depth,
    improper_targets,
    output_range,
    program_lines,
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
LONGER = Rule(
    "budget-too-small",
    "it learns, only later than the budget allows",
    EXPERIMENT,
    "solved in the budget that the loss needs at its pace, by seeds that miss it in the given one",
    "the pace of the last two quarters, on a logarithmic axis",
    "the same seeds miss the goal in the larger budget as well",
)
FOUND = Rule(
    "found-by-experiment",
    "no rule explains it, but a change makes it learn",
    EXPERIMENT,
    "the simplest fix that solves more of the same seeds beyond chance",
    "McNemar 1947, exact",
    "the same seeds are solved no more often with the change",
)
RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        *code_faults.RULES,
        *program_lines.RULES,
        *output_range.RULES,
        *proofs.RULES,
        *improper_targets.RULES,
        *units.RULES,
        *silent_samples.RULES,
        *saturation.RULES,
        *scales.RULES,
        *rates.RULES,
        *depth.RULES,
        PLATEAU,
        BAD_LUCK,
        LONGER,
        FOUND,
    )
}
"""Every rule there is, in the order of the list."""
