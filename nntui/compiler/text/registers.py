"""Registers: which numbers of the buffers are known already where the text of a function has come.

Buffers that are never read from memory are then no memory at all.
"""

from dataclasses import dataclass, field

from nntui.compiler.text.function_text import FunctionText
from nntui.compiler.text.vector_formulas import type_of


@dataclass
class Registers:
    """The numbers that a function has loaded or computed, by buffer and place.

    ``locals_`` are the buffers that only this function sees.  Its loops run at least once, so
    what they compute is known after them.
    """

    function: FunctionText
    locals_: frozenset[int]
    read: set[int] = field(default_factory=set)
    """The buffers that were read from memory."""
    _known: dict[int, dict[int, tuple[str, int, int]]] = field(default_factory=dict)
    """Per buffer and place: a vector, its width, and the lane that holds the number."""
    _stores: dict[int, list[int]] = field(default_factory=dict)

    def find(self, region: int, offset: int, width: int) -> str | None:
        """The ``width`` numbers from ``offset`` on; None if one of them is not known."""
        known = self._known.get(region)
        if known is None:
            return None
        found = [known.get(offset + lane) for lane in range(width)]
        if None in found:
            return None
        first = found[0]
        assert first is not None
        if all(each == (first[0], width, lane) for lane, each in enumerate(found)):
            return first[0]
        scalars = [self._scalar(*each) for each in found if each is not None]
        if width == 1:
            return scalars[0]
        vector, kind = "poison", type_of(width)
        for lane, scalar in enumerate(scalars):
            vector = self.function.write(
                f"insertelement {kind} {vector}, double {scalar}, i32 {lane}"
            )
        self.note(region, offset, width, vector)
        return vector

    def note(self, region: int, offset: int, width: int, value: str) -> None:
        """``value`` is what stands from ``offset`` on."""
        known = self._known.setdefault(region, {})
        for lane in range(width):
            known[offset + lane] = value, width, lane

    def forget(self, region: int) -> None:
        """Something in the buffer has changed."""
        self._known.pop(region, None)

    def store(self, region: int, kind: str, value: str, pointer: str) -> None:
        """Put a value into memory, as far as the memory is needed."""
        line = self.function.store(kind, value, pointer)
        if region in self.locals_:
            self._stores.setdefault(region, []).append(line)

    def finish(self) -> None:
        """Leave out what was stored in local buffers that are never read."""
        for region, lines in self._stores.items():
            if region not in self.read:
                for line in lines:
                    self.function.erase(line)

    def _scalar(self, value: str, width: int, lane: int) -> str:
        if width == 1:
            return value
        return self.function.write(f"extractelement {type_of(width)} {value}, i32 {lane}")
