"""What a change means for a program: edits of its source, and another start of its weights."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nntui.diagnosis.finding import Fix
from nntui.program.follow.request import LineOfLoop, Request
from nntui.program.why.changes.literals import Literal
from nntui.program.why.changes.longer_loops import lengthened, repeated
from nntui.program.why.changes.source_edits import Edit, Edits, edited, moved, overlap

LINES = "lines"
"""The key of a change: the lines that are mended, as the diff of the check mends them."""
RATE, EPOCHS = "training.learning_rate", "goal.epochs"
DRAWN, SIZE, BIASES = "start.init", "start.scale", "start.bias_init"
"""Keys of changes: how the first matrices are drawn, their size, and the first biases."""


@dataclass(frozen=True)
class Variant:
    """A program with a change: what `follow` is asked."""

    texts: Mapping[str, str] = field(default_factory=dict)
    loop: LineOfLoop = ("", 0)
    around: LineOfLoop | None = None
    scales: Mapping[str, float] = field(default_factory=dict)
    redrawn: tuple[str, ...] = ()
    times: int = 1
    """How many times as long it trains."""

    def request(self, plain: Request, looks: Sequence[int]) -> Request:
        """The request for it, where ``plain`` is that for the program as it stands."""
        return replace(
            plain,
            loop=self.loop,
            around=self.around,
            looks=tuple(looks),
            scales=self.scales,
            redrawn=self.redrawn,
        )


@dataclass(frozen=True)
class Source:
    """A program that can be changed: where its training is, and what was found in it."""

    texts: Mapping[str, str]
    """By file."""
    request: Request
    weights: tuple[str, ...]
    """The parameters that are no biases, by name."""
    biases: tuple[str, ...]
    epochs: int
    """How many it trains for."""
    rate: Literal | None = None
    """The learning rate in the source, proven to be it."""
    mends: Mapping[int, Edits] = field(default_factory=dict)
    """By line, the edits that mend what is wrong there."""
    once: bool = False
    """Whether its loop goes over the data, so that longer training is all of it again."""
    longer: tuple[int, ...] = ()
    """How many times as long it can be trained in the time there is, most first."""

    def longer_fix(self, times: int) -> Fix:
        """The fix that trains ``times`` times as long."""
        line = (self.request.around or self.request.loop)[1]
        epochs = self.epochs * times
        if self.once:
            said = f"go over the data {times:,} times: a loop around the one in line {line}"
        else:
            turns = epochs * (1 if self.request.around else self.request.window)
            said = f"train {times} times as long: {turns:,} turns of the loop in line {line}"
        return Fix(said, {EPOCHS: epochs})

    def rate_fixes(self, *factors: float) -> tuple[Fix, ...]:
        """The fixes that multiply the learning rate; none where it was not found."""
        rate = self.rate
        if rate is None:
            return ()
        values = [float(f"{rate.value * each:.3g}") for each in factors]
        return tuple(
            Fix(f"the learning rate {each:g} (line {rate.line})", {RATE: each}) for each in values
        )

    def variant(self, changes: Mapping[str, Any]) -> Variant | None:
        """The program with ``changes``; None where they cannot be made to it."""
        edits: list[Edit] = []
        scales: dict[str, float] = {}
        redrawn: tuple[str, ...] = ()
        times = 1
        for key, value in changes.items():
            new: Edits | None = ()
            if key == LINES:
                new = self._mended(value)
            elif key == RATE:
                new = None if self.rate is None else (self.rate.replaced(value),)
            elif key == EPOCHS:
                times = max(round(value / max(self.epochs, 1)), 2)
                new = self._longer(times)
            elif key == DRAWN:
                redrawn = self.weights
            elif key == SIZE:
                scales.update(dict.fromkeys(self.weights, value))
            elif key == BIASES:
                scales.update(dict.fromkeys(self.biases, 0.0))
            else:
                return None
            if new is None or overlap(edits, new):
                return None
            edits += new
        loop, around = self._loops(edits, repeated=times > 1 and self.once)
        return Variant(edited(self.texts, edits), loop, around, scales, redrawn, times)

    def _loops(self, edits: Sequence[Edit], repeated: bool) -> tuple[LineOfLoop, LineOfLoop | None]:
        """Where the loops are after ``edits``; ``repeated``: with a new one around them."""
        loop, around = self.request.loop, self.request.around
        # What contains the loop's line, as a loop around it does, does not move it.
        moves = [each for each in edits if not each.start < (loop[1], 1) < each.end]
        loop = loop[0], moved(*loop, moves)
        if repeated:
            return (loop[0], loop[1] + 1), loop
        return loop, None if around is None else (around[0], moved(*around, moves))

    def _mended(self, lines: Sequence[int]) -> Edits | None:
        found: dict[Edit, None] = {}
        for line in lines:
            if line not in self.mends:
                return None
            found.update(dict.fromkeys(self.mends[line]))
        return tuple(found)

    def _longer(self, times: int) -> Edits | None:
        """The edits by which it trains ``times`` as long."""
        file, line = self.request.around or self.request.loop
        if self.once:
            return repeated(file, self.texts[file], line, times)
        return lengthened(file, self.texts[file], line, times) or None


BIAS = re.compile(
    r"(^|[._'\"\[])(b|bias|biases|bh|by|bo|intercept|offset)[_\d]*('|\"|\]|\[\d+\])*$", re.I
)


def is_bias(name: str, shape: Sequence[int]) -> bool:
    """Whether a parameter looks like biases, by its name and its shape."""
    return bool(BIAS.search(name)) and (len(shape) < 2 or min(shape) <= 1)
