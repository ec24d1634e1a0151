"""The microscope: the next update step by step, for a chosen unit, sample and weight."""

from dataclasses import dataclass, replace
from typing import Protocol

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.reactive import reactive
from textual.signal import Signal

from nntui.timeline import Run
from nntui.timeline.microscope import arithmetic
from nntui.timeline.microscope.computed import Anatomy, dissect
from nntui.tui.actions import MICROSCOPE
from nntui.tui.drawing.titles import title_of
from nntui.tui.key_bindings import bindings
from nntui.tui.microscope.equations_panel import EquationsPanel, Told
from nntui.tui.microscope.known_values import KnownValues, TableContent
from nntui.tui.microscope.substep_heatmap import SubstepHeatmap
from nntui.tui.microscope.substep_ladder import SubstepLadder
from nntui.tui.panels.content import StatusContent
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.panel import set_caption
from nntui.tui.panels.status_line import StatusLine
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.manual import ManualScreen
from nntui.tui.screens.sized import SizedScreen
from nntui.tui.terminal.taken import counted_lines, take_text

EXPLAINED = (
    "The update that comes next, in arithmetic: how one unit computes z from what comes in, and a "
    "from z; what error comes back to it (dL/da), what its activation lets through (the slope), "
    "and so delta, the slope of the loss in z; the gradient g of one of its weights, summed over "
    "the samples of the batch; and the optimiser's step to the new weight. Nothing is trained "
    "until you press Enter. Space walks through the update part by part, in the order in which "
    "the program makes it; the line at the top says where you are, and a dot stands for what is "
    "not known yet. Up and down choose the unit (named layer.unit), left and right the sample, "
    "[ and ] the weight. Where a fault changes a line it is marked FAULT, and what correct "
    "backpropagation gives stands below as correct; in the table, a number behind ! is not the "
    "correct one. Where there is room, a heatmap shows what the part has just made of its whole "
    "layer: activations, errors or deltas on all samples of the batch, or the steps that are "
    "subtracted from its weights and biases. In the arithmetic, ! points out what stops the "
    "learning, such as a factor 0."
)


class Mover(Protocol):
    """What moves the run along."""

    def train_to(self, target: int) -> None:
        """Train to update ``target``."""

    def seek(self, update: int) -> None:
        """Take the cursor to ``update``."""


class MicroscopeSubject(Protocol):
    """The run that is looked at, where it is shown as a whole."""

    visitor: bool
    """Whether nothing is kept and no file is written: what is taken elsewhere is copied."""

    @property
    def run_shown(self) -> Run:
        """The run at its cursor."""

    @property
    def status(self) -> StatusContent | None:
        """What is said of the run in the status line."""

    @property
    def moved(self) -> Signal[Run]:
        """Published whenever the run is shown as it is now."""

    @property
    def control(self) -> Mover:
        """What moves the run along."""

    def copy(self, text: str) -> None:
        """Put ``text`` on the clipboard."""


@dataclass(frozen=True)
class Focus:
    """Where one looked last."""

    layer: int
    unit: int
    row: int
    """The data row of the sample."""


@dataclass(frozen=True)
class Lens:
    """What one looks at."""

    layer: int = 0
    unit: int = 0
    sample: int = 0
    """Its number in the batch."""
    column: int | None = 0
    """The weight; None is the bias."""
    parts: int = 0
    """How many parts of the update are made."""


def _weight(column: int | None) -> str:
    return "bias b" if column is None else f"weight w[{column}]"


class MicroscopeScreen(SizedScreen[Focus]):
    """Between status and keys: the parts of the update, what is known so far, the arithmetic."""

    DEFAULT_CSS = """
    MicroscopeScreen #parts { height: 1fr; }
    MicroscopeScreen.-wide #parts { layout: horizontal; }
    MicroscopeScreen #known { height: 9; }
    MicroscopeScreen.-low #known { height: 6; }
    MicroscopeScreen.-wide #known { width: 40%; min-width: 51; max-width: 62; height: 1fr; }
    MicroscopeScreen KnownValues { height: 1fr; }
    MicroscopeScreen SubstepHeatmap { height: 1fr; display: none; }
    MicroscopeScreen.-wide.-tall SubstepHeatmap { display: block; }
    MicroscopeScreen EquationsPanel { width: 1fr; height: 1fr; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-high"), (34, "-tall")]
    BINDINGS = bindings(MICROSCOPE)

    lens: reactive[Lens] = reactive(Lens(), always_update=True)
    """What one looks at."""

    def __init__(self, subject: MicroscopeSubject, layer: int, unit: int, row: int) -> None:
        """Look at ``unit`` of ``layer`` on the data ``row``, if the next update takes it."""
        super().__init__()
        self._subject, self._row = subject, row
        self._anatomy: Anatomy = dissect(subject.run_shown)
        self._place = (subject.run_shown.branch, subject.run_shown.update)
        self.set_reactive(MicroscopeScreen.lens, Lens(layer, unit, parts=len(self._parts)))

    @property
    def anatomy(self) -> Anatomy:
        """The update that is looked at."""
        return self._anatomy

    @property
    def _parts(self) -> tuple[object, ...]:
        return self._anatomy.made.steps

    def compose(self) -> ComposeResult:
        """Status and ladder above, what is known and the arithmetic, the keys below."""
        yield StatusLine(self._subject.run_shown.preset, with_note=True)
        yield SubstepLadder()
        with Container(id="parts"):
            with Vertical(id="known"):
                yield KnownValues()
                yield SubstepHeatmap()
            yield EquationsPanel()
        yield KeyBar(MICROSCOPE)
        yield self.size_message()

    def on_mount(self) -> None:
        """Follow the run."""
        self._subject.moved.subscribe(self, self._moved)
        self._show_status("")  # the note names keys of the workbench
        self.lens = self._fitted(self.lens)
        self._look()

    def _show_status(self, note: str | None = None) -> None:
        said = self._subject.status
        if said is not None and note is not None:
            said = replace(said, note=note)
        self.query_one(StatusLine).content = said

    def _moved(self, run: Run) -> None:
        """Look at the update that comes next now."""
        self._show_status()
        if (run.branch, run.update) == self._place:
            return
        walking = self.lens.parts < len(self._parts)
        self._anatomy, self._place = dissect(run), (run.branch, run.update)
        parts = 1 if walking else len(self._parts)
        self.lens = self._fitted(replace(self.lens, parts=parts))

    def _fitted(self, lens: Lens) -> Lens:
        """``lens`` on the row that was wanted, if the batch has it, else on its first."""
        rows = self._anatomy.rows
        sample = rows.index(self._row) if self._row in rows else 0
        return replace(lens, sample=sample, column=self._near(lens))

    def watch_lens(self) -> None:
        """Show it."""
        if self.is_mounted:
            self._look()

    def _look(self) -> None:
        anatomy, lens = self._anatomy, self.lens
        made, steps = anatomy.made, anatomy.made.steps
        ladder = self.query_one(SubstepLadder)
        with self.app.batch_update():
            ladder.steps, ladder.known = steps, lens.parts
            known = TableContent(
                anatomy, lens.layer, lens.unit, lens.sample, lens.parts, lens.column
            )
            self.query_one(KnownValues).shown = known
            self.query_one(SubstepHeatmap).shown = known
            lines = arithmetic(anatomy, lens.layer, lens.unit, lens.sample, lens.column)
            equations = self.query_one(EquationsPanel)
            title = f"Update {anatomy.update:,} to {anatomy.update + 1:,}: unit {lens.layer}."
            title += f"{lens.unit}, sample {anatomy.rows[lens.sample]}, {_weight(lens.column)}"
            set_caption(equations, title)
            equations.told = Told(
                self._where(),
                lines,
                steps,
                lens.parts,
                anatomy.deviations,
                bool(made.configuration.faults),
            )

    def _where(self) -> str:
        """What one looks at, in words."""
        lens, rows, made = self.lens, self._anatomy.rows, self._anatomy.made
        activation = made.configuration.layers[lens.layer].activation
        text = f"unit {lens.layer}.{lens.unit} ({activation}), sample {rows[lens.sample]}"
        text += f" ({lens.sample + 1:,} of {len(rows):,} in the batch)" if len(rows) > 1 else ""
        below = "input" if lens.layer == 0 else f"unit {lens.layer - 1}."
        gap = " " if lens.layer == 0 else ""
        text += (
            ", bias b"
            if lens.column is None
            else (f", weight w[{lens.column}] from {below}{gap}{lens.column}")
        )
        if made.divergence is not None:
            text += f". This update diverged: {made.divergence.what}"
        return text

    # Choosing.

    def _columns(self, layer: int) -> list[int | None]:
        made = self._anatomy.made
        columns: list[int | None] = list(range(made.before["W", layer].shape[1]))
        return [*columns, None] if ("b", layer) in made.before else columns

    def _near(self, lens: Lens) -> int | None:
        """The lens's weight, or the last that its layer has."""
        columns = self._columns(lens.layer)
        if lens.column in columns:
            return lens.column
        return 0 if lens.column is None else max(each for each in columns if each is not None)

    def _choose(self, layer: int, unit: int) -> None:
        lens = replace(self.lens, layer=layer, unit=unit)
        self.lens = replace(lens, column=self._near(lens))

    def action_unit(self, by: int) -> None:
        """Choose another unit, from layer to layer."""
        layers = self._anatomy.made.configuration.layers
        units = [(at, unit) for at, layer in enumerate(layers) for unit in range(layer.units)]
        at = units.index((self.lens.layer, self.lens.unit)) + by
        self._choose(*units[min(max(at, 0), len(units) - 1)])

    def action_layer(self, by: int) -> None:
        """Choose the first unit of another layer."""
        self._choose((self.lens.layer + by) % len(self._anatomy.made.configuration.layers), 0)

    def action_sample(self, by: int) -> None:
        """Choose another sample of the batch."""
        sample = min(max(self.lens.sample + by, 0), len(self._anatomy.rows) - 1)
        self._row = self._anatomy.rows[sample]
        self.lens = replace(self.lens, sample=sample)

    def action_weight(self, by: int) -> None:
        """Choose another weight of the unit; behind the last is the bias."""
        columns = self._columns(self.lens.layer)
        at = min(max(columns.index(self.lens.column) + by, 0), len(columns) - 1)
        self.lens = replace(self.lens, column=columns[at])

    def on_known_values_wanted(self, message: KnownValues.Wanted) -> None:
        """Choose the unit that was clicked."""
        self._choose(message.layer, message.unit)

    # Walking.

    def _walk(self, parts: int) -> None:
        """Show the first ``parts`` parts; the unit is one of the layer that is at work."""
        lens = replace(self.lens, parts=parts)
        layers = self._anatomy.made.steps[parts - 1].layers
        if parts < len(self._parts) and lens.layer not in layers:
            lens = replace(lens, layer=layers[0], unit=0)
            lens = replace(lens, column=self._near(lens))
        self.lens = lens

    def action_next_part(self) -> None:
        """One part on; after the last, from the first again."""
        self._walk(self.lens.parts % len(self._parts) + 1)

    def action_previous_part(self) -> None:
        """One part back."""
        self._walk(max(self.lens.parts - 1, 1))

    def action_first_part(self) -> None:
        """To the first part."""
        self._walk(1)

    def action_all_parts(self) -> None:
        """Show all parts."""
        self._walk(len(self._parts))

    # The run, the text, the screen.

    def action_one_update(self) -> None:
        """Make the update."""
        self._subject.control.train_to(self._subject.run_shown.update + 1)

    def action_one_back(self) -> None:
        """Go one update back."""
        self._subject.control.seek(max(self._subject.run_shown.update - 1, 0))

    def action_scroll(self, pages: int) -> None:
        """Scroll the arithmetic."""
        equations = self.query_one(EquationsPanel)
        equations.scroll_relative(y=pages * max(equations.size.height - 2, 1), animate=False)

    def action_copy(self) -> None:
        """Copy the arithmetic, an equation a line."""
        equations, subject = self.query_one(EquationsPanel), self._subject
        text = f"{title_of(equations)}\n{equations.copied()}"
        what, name = counted_lines(text), "copied-microscope"
        send, visitor = subject.copy, subject.visitor
        self._show_status(take_text(text, what, name, ".txt", send=send, visitor=visitor))

    def action_help(self) -> None:
        """Explain the microscope."""
        self.app.push_screen(HelpScreen("The microscope", EXPLAINED, MICROSCOPE))

    def action_manual(self) -> None:
        """Open the manual."""
        self.app.push_screen(ManualScreen("microscope"))

    def action_close(self) -> None:
        """Back to the workbench, whose heatmap cursor goes where one looked."""
        row = self._anatomy.rows[self.lens.sample]
        self.dismiss(Focus(self.lens.layer, self.lens.unit, row))
