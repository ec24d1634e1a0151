"""The network panel: the configuration, planted faults first, and its editor."""

import textwrap
from collections.abc import Callable, Iterable, Iterator

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from nntui.core.engine.network import has_effect
from nntui.core.number_text import number_text
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.initialisers import INITIALISERS
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Draws, Layer
from nntui.core.settings.training_settings import FULL, Training
from nntui.presets.editing.entries import Changes
from nntui.presets.preset import Preset
from nntui.tui.actions import NETWORK, fill_keys
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.editing.editor import Editor
from nntui.tui.panels.editing.editor_questions import EditorQuestion
from nntui.tui.panels.panel import TextPanel, set_caption, tsv

LABEL = 10


Labelled = tuple[str, str]
"""A label, empty where it continues the one above, and its text."""


def _line(entry: Labelled, width: int, changed: bool) -> Content:
    """The entry as lines of at most ``width`` columns, the text in a column of its own."""
    label, text = entry[0], f"{entry[1]} *" if changed else entry[1]
    lines = textwrap.wrap(text, max(width - LABEL, 10)) or [""]
    return Content.assemble(
        (f"{label:<{LABEL}}", "$foreground-muted"),
        (("\n" + " " * LABEL).join(lines), "bold $text-warning" if changed else ""),
    )


def _fault_name(fault: FaultEntry) -> str:
    where = "" if fault.layers is None else f", layer {', '.join(map(str, fault.layers))}"
    return f"{fault.name}{where}"


def _init(layer: Layer, of_bias: bool) -> str:
    """How the weights of ``layer``, or its bias, start."""
    prefix = "bias_" if of_bias else ""
    name, scale = getattr(layer, f"{prefix}init"), getattr(layer, f"{prefix}scale")
    if (layer.b if of_bias else layer.W) is not None:
        name = "as given"
    else:
        limits = [getattr(layer, f"{prefix}{key}") for key in INITIALISERS[name].parameters]
        name += "" if limits in ([], [0.0, 1.0]) else f"({', '.join(map(number_text, limits))})"
    return name if scale == 1.0 else f"{number_text(scale)}*{name}"


def _layer(index: int, layer: Layer) -> Iterator[Labelled]:
    leak = f" {number_text(layer.leak)}" if layer.activation == "leaky-relu" else ""
    norm = ", then layer norm" if layer.normalise else ""
    yield (f"layer {index}", f"{layer.units} {layer.activation}{leak}{norm}")
    bias = f"b {_init(layer, of_bias=True)}"
    bias += " (one draw)" if layer.bias == "shared-start" and layer.b is None else ""
    bias = "no bias" if layer.bias == "none" else bias
    yield ("", f"W {_init(layer, of_bias=False)}, {bias}")


def _draws(draws: Draws) -> Iterator[Labelled]:
    if draws != Draws():
        skipped = [
            f"{count:,} {kind} numbers skipped"
            for kind, count in (("uniform", draws.skip_uniform), ("normal", draws.skip_normal))
            if count
        ]
        yield ("draws", ", ".join([draws.order, *["transposed"] * draws.transposed, *skipped]))


def _kinks(layers: Iterable[Layer]) -> Iterator[Labelled]:
    kinks = {layer.kink for layer in layers if layer.activation in ("relu", "leaky-relu")}
    if kinks:
        yield ("f'(0)", f"slope at z = 0: {', '.join(sorted(kinks))}")


def _training(configuration: Configuration) -> Iterator[Labelled]:
    training, report, data = configuration.training, configuration.report, configuration.data
    yield ("loss", f"{training.loss}, {training.reduction}")
    penalty = " + penalty" if report.penalty else ""
    over = f" over all rows, {report.when} the update" if report.covers_all else ""
    every = f", every {report.every} epochs" if report.every > 1 else ""
    yield ("printed", f"{report.loss}, {report.reduction}{penalty}{over}{every}")
    momentum = f", momentum {number_text(training.momentum)}" if training.momentum else ""
    yield ("optimiser", f"{training.optimiser}{momentum}")
    yield ("rate", number_text(training.learning_rate))
    if training.schedule != "constant":
        every = f"{number_text(training.schedule_decay)} every {training.schedule_every:,} epochs"
        yield ("", f"{training.schedule}, {every}")
    for name in ("dampening", "rho", "beta1", "beta2", "epsilon"):
        value = getattr(training, name)
        if value != Training.__dataclass_fields__[name].default:
            yield ("", f"{name} {number_text(value)}")
    for name in ("clip_value", "clip_norm", "l1", "l2"):
        value = getattr(training, name)
        if value:
            per = training.l2_per_sample and name in ("l1", "l2")
            yield (name, f"{number_text(value)}{f' / {data.rows} rows' if per else ''}")
    draws = f", {training.draws} draws" if training.draws else ""
    batch = f"all {data.rows} rows" if training.batch == FULL else f"{training.batch}"
    order = "" if training.batch == FULL and training.order == "in-order" else f" {training.order}"
    yield ("batch", f"{batch}{order.replace('-', ' ')}{draws}")
    constants = f" + {len(data.constant_inputs)} constant" if data.constant_inputs else ""
    yield ("data", f"{data.rows} rows, {data.given}{constants} -> {data.outputs}")


def entries(preset: Preset) -> Iterator[Labelled]:
    """The configuration of ``preset``, entry by entry."""
    configuration, goal = preset.configuration, preset.goal
    for index, layer in enumerate(configuration.layers):
        yield from _layer(index, layer)
    yield from _draws(configuration.draws)
    yield from _kinks(configuration.layers)
    yield from _training(configuration)
    yield ("goal", f"loss <= {number_text(goal.loss)}{', then stop' if goal.stop else ''}")
    yield ("budget", f"{goal.epochs:,} epochs")


def describe(preset: Preset, width: int, first: Preset | None = None) -> Content:
    """All of it in ``width`` columns: faults, entries, then the faults explained.

    What is not as in ``first`` is marked.
    """
    known = set(entries(preset if first is None else first))
    faults = preset.configuration.faults
    lines = [
        Content.assemble(
            ("FAULT", "bold $text on $error"),
            f" {_fault_name(fault)}",
            "" if has_effect(preset.configuration, fault) else " (no effect here)",
        )
        for fault in faults
    ] or [Content.styled("no planted fault", "$text-success")]
    lines += [
        Content.assemble(("WARNING", "bold $text on $warning"), f" {warning}")
        for warning in preset.warnings
    ]
    lines += [_line(entry, width, entry not in known) for entry in entries(preset)]
    for fault in faults:
        kind = FAULTS[fault.name]
        lines.append(Content.assemble(("\n" + fault.name, "bold $text-error")))
        lines.append(Content(f"{kind.what}. What one sees: {kind.symptom}. Fix: {kind.fix}."))
    return Content("\n").join(lines)


class NetworkPanel(TextPanel):
    """Layers, training, goal; planted faults are marked and explained."""

    explained = (
        "The configuration: each layer with its units, activation, initial weights (W) and bias "
        "(b), then the loss that is trained, the loss that is printed, the optimiser, the data and "
        "the goal. A red FAULT is a deviation from correct backpropagation that this scenario "
        "makes, as its author's program did; each is explained at the end of the panel. A star "
        "marks what was changed since the scenario was opened. With the focus here (Tab, or a "
        "double click), every entry that has an effect is a line: the arrow keys move, / looks for "
        "a name (also among those without an effect), Enter edits or lists what an entry may be, D "
        "takes a fault or a layer away, and the lines below say what an entry means and what an "
        "edit will do. Training, report, goal and faults are changed at the head from the next "
        "update on, in the past in a new branch; data, layers, draws and seed begin a branch at "
        "update 0."
    )
    DEFAULT_CSS = """
    NetworkPanel Editor { display: none; }
    NetworkPanel:focus-within { border: round $accent; border-title-color: $text-accent; }
    NetworkPanel:focus-within Editor { display: block; }
    NetworkPanel:focus-within #summary { display: none; }
    """
    BINDINGS = bindings(NETWORK)
    FOCUS_ON_CLICK = False

    class Left(Message):
        """The focus is wanted elsewhere."""

    def __init__(
        self,
        preset: Preset,
        effect: Callable[[Changes], str],
        ask: Callable[[EditorQuestion], None],
    ) -> None:
        """``effect`` says in words what changes will do where the run stands; see `Editor`."""
        super().__init__()
        self._first = self._preset = preset
        # The run is shown before the panel has made what is in it.
        self.editor = Editor(preset, effect, ask)
        self._rows = 0

    def compose(self) -> ComposeResult:
        """One text; with the focus, the entries one by one."""
        yield Static(id="summary")
        yield self.editor

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is written has all keys but Escape."""
        editor = self.editor
        return not editor.writing or action in ("leave",)

    def on_click(self, event: Click) -> None:
        """A double click edits; a single one, which may only have been meant to look, does not."""
        if event.chain > 1:
            self.focus()

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self.editor.move(lines)

    def action_jump_table(self, direction: int) -> None:
        """Move the cursor to the next table, or the one before."""
        self.editor.jump(direction)

    def action_edit_entry(self) -> None:
        """Edit the entry under the cursor."""
        self.editor.begin()

    def action_seek(self) -> None:
        """Ask which entries are to be listed."""
        self.editor.seek()

    def action_remove(self) -> None:
        """Take the fault or the layer under the cursor away."""
        self.editor.take_away()

    def action_leave(self) -> None:
        """Edit nothing any more, then list all; then go back to the other panels."""
        if self.editor.writing:
            self.editor.leave()
        elif self.editor.filtering:
            self.editor.list_all()
        else:
            self.post_message(self.Left())

    def on_mount(self) -> None:
        """Describe the preset."""
        self._describe()

    def show(self, preset: Preset, seed: int) -> None:
        """Show the ``preset`` at the cursor, and in the editor also the ``seed`` of the run."""
        if preset is not self._preset:
            self._preset = preset
            self._describe()
        # What an edit would do depends on where the run stands, so this is done every time.
        self.editor.take(preset, seed)

    def copied(self) -> str:
        """A line an entry: its dotted key and its value."""
        return tsv([("key", "value"), *((key, text) for key, text in self.editor.listed)])

    @property
    def rows_needed(self) -> int:
        """The rows, border included, in which all of the text can be read."""
        return self._rows + 2

    def _describe(self) -> None:
        preset = self._preset
        below = fill_keys(f"{preset.parameters:,} parameters, {{edit}} edits")
        set_caption(self, f"Network {preset.network.split()[0]}", below)
        self.on_resize()

    def on_resize(self) -> None:
        """Fit the text to the width."""
        width = self.scrollable_content_region.width
        # A preset may come before there is anything to show it in.
        for text in self.query("#summary").results(Static):
            told = describe(self._preset, width, self._first)
            self._rows = len(told.wrap(width)) if width else 0
            text.update(told)
