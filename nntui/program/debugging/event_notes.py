"""Events of a branch that are noted as its cursor moves: they happened between two looks."""

from collections.abc import Mapping

from nntui.program.debugging.seen import ProgramEvent, UpdateSeen

MOST_PRINTED = 200
"""Marks of printed text; a program that prints more often prints all the time."""
Unit = tuple[int, str, int]
"""The line that gives it, the variable, and its number."""


class EventNotes:
    """What was noted so far, in `events`; nothing is noted twice."""

    def __init__(self) -> None:
        self.events: list[ProgramEvent] = []
        self._shapes: tuple[int, Mapping[str, tuple[int, ...]]] | None = None
        self._dead: tuple[int, set[Unit]] = (-1, set())
        """The last update that was looked at, and the units that were dead by then."""

    def printed(self, after: int, by: int) -> None:
        """The program printed on its way from update ``after`` to ``by``."""
        marks = [each for each in self.events if each.kind == "printed"]
        if len(marks) < MOST_PRINTED and not any(each.by >= by for each in marks):
            self._note(ProgramEvent("printed", "the program printed", after, by))

    def looked_at(self, seen: UpdateSeen, batches: bool) -> None:
        """An update was recorded: units that were alive before may be dead, numbers not finite.

        With ``batches`` an update sees some of the rows, and a unit that is 0 on these may live.
        """
        before, known = self._dead
        dead = dead_units(seen)
        if seen.update > before:
            for line, target, unit in sorted(dead - known):
                whose = f"unit {unit} of {target} (line {line})"
                text = f"{whose} died" if before >= 0 else f"{whose} is dead from the start"
                if batches:
                    text = f"{whose} is 0 on every row of the batch"
                unit_of = (line, target, unit)
                self._note(ProgramEvent("died", text, before, seen.update, unit_of))
            self._dead = seen.update, dead | known
        if seen.not_finite is not None:
            _, line, reason = seen.not_finite
            text = f"line {line}: a number is not finite: {reason}"
            self._note(ProgramEvent("not finite", text, seen.update, seen.update + 1))

    def shapes(self, update: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """At ``update`` the parameters have these ``shapes``."""
        before, self._shapes = self._shapes, (update, shapes)
        if before is None or before[0] >= update:
            return
        for name, new in shapes.items():
            old = before[1].get(name)
            if old is not None and old != new:
                text = f"{name} changed its shape from {_shape(old)} to {_shape(new)}"
                self._note(ProgramEvent("shape", text, before[0], update))

    def correct(self, event: ProgramEvent, found: ProgramEvent) -> None:
        """Its very update was ``found``."""
        self.events[self.events.index(event)] = found

    def _note(self, event: ProgramEvent) -> None:
        if event not in self.events:
            self.events.append(event)


def dead_units(seen: UpdateSeen) -> set[Unit]:
    """The units that are 0 on every row of the update."""
    return {
        (line.line, line.target, unit)
        for line in seen.lines
        for value in line.values
        for unit in value.dead
    }


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"
