"""Branches of a program as they are kept in a session, and back."""

from typing import Any

import numpy as np

from nntui.program.checking import CheckRequest
from nntui.program.control.travel.timeline import Change
from nntui.program.debugging.insight import Insight
from nntui.program.debugging.loss_record import LossRecord
from nntui.program.debugging.program_branch import Kept, ProgramBranch
from nntui.program.debugging.seen import ProgramEvent, UpdateSeen, Variable
from nntui.program.debugging.sessions.kept_records import (
    KeptBranch,
    KeptChange,
    KeptEvent,
    KeptText,
    KeptVariable,
)
from nntui.program.debugging.sessions.program_session import (
    Numbers,
    insight_of,
    kept_insight,
    kept_lines,
    kept_parameters,
    update_seen_of,
)
from nntui.program.debugging.variables import Variables

MOST_EVENTS = 1000


def kept_branch(
    branch: ProgramBranch, parent: int | None, variables: Variables, numbers: Numbers
) -> KeptBranch:
    """``branch`` as it is; ``parent`` is the place of the branch that it parted from."""
    record, seen = branch.record, branch.recorded or UpdateSeen(branch.update)
    updates, losses = _losses(record)
    printed = (np.empty(0), np.empty(0)) if record.printed is None else _losses(record.printed)
    return KeptBranch(
        branch.name,
        branch.parted,
        parent,
        branch.forked_at,
        branch.pinned,
        branch.seed,
        tuple(KeptText(file, text) for file, text in branch.texts.items()),
        tuple(
            KeptChange(
                each.update, each.name, numbers.must(each.value), isinstance(each.value, int)
            )
            for each in branch.changes
        ),
        kept_insight(branch.insight),
        branch.update,
        branch.head,
        branch.has_left,
        numbers.must(updates),
        numbers.must(losses),
        numbers.must(printed[0]),
        numbers.must(printed[1]),
        tuple(record.starts),
        tuple(sorted(branch.checkpoints)),
        tuple(KeptEvent(x.kind, x.text, x.after, x.by) for x in branch.events[:MOST_EVENTS]),
        tuple(
            KeptVariable(each.name, each.shape, each.text, each.norm, each.role)
            for each in variables.listed
        ),
        variables.state_hash,
        branch.output(),
        branch.problem,
        seen.update,
        kept_lines(seen, numbers),
        kept_parameters(seen, numbers),
        *branch.seeds,
    )


def branch_of(
    kept: KeptBranch,
    number: int,
    parent: ProgramBranch | None,
    request: CheckRequest,
    numbers: Numbers,
) -> ProgramBranch:
    """The branch that was kept; nothing of it runs."""
    known: Insight | None = insight_of(kept.insight)
    branch = ProgramBranch(
        number,
        kept.name,
        request,
        {each.file: each.text for each in kept.texts},
        kept.seed,
        None,
        tuple(Change(each.update, each.name, _value(each, numbers)) for each in kept.changes),
        parent,
        kept.forked_at,
        kept.parted,
    )
    branch.insight, branch.pinned, branch.problem = known, kept.pinned, kept.problem
    branch.checkpoints = set(kept.checkpoints)
    branch.remember(
        Kept(
            kept.update,
            kept.head,
            kept.left,
            update_seen_of(kept, numbers),
            Variables(
                tuple(Variable(x.name, x.shape, x.text, x.norm, x.role) for x in kept.variables),
                kept.state_hash,
            ),
            kept.output,
            tuple(ProgramEvent(x.kind, x.text, x.after, x.by) for x in kept.events),
            (kept.ran_seed, kept.seeded_by_us),
        )
    )
    branch.record.take(
        {
            "read": [
                {
                    "updates": numbers.found(updates).astype(np.int64),
                    "losses": numbers.found(losses),
                }
                for updates, losses in (
                    (kept.updates, kept.losses),
                    (kept.printed_updates, kept.printed_losses),
                )
            ],
            "epochs": list(kept.starts),
            "epoch": len(kept.starts) - 1,
        }
    )
    if kept.left:
        branch.record.finish(kept.head)
    return branch


def _losses(record: LossRecord) -> tuple[Any, Any]:
    """The updates that have a loss, and the losses."""
    losses = record.by_update.read()
    return record.by_update.numbers() if len(losses) else np.empty(0), losses


def _value(change: KeptChange, numbers: Numbers) -> Any:
    array = numbers.found(change.value)
    if array.ndim:
        return array
    return int(array) if change.whole else float(array)
