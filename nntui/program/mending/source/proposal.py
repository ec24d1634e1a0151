"""A change of the source that might mend a fault."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

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


def cheapest_first(proposals: Iterable[Proposal], sources: dict[str, SourceText]) -> list[Proposal]:
    """The proposals that change something, each once, the cheapest first."""
    seen: set[tuple[str, tuple[Edit, ...]]] = set()
    found = []
    for proposal in sorted(proposals, key=lambda each: each.cost):
        text = sources[proposal.file].text
        edits = tuple(each for each in proposal.edits if text[each.start : each.end] != each.text)
        key = (proposal.file, edits)
        if edits and key not in seen:
            seen.add(key)
            found.append(replace(proposal, edits=edits))
    return found
