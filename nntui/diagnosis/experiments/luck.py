"""What only many runs can tell: bad luck, and too few units."""

from collections.abc import Iterator

from nntui.diagnosis.experiments.rounds import Experiments
from nntui.diagnosis.finding import Finding, Fix
from nntui.diagnosis.rules.finding_kinds import BAD_LUCK
from nntui.diagnosis.rules.units import TOO_FEW


def findings(experiments: Experiments, seed: int) -> Iterator[Finding]:
    """What ``experiments`` find of a run from ``seed`` that does not solve its goal."""
    baseline = experiments.baseline
    if baseline is None:
        return
    if 0 < baseline.solved < baseline.seeds:
        low, high = baseline.interval
        others = [each for each in experiments.solving if each != seed]
        again = {"seed": others[0]} if others else {}
        yield Finding(
            BAD_LUCK,
            f"{baseline.solved} of {baseline.seeds} seeds solve it as it stands"
            f" (95 % interval {low:.0%} to {high:.0%}); seed {seed} does not",
            first_update=0,
            fixes=(Fix("train again from another seed", again),),
        )
    for each in experiments.tried:
        keys = each.fix.changes
        if keys and all(key.endswith(".units") for key in keys) and not baseline.solved:
            if each.helps:
                yield Finding(
                    TOO_FEW,
                    f"with twice the hidden units {each.solved} of {each.seeds} seeds solve it,"
                    f" as it stands {each.baseline_solved}",
                    first_update=0,
                    fixes=(each.fix,),
                )
            return
