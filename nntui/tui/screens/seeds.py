"""Trains 100 seeds in the background, shows how many solve, and lets one be opened."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from nntui.core.number_text import brief, number_text
from nntui.presets.preset import Preset
from nntui.presets.preset_table import changes_in_brief
from nntui.sweeps.block import Outcome
from nntui.sweeps.ranking import rank_of, ranked, solved_count, spread
from nntui.sweeps.result import wilson
from nntui.sweeps.runner import sweep
from nntui.tui.drawing.titles import entitle
from nntui.tui.panels.paged_list import PagedList
from nntui.tui.screens.dialogs.dialog import Dialog

SEEDS = 100


class SeedsScreen(Dialog[int | None]):
    """A sweep from the scenario on the screen; Enter opens the seed under the cursor."""

    DEFAULT_CSS = """
    SeedsScreen { align: center middle; }
    SeedsScreen > Vertical {
        width: 66; max-width: 96%; height: 90%; max-height: 40;
        border: round $accent; background: $surface; padding: 0 1;
    }
    SeedsScreen Static { height: auto; }
    SeedsScreen OptionList {
        height: 1fr; border: none; padding: 0; background: $surface;
        &:focus { border: none; }
    }
    """
    BINDINGS = [Binding("escape,s,q", "dismiss", "close")]

    class Grown(Message):
        """More seeds are done."""

        def __init__(self, outcomes: list[Outcome], finished: bool) -> None:
            super().__init__()
            self.outcomes = outcomes
            self.finished = finished

    def __init__(self, preset: Preset, seed: int, changed: Mapping[str, Any]) -> None:
        """``changed`` is what the run on the screen changed after its update 0."""
        super().__init__()
        self._preset, self._seed, self._changed = preset, seed, changed
        first = seed if seed <= 2**32 - SEEDS else 2**32 - SEEDS
        self._asked = range(first, first + SEEDS)
        self._listed: list[Outcome] = []

    def compose(self) -> ComposeResult:
        """What was found so far, above the seeds."""
        with Vertical() as box:
            # Every seed is trained from update 0 with what the run on the screen has by now.
            entitle(box, f"{SEEDS} seeds from {self._asked.start}{self._described()}")
            box.border_subtitle = "Enter opens a seed, Esc closes"
            yield Static("training ...", id="found")
            yield PagedList(id="seeds")

    def on_mount(self) -> None:
        """Begin."""
        self._train()

    @work(thread=True, exclusive=True)
    def _train(self) -> None:
        worker = get_current_worker()

        def progress(outcomes: Sequence[Outcome], of: int) -> bool:
            if outcomes:
                self.post_message(self.Grown(list(outcomes), len(outcomes) == of))
            return not worker.is_cancelled

        sweep(self._preset, self._asked, progress=progress)

    def on_seeds_screen_grown(self, message: Grown) -> None:
        """Show what is known now."""
        self.query_one("#found", Static).update(self._found(message))
        seeds = self.query_one(OptionList)
        if message.finished or len(message.outcomes) >= len(self._listed) + SEEDS // 10:
            chosen = seeds.highlighted
            self._listed = ranked(message.outcomes)
            seeds.clear_options()
            seeds.add_options([Option(self._entry(outcome)) for outcome in self._listed])
            seeds.highlighted = chosen if chosen is not None else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open the seed."""
        self.dismiss(self._listed[event.option_index].seed)

    def _found(self, message: Grown) -> Content:
        outcomes, goal = message.outcomes, self._preset.goal
        count, solved = len(outcomes), solved_count(outcomes, goal)
        low, high = wilson(solved, count)
        losses, rank = spread(outcomes), rank_of(outcomes, self._seed)
        lines = [
            Content.assemble(
                (f"{solved} of {count}", "bold"),
                f" solve {number_text(goal.loss)} "
                f"(95 % interval {100 * low:.0f} to {100 * high:.0f} %)",
                "" if message.finished else "  training ...",
            )
        ]
        if losses is not None:
            least, middle, most = losses
            lines.append(
                Content(f"final loss {brief(least)} to {brief(most)}, middle {brief(middle)}")
            )
        diverged = sum(outcome.diverged for outcome in outcomes)
        if diverged:
            lines.append(Content(f"{diverged} diverged"))
        if rank is not None and not self._changed:
            lines.append(Content(f"seed {self._seed}, on the screen, is number {rank} of {count}"))
        return Content("\n").join(lines)

    def _described(self) -> str:
        keys = changes_in_brief(self._changed)
        return f", {keys[:40]}" if keys else ""

    def _entry(self, outcome: Outcome) -> Content:
        solved = outcome.solved(self._preset.goal)
        loss = "-" if outcome.final_loss is None else number_text(outcome.final_loss)
        state = "diverged" if outcome.diverged else "solved" if solved else ""
        on_screen = outcome.seed == self._seed and not self._changed
        here = "  on the screen" if on_screen else ""
        return Content.assemble(
            f"seed {outcome.seed:<10} {loss:>12}  ",
            (f"{state:<8}", "$text-success" if solved else "$text-error"),
            here,
        )
