"""Finds the first update of a training that gives a number that is not finite, and records it."""

import time
from typing import TYPE_CHECKING, Any

from nntui.program.blame.faults.forward_faults import of_not_finite
from nntui.program.inside.settled_findings import add_not_finite
from nntui.program.judge.probing.trials import Trials, as_it_is
from nntui.program.judge.probing.watch import Watch
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.record.not_finite import first_not_finite

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

EARLY = 20
"""Updates within which a printed number that is not finite makes a training wrong by itself.

Later, while every parameter is finite, it is told: predictions that are exactly 0 or 1 at the end
of a training that went well give log(0) in what is printed, and in nothing else.
"""
LEAST = 0.5
"""Seconds that it is given, however little is left."""


def find_not_finite(execution: "Execution", answer: dict[str, Any], until: float) -> None:
    """Run again up to the first update that gives a number that is not finite, and record it."""
    lost = answer["not_finite"]
    last = lost["between"][0]
    seconds = max(until - time.monotonic(), LEAST)
    names = [each["name"] for each in answer["parameters"]]
    loop = answer["loop_number"]

    def closer(reply: "Reply") -> None:
        watch = Watch(
            execution,
            loop,
            names,
            lambda _last, now, _printed: reply({"first": now}),
            exact_from=last,
        )
        execution.on_end = watch.finish
        watch.begin()

    first = execution.analyse(closer, seconds).get("first")
    if first is None or first < 1:
        return
    lost["update"] = first - 1
    if lost["printed"] and first - 1 <= EARLY:
        answer["ok"] = False

    def recorded(reply: "Reply") -> None:
        count = 0

        def finish(recordings: list[Recording]) -> dict[str, Any]:
            node = first_not_finite(recordings[0].nodes)
            if node is None:
                return {}
            return {"finding": of_not_finite(execution.places, node, first - 1)}

        trials = Trials(execution, loop, 1, as_it_is, finish)

        def on_iteration(number: int) -> None:
            nonlocal count
            if number == loop:
                count += 1
                if count == first:
                    trials(reply)

        execution.on_iteration = on_iteration

    found = execution.analyse(recorded, seconds)
    if "finding" in found:
        add_not_finite(answer, found["finding"])
