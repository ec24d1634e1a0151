"""How many examples Hypothesis draws where they cost more than elsewhere, or prove more.

Shares of what the profile in conftest.py draws, so that ``--hypothesis-profile search`` draws more
of all of them.
"""

from hypothesis import settings


def times(share: float) -> settings:
    """Settings that draw ``share`` times as many examples as the profile says."""
    default = settings.default
    assert default is not None
    return settings(max_examples=max(1, round(share * default.max_examples)))


WALKS = times(0.25)
"""Of whole walks through a run, where each example makes many steps, on each of several presets."""
RUNS = times(0.5)
"""Of runs that each example trains anew."""
NETWORKS = times(3)
"""Of networks and configurations: there are many kinds of them, and one is quickly checked."""
