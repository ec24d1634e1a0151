"""The case: what is known of a run at one update, as a value that any thread may diagnose."""

from dataclasses import dataclass

from nntui.core.engine.state import State
from nntui.core.tape import Array
from nntui.presets.preset import Preset
from nntui.timeline.history.unit_events import Flip
from nntui.timeline.run import Run


@dataclass(frozen=True, eq=False)
class Case:
    """A run up to its cursor."""

    preset: Preset
    """The one at the cursor, for its goal; what the program states is `Program.stated`."""
    seed: int
    state: State
    """The state at the cursor."""
    kept: tuple[State, ...]
    """The states that were kept on the way, in order; the first is update 0, the last `state`."""
    losses: Array
    """The reported loss of every finished epoch up to the cursor."""
    flips: tuple[Flip, ...]
    """When units were seen to die and revive."""
    solved: bool
    """Whether the last finished epoch reached the goal."""


def observe(run: Run) -> Case:
    """The case of ``run`` at its cursor; quick, and the run stays where it is."""
    state, branch = run.state, run.branch
    kept = [each for each in branch.kept(run.update) if each.update < state.update]
    return Case(
        preset=run.preset,
        seed=run.seed,
        state=state,
        kept=(*kept, state),
        losses=run.losses,
        flips=tuple(flip for flip in branch.flips if flip.by <= run.update),
        solved=run.solved,
    )
