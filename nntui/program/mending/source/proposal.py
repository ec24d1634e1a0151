"""A change of the source that might mend a fault."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count

from nntui.program.mending.source.source_text import Edit, SourceText, edited


@dataclass(frozen=True)
class Proposal:
    """``edits`` of ``file``; the smaller its ``cost`` the likelier it is what was meant."""

    file: str
    edits: tuple[Edit, ...]
    cost: float

    def costing(self, more: float) -> "Proposal":
        """The same with ``more`` cost."""
        return replace(self, cost=self.cost + more)

    def line(self, source: SourceText, line: int) -> int:
        """Where the ``line`` of the file is after the change."""
        return line + sum(
            each.text.count("\n") - source.text.count("\n", each.start, each.end)
            for each in self.edits
            if source.line_at(each.start) < line
        )

    def text(self, source: SourceText) -> str:
        """The whole text of the file ``source`` with the change."""
        return edited(source.text, self.edits)


class Cheapest:
    """Hands out proposals that change something, each once, the cheapest first."""

    def __init__(self, sources: Mapping[str, SourceText]) -> None:
        self._sources = sources
        self._waiting: list[tuple[float, int, Proposal]] = []
        self._seen: set[tuple[str, tuple[Edit, ...]]] = set()
        self._count = count()  # of two that cost the same the first comes first

    def add(self, proposals: Iterable[Proposal]) -> None:
        """More proposals to hand out."""
        for proposal in proposals:
            text = self._sources[proposal.file].text
            edits = tuple(
                each for each in proposal.edits if text[each.start : each.end] != each.text
            )
            if edits:
                known = replace(proposal, edits=edits)
                heappush(self._waiting, (known.cost, next(self._count), known))

    def up_to(self, cost: float) -> Iterator[Proposal]:
        """Those that cost no more than ``cost``."""
        while self._waiting and self._waiting[0][0] <= cost:
            proposal = heappop(self._waiting)[2]
            key = (proposal.file, proposal.edits)
            if key not in self._seen:
                self._seen.add(key)
                yield proposal
