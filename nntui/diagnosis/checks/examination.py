"""The examination of a program: its forward pass, its updates and the loss that it prints."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from nntui.core.engine.state import State
from nntui.core.settings.configuration import FaultEntry
from nntui.diagnosis.checks.forward_check import (
    PENALTY,
    ForwardPass,
    Printed,
    check_forward,
    check_printed,
)
from nntui.diagnosis.checks.naming import Named, OutOfTimeError, name_update
from nntui.diagnosis.checks.replays import Replays, Rules, next_rows, trials_of
from nntui.diagnosis.checks.tensor_names import Tensor
from nntui.diagnosis.checks.update_check import FAULT, WRONG, Residual, distance, residuals
from nntui.diagnosis.deadline import NEVER, Deadline
from nntui.diagnosis.subject import Subject


@dataclass(frozen=True, eq=False)
class Examined:
    """All that is known of the program's code."""

    replays: Replays
    forward: ForwardPass
    printed: Printed | None
    residuals: tuple[Residual, ...]
    named: Named

    @property
    def rules(self) -> Rules:
        """Everything that has a name, that of the printed loss included."""
        layers = self.printed.layers if self.printed else ()
        summed = (FaultEntry(name=PENALTY, layers=layers),) if layers else ()
        return (*self.named.rules, *summed)


@np.errstate(all="ignore")
def examine(subject: Subject, state: State, deadline: Deadline = NEVER) -> Examined:
    """Check forward pass, printed loss and updates of ``subject`` around ``state``.

    Only parameters, epoch, position and order of the state count.  Names for what is wrong are
    looked for until ``deadline``.
    """
    rows = next_rows(subject.stated, state)
    trials = trials_of(subject, state.theta, state.epoch, rows)
    columns = np.concatenate([subject.data.x, subject.data.y])
    replays = Replays(subject.stated, columns, trials)
    places = [trial.updates[0].before for trial in replays.trials]
    forward = check_forward(subject, places)
    named = Named(())
    if forward.unknown is None:
        replays, named = _named(replays, forward.rules, deadline)
    return Examined(
        replays,
        forward,
        check_printed(subject, [places[0], places[-1]], forward, deadline),
        tuple(residuals(replays, replays.of(()))),
        named,
    )


def _named(replays: Replays, base: Rules, deadline: Deadline) -> tuple[Replays, Named]:
    """The updates explained with the stated slopes on kinks, or with others that explain more.

    Programs differ there, and none is wrong.
    """
    try:
        tried = [(replays, name_update(replays, base, deadline))]
    except OutOfTimeError:
        found = residuals(replays, replays.of(base))
        wrong = tuple(each.tensor for each in found if each.verdict == WRONG)
        return replays, Named(base, wrong, complete=False)
    if tried[0][1] != Named(base):
        with suppress(OutOfTimeError):
            kinks = replays.with_other_kinks()
            tried.extend((each, name_update(each, base, deadline)) for each in kinks)
    return min(tried, key=lambda each: (len(each[1].unknown), len(each[1].rules)))


@np.errstate(all="ignore")
def disturbs(examined: Examined, entry: FaultEntry, tensor: Tensor) -> bool:
    """Whether a rule that was named changes the updates of ``tensor``."""
    rules, part = examined.named.rules, tensor.span
    every = examined.replays.of(rules)
    others = examined.replays.of(tuple(each for each in rules if each != entry))
    return any(
        distance(one.gradient[part], two.gradient[part]) > FAULT
        or distance(one.step[part], two.step[part]) > FAULT
        for one, two in zip(every, others, strict=True)
    )
