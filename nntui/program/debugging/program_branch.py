"""One branch of a person's program: a text, a seed and changes, and the process that runs it."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nntui.program.checking import CheckRequest
from nntui.program.control.travel.timeline import FOREVER, Change, Timeline
from nntui.program.debugging.event_notes import EventNotes, dead_units
from nntui.program.debugging.insight import Insight
from nntui.program.debugging.loss_record import LossRecord
from nntui.program.debugging.seen import ProgramEvent, UpdateSeen, update_seen
from nntui.program.debugging.variables import Variables, variables_of
from nntui.program.program_error import ProgramError

RECORD = "nntui.program.follow.one_update:lines"
SECONDS = 10.0
"""For recording one update."""
MOST_KEPT = 64
"""Recorded updates that are kept."""
TAIL = 1 << 16
"""Bytes of the output that are shown."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What a session has kept of a branch, where its cursor was left."""

    update: int
    head: int
    left: bool
    seen: UpdateSeen
    variables: Variables
    output: str
    events: tuple[ProgramEvent, ...]
    seeds: tuple[int | None, bool]
    """See `ProgramBranch.seeds`."""


class ProgramBranch:
    """A run of the program with ``texts`` (by file) from ``seed``, with ``changes`` on its way.

    It shares the past of its ``parent`` up to update ``forked_at``.
    """

    def __init__(
        self,
        number: int,
        name: str,
        request: CheckRequest,
        texts: Mapping[str, str],
        seed: int | None,
        insight: Insight | None = None,
        changes: tuple[Change, ...] = (),
        parent: "ProgramBranch | None" = None,
        forked_at: int = 0,
        parted: str = "",
    ) -> None:
        self.number, self.name, self.parted = number, name, parted
        self._request, self.texts, self.seed = request, dict(texts), seed
        self.changes, self.parent, self.forked_at = changes, parent, forked_at
        self.insight = insight
        self.checkpoints: set[int] = set()
        self.pinned = False
        self.problem = ""
        self.left_at = 0
        """Where the cursor was when another branch came on the screen."""
        self._notes = EventNotes()
        self._recorded: OrderedDict[int, UpdateSeen] = OrderedDict()
        self.record = LossRecord(False)
        self.timeline: Timeline | None = None
        self.kept: Kept | None = None
        """What was seen of it, while it has not been run again."""
        if insight is not None:
            self.learn(insight)

    def learn(self, insight: Insight) -> None:
        """Take what is known of the text, which makes it possible to step it."""
        self.insight = insight
        self.record = LossRecord(insight.epoch_loop is not None, bool(insight.printed))
        self.timeline = Timeline(
            insight.task(self._request, self.texts, self.seed), self.changes, self.record.take
        )

    @property
    def has_left(self) -> bool:
        """Whether the program has left its loop at the head."""
        if self.kept is not None:
            return self.kept.left
        return self.timeline is not None and self.timeline.has_left

    def remember(self, kept: Kept) -> None:
        """Show what was ``kept``, until it is run again."""
        self.kept = kept
        known = self.insight
        epochs = known is not None and known.epoch_loop is not None
        self.record = LossRecord(epochs, known is not None and bool(known.printed))

    def wake(self) -> None:
        """Be run again: what was kept of it is looked at no more."""
        kept, self.kept = self.kept, None
        if kept is not None and self.insight is not None:
            self.learn(self.insight)

    @property
    def seeds(self) -> tuple[int | None, bool]:
        """The seed that nntui sets, None where the program's own stand; whether it has none."""
        if self.kept is not None:
            return self.kept.seeds
        ran = (None, False) if self.timeline is None else self.timeline.seeds
        return (self.seed, False) if ran[0] is None else ran

    @property
    def is_stepped(self) -> bool:
        """Whether it has a loop whose turns are updates."""
        return self.insight is not None and self.insight.loop is not None

    @property
    def update(self) -> int:
        """Where its cursor stands."""
        if self.kept is not None:
            return self.kept.update
        return 0 if self.timeline is None else max(self.timeline.update, 0)

    @property
    def head(self) -> int:
        """The last update that was reached."""
        if self.kept is not None:
            return self.kept.head
        return 0 if self.timeline is None else max(self.timeline.head, self.forked_at, 0)

    def start(self) -> None:
        """Run it up to its first update; without a loop, to its end.

        Raises ProgramError if it cannot be run.
        """
        assert self.timeline is not None
        self.timeline.start(0 if self.is_stepped else FOREVER)
        if self.is_stepped and self.timeline.update < 0:
            self.problem = self._never_began()

    def seek(self, update: int, seconds: float | None = None, *, epoch: bool = False) -> int:
        """Go to ``update``, or to the last one; see `Timeline.seek`."""
        timeline = self.timeline
        if timeline is not None and timeline.update < 0 and self.is_stepped and not self.problem:
            self.start()
        if timeline is None or self.problem or not self.is_stepped:
            return self.update
        before, printed = timeline.update, timeline.printed_bytes
        reached = timeline.seek(update, seconds, epoch=epoch)
        if timeline.ending is not None:
            self.record.finish(timeline.head)
        if timeline.update > before and timeline.printed_bytes > printed:
            self._notes.printed(before, timeline.update)
        return reached

    def close(self) -> None:
        """End its processes; what is known of it stays, and it runs again when it is asked."""
        if self.timeline is not None:
            self.timeline.close()

    # What is seen of it.

    def look(self) -> UpdateSeen:
        """The values of the update that is about to be made, recorded in a copy."""
        if self.kept is not None:
            return self.kept.seen
        timeline, insight = self.timeline, self.insight
        update = self.update
        if update in self._recorded:
            self._recorded.move_to_end(update)
            return self._recorded[update]
        if timeline is None or insight is None or insight.loop is None or self.problem:
            return UpdateSeen(update)
        if timeline.ended_here:
            return self._last_update(timeline)
        answer = timeline.ask(
            {
                "do": "ask",
                "function": RECORD,
                "seconds": SECONDS,
                "options": {
                    "loop": insight.loop,
                    "parameters": insight.parameters,
                    "loss": insight.sought,
                },
            }
        )
        seen = update_seen(update, answer)
        self._recorded[update] = seen
        while len(self._recorded) > MOST_KEPT:
            self._recorded.popitem(last=False)
        self._notes.looked_at(seen, batches=insight.epoch_loop is not None)
        return seen

    def _last_update(self, timeline: Timeline) -> UpdateSeen:
        """The update before the cursor, behind which there is none."""
        head = timeline.head
        if head == 0:
            return UpdateSeen(head)
        timeline.seek(head - 1)
        try:
            self._recorded[head] = self.look()
        finally:
            timeline.seek(head)
        return self._recorded[head]

    @property
    def latest(self) -> UpdateSeen | None:
        """The update that was recorded last, wherever the cursor is now."""
        return next(reversed(self._recorded.values()), None)

    @property
    def recorded(self) -> UpdateSeen | None:
        """The values of the update at the cursor, if it was looked at."""
        if self.kept is not None:
            return self.kept.seen
        return self._recorded.get(self.update)

    def variables(self) -> Variables:
        """The live variables at the cursor."""
        if self.kept is not None:
            return self.kept.variables
        timeline, insight = self.timeline, self.insight
        if timeline is None or insight is None or self.problem or not self.is_stepped:
            return Variables((), "")
        values: dict[str, Any] = timeline.ask({"do": "variables"})["variables"]
        found = variables_of(values, insight.parameters)
        shapes = {each.name: each.shape for each in found if each.name in insight.parameters}
        self._notes.shapes(self.update, shapes)
        return Variables(found, str(timeline.ask({"do": "hash"})["hash"]))

    def value(self, name: str) -> Any:
        """The live value called ``name``; raises ProgramError if there is none."""
        assert self.timeline is not None
        answer = self.timeline.ask({"do": "value", "name": name})
        if "value" not in answer:
            raise ProgramError(f"no variable {name} lives at update {self.update:,}")
        return answer["value"]

    def output(self) -> str:
        """The end of what was printed up to the cursor; where it crashed, its errors too."""
        if self.kept is not None:
            return self.kept.output
        timeline = self.timeline
        if timeline is None:
            return ""
        printed, ending = timeline.tail(TAIL), timeline.ending
        if ending is None or ending.kind == "end" or timeline.update != timeline.head:
            return printed
        return "\n".join(x for x in (printed.rstrip("\n"), self.errors()[-TAIL:]) if x)

    def errors(self) -> str:
        """What was printed to standard error when it had ended."""
        return "" if self.timeline is None else self.timeline.text(1, whole=True)

    # Events.

    @property
    def events(self) -> tuple[ProgramEvent, ...]:
        """What happened, in order."""
        if self.kept is not None:
            return self.kept.events
        record, found = self.record, list(self._notes.events)
        for update, before, loss in record.rises:
            text = f"the loss rose from {before:.4g} to {loss:.4g}"
            found.append(ProgramEvent("rose", text, update - 1, update))
        if record.first_bad is not None:
            text = "the loss is not finite"
            found.append(ProgramEvent("not finite", text, record.first_bad - 1, record.first_bad))
        ending = None if self.timeline is None else self.timeline.ending
        if ending is not None and self.is_stepped:
            text = ending_in_words(ending.kind, ending.code, ending.message, ending.line)
            found.append(ProgramEvent("ended", text, self.head - 1, self.head))
        found += [
            ProgramEvent("changed", f"{each.name} = {each.value}", each.update - 1, each.update)
            for each in self.changes
        ]
        return tuple(sorted(found, key=lambda each: each.by))

    def locate(self, event: ProgramEvent, beyond: int = -1) -> ProgramEvent | None:
        """``event`` with its very update, between where it had not happened and where it had.

        It halves the way, and leaves the cursor on it.  What comes and goes in between counts once.
        An update up to ``beyond`` does not count; None if it happened there alone.
        """
        after, by = max(event.after, beyond), event.by
        if event.exact or event not in self._notes.events or after < 0:
            self.seek(by)
            return event
        self.seek(after)
        printed = self._printed_bytes

        def happened(update: int) -> bool:
            self.seek(update)
            if event.unit is not None:
                return event.unit in dead_units(self.look())
            return self._printed_bytes > printed

        if beyond > event.after:
            dead_before = event.unit is not None and event.unit in dead_units(self.look())
            if dead_before or (event.unit is None and not happened(by)):
                return None
        while by - after > 1:
            middle = (after + by) // 2
            after, by = (after, middle) if happened(middle) else (middle, by)
        self.seek(by)
        found = replace(event, after=by - 1, by=by)
        if beyond <= event.after:
            self._notes.correct(event, found)
        return found

    @property
    def _printed_bytes(self) -> int:
        return 0 if self.timeline is None else self.timeline.printed_bytes

    def _never_began(self) -> str:
        ending = None if self.timeline is None else self.timeline.ending
        if ending is None:
            return "the program did not come to its loop"
        told = ending_in_words(ending.kind, ending.code, ending.message, ending.line)
        return f"{told}, before the first update" + (f"; {ending.hint}" if ending.hint else "")


def ending_in_words(kind: str, code: int, message: str, line: int | None) -> str:
    """How a program ended, as a clause."""
    where = "" if line is None else f" in line {line}"
    told = {
        "end": "the program ended",
        "exit": f"the program ended itself with exit code {code}",
        "crash": f"the program crashed{where}: {message}",
        "refused": f"the program was stopped{where}: it {message}",
        "died": f"the program's process ended: {message}",
    }
    return told.get(kind, message)
