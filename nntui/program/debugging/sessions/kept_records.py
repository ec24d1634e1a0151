"""What a session of a program keeps: records that are read strictly, and written to JSON."""

from dataclasses import dataclass

from nntui.program.answer import ProgramCheck
from nntui.program.checking import CheckRequest
from nntui.program.strict_fields import (
    a_flag,
    a_number,
    a_text,
    a_whole,
    entry,
    many,
    maybe,
    record,
)


@dataclass(frozen=True)
class KeptText:
    """A text by its file."""

    file: str = entry(a_text)
    text: str = entry(a_text)


@dataclass(frozen=True)
class KeptArray:
    """An array whose numbers are in the file's vector, from ``start`` on."""

    shape: tuple[int, ...] = entry(many(a_whole))
    start: int = entry(a_whole)


@dataclass(frozen=True)
class KeptChange:
    """A variable that was changed, and the numbers that it got."""

    update: int = entry(a_whole)
    name: str = entry(a_text)
    value: KeptArray = entry(record(KeptArray))
    whole: bool = entry(a_flag)
    """Whether it is an integer."""


@dataclass(frozen=True)
class KeptEvent:
    """An event; see `ProgramEvent`."""

    kind: str = entry(a_text)
    text: str = entry(a_text)
    after: int = entry(a_whole)
    by: int = entry(a_whole)


@dataclass(frozen=True)
class KeptVariable:
    """A variable; see `Variable`."""

    name: str = entry(a_text)
    shape: tuple[int, ...] = entry(many(a_whole))
    text: str = entry(a_text)
    norm: float | None = entry(a_number)
    role: str = entry(a_text)


@dataclass(frozen=True)
class KeptValue:
    """A value; see `Value`."""

    shape: tuple[int, ...] = entry(many(a_whole))
    least: float | None = entry(a_number)
    most: float | None = entry(a_number)
    bad: int = entry(a_whole)
    points: tuple[float | None, ...] = entry(many(a_number))
    number: KeptArray | None = entry(maybe(record(KeptArray)))
    of: str | None = entry(maybe(a_text))
    true: KeptArray | None = entry(maybe(record(KeptArray)))
    updates: str | None = entry(maybe(a_text))
    dead: tuple[int, ...] = entry(many(a_whole))
    slope: KeptArray | None = entry(maybe(record(KeptArray)))


@dataclass(frozen=True)
class KeptLine:
    """What a line gave; see `LineValue`."""

    file: str = entry(a_text)
    line: int = entry(a_whole)
    target: str = entry(a_text)
    times: int = entry(a_whole)
    values: tuple[KeptValue, ...] = entry(many(record(KeptValue)))


@dataclass(frozen=True)
class KeptParameter:
    """A parameter; see `ParameterSeen`."""

    name: str = entry(a_text)
    value: KeptArray | None = entry(maybe(record(KeptArray)))
    gradient: KeptArray | None = entry(maybe(record(KeptArray)))
    step: KeptArray | None = entry(maybe(record(KeptArray)))


@dataclass(frozen=True)
class KeptPlace:
    """A line of a file."""

    file: str = entry(a_text)
    line: int = entry(a_whole)


@dataclass(frozen=True)
class KeptSite:
    """The expression that the loss is read off; see `LossSite`."""

    kind: str = entry(a_text)
    nth: int = entry(a_whole)
    side: int = entry(a_whole)
    file: str = entry(a_text)
    line: int = entry(a_whole)
    column: int = entry(a_whole)
    end_line: int = entry(a_whole)
    end_column: int = entry(a_whole)
    paired: bool = entry(a_flag)


@dataclass(frozen=True)
class KeptLoss:
    """The loss that is looked for; see `Sought`."""

    kind: str = entry(a_text)
    text: str = entry(a_text)
    ordinal: int | None = entry(maybe(a_whole))


@dataclass(frozen=True)
class KeptInsight:
    """What was known of a text; see `Insight`."""

    check: ProgramCheck = entry(ProgramCheck.from_json)
    loop: KeptPlace | None = entry(maybe(record(KeptPlace)))
    epoch_loop: KeptPlace | None = entry(maybe(record(KeptPlace)))
    sites: tuple[KeptSite, ...] = entry(many(record(KeptSite)))
    read: str = entry(a_text)
    printed: str = entry(a_text)
    sought: KeptLoss | None = entry(maybe(record(KeptLoss)))
    parameters: tuple[str, ...] = entry(many(a_text))
    files: tuple[str, ...] = entry(many(a_text))


@dataclass(frozen=True)
class KeptBranch:
    """A branch, and what was seen of it where its cursor was left."""

    name: str = entry(a_text)
    parted: str = entry(a_text)
    parent: int | None = entry(maybe(a_whole))
    forked_at: int = entry(a_whole)
    pinned: bool = entry(a_flag)
    seed: int | None = entry(maybe(a_whole))
    texts: tuple[KeptText, ...] = entry(many(record(KeptText)))
    changes: tuple[KeptChange, ...] = entry(many(record(KeptChange)))
    insight: KeptInsight | None = entry(maybe(record(KeptInsight)))
    update: int = entry(a_whole)
    head: int = entry(a_whole)
    left: bool = entry(a_flag)
    """Whether the program has left its loop at the head."""
    updates: KeptArray = entry(record(KeptArray))
    """The updates that have a loss, and the losses."""
    losses: KeptArray = entry(record(KeptArray))
    printed_updates: KeptArray = entry(record(KeptArray))
    printed_losses: KeptArray = entry(record(KeptArray))
    """The same of what is printed, where that is another number."""
    starts: tuple[int, ...] = entry(many(a_whole))
    checkpoints: tuple[int, ...] = entry(many(a_whole))
    events: tuple[KeptEvent, ...] = entry(many(record(KeptEvent)))
    variables: tuple[KeptVariable, ...] = entry(many(record(KeptVariable)))
    state_hash: str = entry(a_text)
    output: str = entry(a_text)
    problem: str = entry(a_text)
    seen_at: int = entry(a_whole)
    """The update that the lines are of."""
    lines: tuple[KeptLine, ...] = entry(many(record(KeptLine)))
    parameters: tuple[KeptParameter, ...] = entry(many(record(KeptParameter)))
    ran_seed: int | None = entry(maybe(a_whole), None)
    """The seed that nntui set when it ran, and whether the program had set none."""
    seeded_by_us: bool = entry(a_flag, False)


@dataclass(frozen=True)
class KeptProgram:
    """A program with all of its branches."""

    path: str = entry(a_text)
    file: str = entry(a_text)
    arguments: tuple[str, ...] = entry(many(a_text))
    seed: int | None = entry(maybe(a_whole))
    loop: int | None = entry(maybe(a_whole))
    loss: str | None = entry(maybe(a_text))
    parameters: tuple[str, ...] | None = entry(maybe(many(a_text)))
    allow_effects: bool = entry(a_flag)
    active: int = entry(a_whole)
    overlaid: int | None = entry(maybe(a_whole))
    branches: tuple[KeptBranch, ...] = entry(many(record(KeptBranch)))

    @property
    def request(self) -> CheckRequest:
        """What was asked about the program; it runs on nntui's own interpreter."""
        return CheckRequest(
            self.path,
            self.arguments,
            self.seed,
            self.loop,
            self.loss,
            self.parameters,
            allow_effects=False,
        )
