"""What feeds what in the end: as a search from each value finds it."""

from hypothesis import given
from hypothesis import strategies as st

from nntui.program.judge.carried import _closed

SOURCES = st.integers(1, 8).flatmap(
    lambda count: st.lists(st.integers(0, 2**count - 1), min_size=count, max_size=count)
)


@given(SOURCES)
def test_what_feeds_a_value_feeds_all_that_it_feeds(sources: list[int]) -> None:
    for one, found in enumerate(_closed(sources)):
        seen: set[int] = set()
        waiting = [one]
        while waiting:
            at = waiting.pop()
            more = {other for other in range(len(sources)) if sources[at] >> other & 1} - seen
            seen |= more
            waiting += more
        assert found == sum(1 << other for other in seen)
