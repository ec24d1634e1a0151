"""Updates by batches of one size: the last batch of an epoch is often a smaller one.

A step that is divided by the number of samples is another multiple there of the gradient of a sum
over them, which says nothing about the program.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from nntui.program.judge.recorded_update import Recording

FEWEST = 3
"""Updates that are needed to tell a rule from a coincidence."""


def of_one_size(recordings: Sequence[Recording]) -> list[Recording]:
    """The recordings whose arrays have the shapes, and loops the turns, that most have.

    All of them where few are alike.
    """
    known = [each.by_key for each in recordings]
    common = [key for key in known[0] if all(key in each for each in known)]
    turns = [_turns(each) for each in recordings]
    # A loop that only some of them run, as where gradients are clipped, says nothing of samples.
    loops = [loop for loop in turns[0] if all(loop in each for each in turns)]
    sizes = [
        (tuple(np.shape(own[key].value) for key in common), tuple(last[loop] for loop in loops))
        for own, last in zip(known, turns, strict=True)
    ]
    usual, count = Counter(sizes).most_common(1)[0]
    if count < FEWEST:
        return list(recordings)
    return [each for each, size in zip(recordings, sizes, strict=True) if size == usual]


def _turns(recording: Recording) -> dict[int, int]:
    """By loop the last of its turns, where the samples of a batch come one after the other."""
    found: dict[int, int] = {}
    for node in recording.nodes:
        for step in node.path:
            if isinstance(step, tuple):
                found[step[1]] = max(found.get(step[1], 0), step[2])
    return found
