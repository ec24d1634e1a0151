"""Run all checks of a program: its forward pass, its updates and its printed loss."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from nntui.core.engine.state import State
from nntui.core.settings.fault_settings import FaultEntry
from nntui.diagnosis.checks.forward_check import (
    PENALTY,
    ForwardPass,
    Printed,
    check_forward,
    check_printed,
)
from nntui.diagnosis.checks.naming import Explanation, OutOfTimeError, explain_update
from nntui.diagnosis.checks.replays import Replays, Rules, next_rows, probes_of
from nntui.diagnosis.checks.tensor_names import Tensor
from nntui.diagnosis.checks.update_check import FAULT, WRONG, Residual, distance, residuals
from nntui.diagnosis.deadline import NEVER, Deadline
from nntui.diagnosis.subject import Subject


@dataclass(frozen=True, eq=False)
class Examined:
    """The results of all checks of a program."""

    replays: Replays
    forward: ForwardPass
    printed: Printed | None
    residuals: tuple[Residual, ...]
    explanation: Explanation

    @property
    def rules(self) -> Rules:
        """All known faults that were identified, including that of the printed loss."""
        layers = self.printed.layers if self.printed else ()
        summed = (FaultEntry(name=PENALTY, layers=layers),) if layers else ()
        return (*self.explanation.rules, *summed)


@np.errstate(all="ignore")
def examine(subject: Subject, state: State, deadline: Deadline = NEVER) -> Examined:
    """Check forward pass, printed loss and updates of ``subject`` around ``state``.

    Of the state, only parameters, epoch, position and order matter.  Known faults are tried until
    ``deadline``.
    """
    rows = next_rows(subject.stated, state)
    probes = probes_of(subject, state.theta, state.epoch, rows)
    columns = np.concatenate([subject.data.x, subject.data.y])
    replays = Replays(subject.stated, columns, probes, subject.slopes)
    places = [probe.updates[0].start for probe in replays.probes]
    forward = check_forward(subject, places)
    explanation = Explanation(())
    if forward.unknown is None:
        replays, explanation = _explained(replays, forward.rules, deadline)
    return Examined(
        replays,
        forward,
        check_printed(subject, [places[0], places[-1]], forward, deadline),
        tuple(residuals(replays, replays.of(()))),
        explanation,
    )


def _explained(replays: Replays, base: Rules, deadline: Deadline) -> tuple[Replays, Explanation]:
    """Explain the updates with the stated slopes at kinks, or with others that explain more.

    Programs use different conventions there, and none of them is wrong.
    """
    try:
        tried = [(replays, explain_update(replays, base, deadline))]
    except OutOfTimeError:
        found = residuals(replays, replays.of(base))
        wrong = tuple(each.tensor for each in found if each.verdict == WRONG)
        return replays, Explanation(base, wrong, complete=False)
    if tried[0][1] != Explanation(base):
        with suppress(OutOfTimeError):
            kinks = replays.with_other_kinks()
            tried.extend((each, explain_update(each, base, deadline)) for each in kinks)
    return min(tried, key=lambda each: (len(each[1].unknown), len(each[1].rules)))


@np.errstate(all="ignore")
def disturbs(examined: Examined, entry: FaultEntry, tensor: Tensor) -> bool:
    """Whether an identified fault changes the updates of ``tensor``."""
    rules, part = examined.explanation.rules, tensor.part
    every = examined.replays.of(rules)
    others = examined.replays.of(tuple(each for each in rules if each != entry))
    return any(
        distance(one.gradient[part], two.gradient[part]) > FAULT
        or distance(one.step[part], two.step[part]) > FAULT
        for one, two in zip(every, others, strict=True)
    )
