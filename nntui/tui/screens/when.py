"""Reverse questions about the unit under the heatmap's cursor; every answer is a jump."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from nntui.timeline import Run
from nntui.timeline.questions import (
    Answer,
    when_loss_was_below,
    when_unit_died,
    when_unit_revived,
    when_weight_changed_sign,
)
from nntui.tui.screens.ask import Ask, read_number

MOST_WEIGHTS = 64
"""Weights of a unit that are listed."""
Question = Callable[[], Answer]


def questions(run: Run, layer: int, unit: int) -> list[tuple[str, Question]]:
    """What can be asked about a unit, each with the function that answers it."""
    branch, update, name = run.branch, run.update, f"{layer}.{unit}"
    W, b = run.parameters[layer]
    asked: list[tuple[str, Question]] = [
        (f"did unit {name} die?", lambda: when_unit_died(branch, update, layer, unit)),
        (f"did unit {name} revive?", lambda: when_unit_revived(branch, update, layer, unit)),
    ]

    def sign(column: int | None) -> Question:
        return lambda: when_weight_changed_sign(branch, update, layer, unit, column)

    for column, weight in enumerate(W[unit, :MOST_WEIGHTS]):
        words = f"did w[{column}] of unit {name}, now {weight:.3g}, change its sign?"
        asked.append((words, sign(column)))
    if b is not None:
        asked.append((f"did b of unit {name}, now {b[unit]:.3g}, change its sign?", sign(None)))
    return asked


class WhenScreen(ModalScreen[Answer | None]):
    """Lists the questions; the result is the answer to the chosen one."""

    DEFAULT_CSS = """
    WhenScreen { align: center middle; }
    WhenScreen > Vertical {
        width: 62; max-width: 96%; height: auto; max-height: 94%;
        border: round $accent; background: $surface; padding: 0 1;
    }
    WhenScreen OptionList {
        height: auto; max-height: 16; border: none; padding: 0; background: $surface;
        &:focus { border: none; }
    }
    """
    BINDINGS = [Binding("escape,w,q", "dismiss", "close")]

    def __init__(self, run: Run, layer: int, unit: int) -> None:
        super().__init__()
        self._run, self._asked = run, questions(run, layer, unit)

    def compose(self) -> ComposeResult:
        """The questions."""
        with Vertical() as box:
            box.border_title = f"When, up to update {self._run.update:,}, ..."
            box.border_subtitle = "Enter goes there; the unit is the heatmap cursor's"
            texts = ["was the loss last below ...?", *(words for words, _ in self._asked)]
            yield OptionList(*(Option(text.replace("[", r"\[")) for text in texts))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer the question."""
        if event.option_index:
            self.dismiss(self._asked[event.option_index - 1][1]())
        else:
            self.app.push_screen(
                Ask("When was the loss last below", "A reported loss, such as 0.01.", read_number),
                self._loss,
            )

    def _loss(self, loss: float | None) -> None:
        if loss is not None:
            self.dismiss(when_loss_was_below(self._run.branch, self._run.update, loss))
