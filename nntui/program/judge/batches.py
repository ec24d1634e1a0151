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
    """The recordings whose arrays have the shapes that most have; all where few are alike."""
    known = [each.by_key for each in recordings]
    common = [key for key in known[0] if all(key in each for each in known)]
    shapes = [tuple(np.shape(each[key].value) for key in common) for each in known]
    usual, count = Counter(shapes).most_common(1)[0]
    if count < FEWEST:
        return list(recordings)
    return [each for each, own in zip(recordings, shapes, strict=True) if own == usual]
