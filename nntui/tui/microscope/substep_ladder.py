"""The ladder: the parts of an update in one line, and where one stands among them."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from nntui.timeline.microscope.substeps import SubStep

BETWEEN, CUT = " > ", "... > "


class Ladder(Widget):
    """One line of sub-steps; the one under way stands in brackets, what comes later is dim."""

    DEFAULT_CSS = "Ladder { height: 1; padding: 0 1; background: $panel; color: $foreground; }"

    steps: reactive[tuple[SubStep, ...]] = reactive(())
    """All parts of the update, in order."""
    known: reactive[int] = reactive(0)
    """How many of them are made."""

    def render(self) -> Content:
        """As many as fit, the present one among them."""
        names = [step.name for step in self.steps]
        walking = 0 < self.known < len(names)
        if walking:
            names[self.known - 1] = f"[{names[self.known - 1]}]"
        first = self._first(names, max(self.known - 1, 0) if walking else 0)
        parts: list[Content] = [Content.styled(CUT, "$foreground-muted")] if first else []
        for number, name in enumerate(names[first:], start=first):
            now = walking and number == self.known - 1
            style = "bold $text-accent" if now else "" if number < self.known else "dim"
            parts.append(Content.assemble(BETWEEN if number > first else "", (name, style)))
        return Content("").join(parts).truncate(self.content_size.width, ellipsis=True)

    def _first(self, names: list[str], now: int) -> int:
        """The first that is shown: all if they fit, else from shortly before the present one."""
        width = self.content_size.width
        if len(BETWEEN.join(names)) <= width:
            return 0
        first = max(now - 1, 0)
        while first and len(CUT + BETWEEN.join(names[first - 1 :])) <= width:
            first -= 1
        return first
