"""What there is to see of a program's run now, as one frozen value."""

from nntui.program.debugging.margin import loss_name, marks, stopped_at
from nntui.program.debugging.program_branch import ProgramBranch
from nntui.program.debugging.program_run import ProgramRun
from nntui.program.debugging.seen import BranchSeen, ProgramSeen, SourceLines, UpdateSeen


def seen_of(run: ProgramRun, passing: bool = False) -> ProgramSeen:
    """All that there is to see now; it asks the program for its variables.

    In ``passing`` the values of the lines are those that were looked at last.
    """
    branch, known = run.branch, run.branch.insight
    timeline, record = branch.timeline, branch.record
    check = None if known is None else known.check
    update, head = branch.update, branch.head
    variables = run.variables()
    listed = tuple(_listed(each) for each in run.branches)
    ending = timeline.ending if timeline is not None and update == head else None
    crash = stopped_at(branch.problem, ending, run.file)
    stopped = {} if crash is None else {crash: "stopped"}
    return ProgramSeen(
        path=run.request.path,
        arguments=run.request.arguments,
        seed=branch.seeds[0],
        seeded_by_us=branch.seeds[1],
        file=run.file,
        files=tuple(
            SourceLines(file, tuple(branch.texts[file].splitlines()))
            for file in sorted(branch.texts, key=lambda each: (each != run.file, each))
        ),
        branch=next(each for each in listed if each.number == branch.number),
        branches=listed,
        overlaid=None if run.overlaid is None else run.overlaid.number,
        loop=None if known is None else known.loop,
        epoch_loop=None if known is None else known.epoch_loop,
        update=update,
        head=head,
        epoch=record.epochs_before(update),
        epochs=record.epochs_before(head),
        by_epoch=record.by_epoch,
        loss=record.last(update),
        loss_name=loss_name(known),
        printed_name="" if known is None else known.printed,
        check=check,
        output=branch.output(),
        variables=variables.listed,
        seen=branch.recorded or (branch.latest if passing else None) or UpdateSeen(update),
        other=None if passing else run.other,
        events=branch.events,
        checkpoints=tuple(sorted(branch.checkpoints)),
        forks=tuple(
            each.forked_at for each in run.branches if each.parent is branch and each.forked_at
        ),
        state_hash=variables.state_hash,
        ending=None if timeline is None else timeline.ending,
        ended_here=branch.has_left and update == head,
        edited=False,
        problem=branch.problem,
        marks=marks(check, branch.recorded, run.file) | stopped,
    )


def _listed(branch: ProgramBranch) -> BranchSeen:
    record, head = branch.record, branch.head
    return BranchSeen(
        branch.number,
        branch.name,
        None if branch.parent is None else branch.parent.number,
        branch.forked_at,
        head,
        record.last(head),
        record.shown,
        record.points(head),
        branch.parted or "as it was opened",
        None if record.printed is None else record.printed.shown,
        branch.pinned,
    )
