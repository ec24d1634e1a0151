"""Score the diagnosis: how often it names the cause, and how often it raises a false alarm."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from nntui.bench.matrix.accepted import CODE_CODES
from nntui.bench.matrix.outcomes import HURTS, NOT_HEALTHY, SILENT, Faulty, Healthy, accepts
from nntui.bench.matrix.planting import CODE, COMBINED
from nntui.bench.matrix.plants import PLANTS
from nntui.sweeps.result import wilson


class Share(NamedTuple):
    """So many of so many."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.hits / self.of if self.of else None

    def as_json(self) -> dict[str, Any]:
        """With the Wilson 95 % interval."""
        interval = list(wilson(self.hits, self.of))
        return {"share": self.value, "count": self.hits, "of": self.of, "interval": interval}

    def __str__(self) -> str:
        if not self.of:
            return "none"
        low, high = wilson(self.hits, self.of)
        return f"{self.hits / self.of:.3f} [{low:.3f}, {high:.3f}]  {self.hits} of {self.of}"


def share(things: Iterable[object]) -> Share:
    """How many of ``things`` are true."""
    listed = [bool(each) for each in things]
    return Share(sum(listed), len(listed))


@dataclass(frozen=True)
class Naming:
    """How well the fault of failed runs is named."""

    top1: Share
    """The headline is a right answer."""
    recall: Share
    """A right answer is listed."""
    precision: Share
    """Findings listed that are right answers."""
    precision_beside: Share
    """The same, with what follows from the fault."""

    @classmethod
    def of(cls, failed: Sequence[Faulty]) -> "Naming":
        """Of runs that a fault made fail."""
        right = [accepts(each.kind, each.at_end, each.layers) for each in failed]
        beside = [accepts(each.kind, each.at_end, each.layers, beside=True) for each in failed]
        return cls(
            share(any(each[:1]) for each in right),
            share(any(each) for each in right),
            share(one for each in right for one in each),
            share(one for each in beside for one in each),
        )


@dataclass(frozen=True)
class Score:
    """Everything that is printed of a part of the matrix."""

    faulty: Sequence[Faulty]
    healthy: Sequence[Healthy]

    @property
    def failed(self) -> list[Faulty]:
        """The runs that their fault made fail."""
        return [each for each in self.faulty if each.label == HURTS]

    @property
    def well(self) -> list[Healthy]:
        """The healthy runs that are healthy: what fails without a fault is left out."""
        return [each for each in self.healthy if each.solved]

    @property
    def labels(self) -> dict[str, int]:
        """How many planted runs there are of each label."""
        found = Counter(each.label for each in self.faulty)
        return {label: found[label] for label in (HURTS, SILENT, NOT_HEALTHY)}

    @property
    def code(self) -> dict[str, Share]:
        """Code faults after one update, hurting or not: a wrong program is seen; it is named."""
        runs = [each for each in self.faulty if _is_code(each) and each.label != NOT_HEALTHY]
        return {
            "flagged": share(any(code in CODE_CODES for code, _ in each.at_start) for each in runs),
            "named": share(any(accepts(each.kind, each.at_start, each.layers)) for each in runs),
        }

    @property
    def accused(self) -> Share:
        """Failures of right programs, by configuration or data, that are told they are wrong."""
        right = [each for each in self.failed if _is_right(each)]
        return share(any(code in CODE_CODES for code, _ in each.at_end) for each in right)

    @property
    def quiet(self) -> dict[str, Share]:
        """Healthy runs without alarm: at the end, of those continued, and on the way."""
        well = self.well
        return {
            "at the end": share(not each.alarms for each in well),
            "five times beyond": share(not each.alarms for each in well if each.continued),
            "on the way": share(not each.on_the_way for each in well if each.watched),
        }

    @property
    def alarms_per_healthy_run(self) -> float | None:
        """Findings at the end of a healthy run, on average."""
        well = self.well
        return sum(len(each.alarms) for each in well) / len(well) if well else None

    @property
    def latency(self) -> dict[str, float | None]:
        """Of failed runs whose fault is listed: when that was first seen to be so."""
        heard = [(each.heard, each.updates) for each in self.failed if each.heard is not None]
        return {
            "median_updates": median(at for at, _ in heard) if heard else None,
            "median_share": median(at / of for at, of in heard) if heard else None,
            "at_update_1": share(at == 1 for at, _ in heard).value,
        }

    @property
    def left(self) -> dict[str, Share]:
        """Failures by configuration or data that are left after each cure.

        A headline without a fix that keys can express leaves its failure.
        """
        failed = [each for each in self.failed if _is_right(each)]
        return {
            "first fix": share(not each.cures.first_fix for each in failed),
            "another seed": share(not each.cures.another_seed for each in failed),
            "a tenth of the rate": share(not each.cures.tenth_rate for each in failed),
        }

    def by(self, key: Callable[[Faulty], str]) -> dict[str, Naming]:
        """The naming within each group of failed runs."""
        groups: dict[str, list[Faulty]] = {}
        for each in self.failed:
            groups.setdefault(key(each), []).append(each)
        return {name: Naming.of(group) for name, group in groups.items()}

    @property
    def misses(self) -> dict[str, Counter[str]]:
        """By kind, which headlines stood where a right answer should; ``-`` is none at all."""
        found: dict[str, Counter[str]] = {}
        for each in self.failed:
            if not any(accepts(each.kind, each.at_end, each.layers)[:1]):
                wrong = _words(each.at_end[0]) if each.at_end else "-"
                found.setdefault(each.kind, Counter())[wrong] += 1
        return found

    @property
    def unflagged(self) -> Counter[str]:
        """By kind, code faults that one update did not show, or under another name."""
        return Counter(
            f"{each.kind}: {_words(each.at_start[0]) if each.at_start else '-'}"
            for each in self.faulty
            if _is_code(each)
            and each.label != NOT_HEALTHY
            and not any(accepts(each.kind, each.at_start, each.layers))
        )

    @property
    def false_alarms(self) -> Counter[str]:
        """What healthy runs were told, by task and network, at the end or on the way."""
        return Counter(
            f"{each.task} {each.architecture}: {_words(said)} {when}"
            for each in self.well
            for when, all_said in (("at the end", each.alarms), ("on the way", each.on_the_way))
            for said in set(all_said)
        )


def _is_code(outcome: Faulty) -> bool:
    return PLANTS[outcome.kind].family == CODE


def _is_right(outcome: Faulty) -> bool:
    """Whether the program is right, and only its configuration or data are not."""
    return PLANTS[outcome.kind].family not in (CODE, COMBINED)


def _words(finding: tuple[str, int | None]) -> str:
    code, layer = finding
    return code if layer is None else f"{code} in layer {layer}"
