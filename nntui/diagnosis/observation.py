"""Observation: a run up to its cursor, as an immutable value that any thread may diagnose."""

from dataclasses import dataclass

from nntui.core.engine.state import State
from nntui.core.tape import Array
from nntui.presets.preset import Preset
from nntui.timeline.history.unit_events import Flip
from nntui.timeline.run import Run


@dataclass(frozen=True, eq=False)
class Observation:
    """A run up to its cursor; everything a diagnosis may know about it."""

    preset: Preset
    """The one at the cursor, for its goal; what the program states is `Program.stated`."""
    seed: int
    state: State
    """The state at the cursor."""
    kept: tuple[State, ...]
    """The stored states up to the cursor, in order: from update 0 to `state`."""
    losses: Array
    """Every loss that was reported up to the cursor."""
    flips: tuple[Flip, ...]
    """When units were seen to die or revive."""
    solved: bool
    """Whether the last report reached the goal."""


def observe(run: Run) -> Observation:
    """The observation of ``run`` at its cursor.  Cheap; the cursor does not move."""
    state, branch = run.state, run.branch
    kept = [each for each in branch.kept(run.update) if each.update < state.update]
    return Observation(
        preset=run.preset,
        seed=run.seed,
        state=state,
        kept=(*kept, state),
        losses=run.losses,
        flips=tuple(flip for flip in branch.flips if flip.by <= run.update),
        solved=run.solved,
    )


def left_out(run: Run) -> tuple[str, ...]:
    """What distinguishes ``run`` from one that starts from its seed, in words.

    Experiments start from seeds: they know the configuration at the cursor, and nothing of this.
    """
    apart = []
    if run.update:
        apart.append(f"was trained for {run.update:,} updates before it was looked at")
    if run.by_hand:
        count = len(run.by_hand)
        apart.append(f"has {count} parameter{'' if count == 1 else 's'} set by hand")
    if not apart:
        return ()
    return (
        f"this run {' and '.join(apart)}; experiments start at update 0, from the first weights"
        " that their seeds draw",
    )
