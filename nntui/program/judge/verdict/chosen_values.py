"""Updates that are no steps at all: new values that old ones only choose, as in k-means."""

import numpy as np

from nntui.program.judge.verdict.judgement import Judgement
from nntui.program.record.adjoints import NotDifferentiableError, adjoints


def is_chosen(judgement: Judgement) -> bool:
    """Whether the new values have no derivative by the old ones, in any state.

    A step has one: what it is added to goes into the new value as it is.
    """
    for recording in judgement.recordings:
        ends = [recording.end[name] for name in judgement.parameters if name in recording.end]
        draws = np.random.RandomState(0)
        seeds = {end: draws.randn(*np.shape(end.value)) for end in ends}
        try:
            with np.errstate(all="ignore"):
                slopes = adjoints(recording.nodes, seeds, needed=recording.needed)
        except NotDifferentiableError:
            return False
        starts = [recording.start[name] for name in judgement.parameters]
        if any(np.any(slopes.get(start.number, 0.0)) for start in starts):
            return False
    return True
