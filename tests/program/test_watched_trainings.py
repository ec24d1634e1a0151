"""A training that is watched seldom: what was seen of it is what was looked at."""

from types import SimpleNamespace
from typing import Any

from nntui.program.judge.probing import watch as module
from nntui.program.judge.probing.watch import Watch


def test_what_was_watched_ends_with_the_last_look(monkeypatch: Any) -> None:
    now = 0.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    output = SimpleNamespace(written=0, read_at=lambda start, end: "")
    looks: list[int] = []

    def live() -> list[Any]:
        nonlocal now
        looks.append(watch.update)
        now += 1.0  # a look takes long, so that the next one is due much later
        return []

    execution: Any = SimpleNamespace(live=live, flush=lambda: None, output=output)
    late: list[tuple[int, int]] = []
    watch = Watch(
        execution,
        0,
        [],
        lambda *_: None,
        lambda: late.append((watch.update, watch.looked)),
        until=4.0,
    )
    watch.begin()
    for _ in range(40):
        now += 0.1
        execution.on_iteration(0)
    assert looks == [0]
    assert late[0][0] > 20
    assert late[0][1] == 0
