"""What of an update was set aside before it was compared with the gradient, in words."""

from nntui.program.judge.verdict.judgement import Judgement
from nntui.program.judge.verdict.readings import HandedGradient, Reading

MOST = 4
"""Parameters that are named."""


def of_decay(judgement: Judgement) -> list[str]:
    """Notes on the weight decay of parameters whose updates are right without it.

    Parameters that decay alike share a note.
    """
    alike: dict[str, list[str]] = {}
    for name, times in judgement.decays.items():
        alike.setdefault(f"{times:.4g}", []).append(name)
    apart = [name for name in judgement.right if _is_apart(judgement.readings[name])]
    beside = []
    if apart:
        beside = [
            f"weight decay was set aside: each step also shrinks {_enumerated(apart)}, a penalty "
            "that is no part of this loss"
        ]
    return beside + [
        f"weight decay was set aside: the gradient of {_enumerated(names)} also holds {times} "
        f"times the parameter itself, a penalty that "
        "is no part of this loss"
        for times, names in alike.items()
    ]


def _is_apart(reading: Reading) -> bool:
    return isinstance(reading, HandedGradient) and reading.apart


def _enumerated(names: list[str]) -> str:
    if len(names) > MOST:
        return f"{', '.join(names[:MOST])} and {len(names) - MOST} more"
    *start, last = names
    return f"{', '.join(start)} and {last}" if start else last
