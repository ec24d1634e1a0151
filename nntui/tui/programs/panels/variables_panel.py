"""The variables panel: what lives in the program at the cursor, with shapes and norms."""

from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from nntui.program.debugging.seen import Variable
from nntui.tui.drawing.shortening import middled
from nntui.tui.panels.panel import TextPanel
from nntui.tui.programs.panels.value_text import shape_text

MOST = 200
"""Variables that are listed."""


class VariablesPanel(TextPanel):
    """A line a variable; parameters first."""

    explained = (
        "The live variables at the cursor, by your program's own names, the parameters (which the "
        "updates train) first and bold: the shape of an array, its range, and its Euclidean norm; "
        "of a number its value. A name such as train:W1 is a local variable of the function train "
        "that a variable of the same name hides."
    )
    DEFAULT_CSS = """
    VariablesPanel { scrollbar-gutter: stable; }
    VariablesPanel Static { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    variables: reactive[tuple[Variable, ...]] = reactive(())
    """What is listed."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Variables"
        self._list = Static()

    def compose(self) -> ComposeResult:
        """The list."""
        yield self._list

    def watch_variables(self, variables: tuple[Variable, ...]) -> None:
        """List them."""
        self._list.update(listed(variables, self._width))

    def on_resize(self) -> None:
        """List them as wide as fits."""
        self._list.update(listed(self.variables, self._width))

    @property
    def _width(self) -> int:
        """The columns beside the scroll bar."""
        return max(self.size.width - 2, 8)

    def copied(self) -> str:
        """Name, shape, value and norm."""
        return "".join(
            f"{each.name}\t{shape_text(each.shape)}\t{each.text}\t{each.norm!r}\n"
            for each in self.variables
        )


def listed(variables: tuple[Variable, ...], width: int) -> Content:
    """The list in ``width`` columns."""
    if not variables:
        return Content.styled("none yet", "$foreground-muted")
    shown = variables[:MOST]
    names = min(max(len(each.name) for each in shown), max(width // 3, 8))
    shapes = max(len(shape_text(each.shape)) for each in shown)
    lines = []
    for each in shown:
        name = middled(each.name, names)
        norm = "" if each.norm is None else f"  norm {each.norm:.4g}"
        text = f"{each.text}{norm}"
        room = max(width - names - shapes - 2, 4)
        lines.append(
            Content.assemble(
                (name.ljust(names), "bold" if each.role else ""),
                (f" {shape_text(each.shape).rjust(shapes)} ", "$foreground-muted"),
                text if len(text) <= room else f"{text[: room - 1]}…",
            )
        )
    if len(variables) > MOST:
        lines.append(Content.styled(f"and {len(variables) - MOST} more", "$foreground-muted"))
    return Content("\n").join(lines)
