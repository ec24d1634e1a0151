"""The recorder: what the recorded copy of a program calls, and the recording it makes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from nntui.program.record.calling.calls import Calls
from nntui.program.record.hooks.operators import Operators
from nntui.program.record.places import Places


class Recorder(Operators):
    """Records while `on`.

    nodes        the recording, operands before results
    assignments  (place, node, path) of every value that was assigned, and returned
    outputs      (place, node, function name) of scalars given to print, append, formats and the
                 program's own functions
    on_iteration, on_left  called with a loop's number when a turn starts, when the loop is left
    on_seen      called with a site's number and what it gave, or with both of its operands
    on_full      called once when there are more than `most_nodes` or `most_bytes`; None: `on`
                 becomes False. `full` tells
    warnings     what the recording could not follow, in words
    """

    def __init__(self, places: Places | None = None) -> None:
        super().__init__(places)
        self.calls = Calls(self)

    def iteration(self, number: int) -> bool:
        """A loop starts another turn; whether it is recorded."""
        hook = self.on_iteration
        if hook is not None:
            hook(number)
        if self.on:
            self.trail.turn(number)
        return self.on

    def left(self, number: int) -> None:
        """A loop is over."""
        if self.on:
            self.trail.end(number)
        hook = self.on_left
        if hook is not None:
            hook(number)

    def seen(self, site: int, value: Any) -> Any:
        """The plain copy has come by a site, and this is what it gave there."""
        if self.on_seen is not None:
            self.on_seen(site, value, None)
        return value

    def met(self, site: int, operation: Any, left: Any, right: Any) -> Any:
        """Likewise of a site that is paired: what `operation` was given."""
        if self.on_seen is not None:
            self.on_seen(site, left, right)
        return operation(left, right)

    def compared(self, site: int, left: Any, right: Any) -> None:
        """Likewise in front of a statement that is a paired site."""
        if self.on_seen is not None:
            self.on_seen(site, left, right)

    def each(self, number: int, values: Any) -> Any:
        """What a comprehension that is a loop runs over."""
        return self._each(number, values) if self.awake else values

    def _each(self, number: int, values: Any) -> Iterator[Any]:
        for value in values:
            if self.awake:
                self.iteration(number)
            yield value
        if self.awake:
            self.left(number)

    def leave(self, value: Any, *numbers: int) -> Any:
        """The program returns from within loops."""
        for number in numbers:
            self.left(number)
        return value

    def turn(self, number: int) -> None:
        """A loop without hooks starts another turn."""
        if self.on:
            self.trail.turn(number)

    def end(self, number: int) -> None:
        """A loop without hooks is over."""
        if self.on:
            self.trail.end(number)

    def prepare(self, place: int, function: Any, /, *arguments: Any, **keywords: Any) -> bool:
        """Whether the recorder made a call (`value` has the result), or the program must."""
        return self.calls.prepare(sys._getframe(1), place, function, arguments, keywords)

    def value(self) -> Any:
        """The result of the call the recorder made."""
        return self.calls.take_value()

    def function(self) -> Any:
        """What the program must call."""
        return self.calls.own[0]

    def arguments(self) -> Any:
        """With what the program must call it."""
        return self.calls.own[1]

    def keywords(self) -> Any:
        """With what the program must call it."""
        return self.calls.own[2]

    def returned(self, result: Any) -> Any:
        """A call that the program made is over."""
        return self.calls.returned(sys._getframe(1), result)

    def caught(self, loop: int) -> None:
        """An exception may have come back to the program, within a loop, or -1."""
        if not self.on:
            return
        self.trail.caught(sys._getframe(1), loop)
        self.doubt()
