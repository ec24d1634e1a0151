"""Actions that edit: the configuration, single weights, and undoing the last edit."""

from collections.abc import Callable
from typing import TypeVar

from nntui.core.engine.parameter_edits import parameter_key
from nntui.core.errors import ConfigError
from nntui.core.number_text import number_text
from nntui.presets.editing.entries import Changes
from nntui.presets.preset_table import change_in_brief
from nntui.timeline.edits import Edits, effect_of
from nntui.tui.actions import fill_keys
from nntui.tui.panels.editing.editor_questions import EditorQuestion, OneOf, SomeOf, Written
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.screens.dialogs.ask import Ask, read_number
from nntui.tui.screens.dialogs.ask_lines import AskLines
from nntui.tui.screens.dialogs.choose_value import ChooseSome, ChooseValue
from nntui.tui.workbench.bench import Bench, Handlers

Answer = TypeVar("Answer")


class Editing:
    """Changes what is on the screen where it stands."""

    def __init__(self, bench: Bench, edits: Edits) -> None:
        """``edits`` remembers what was changed, so that it can be undone."""
        self._bench, self._edits = bench, edits
        self.handlers: Handlers = {"undo": self._undo}

    def effect(self, changes: Changes) -> str:
        """What ``changes`` will do at the cursor, in words."""
        return str(effect_of(self._bench.run_shown, changes))

    def begun(self) -> None:
        """Let nothing be trained while somebody edits."""
        if self._bench.control.pause():
            self._bench.show(fill_keys("paused to ask; {run} goes on"))

    def ask(self, question: EditorQuestion) -> None:
        """Ask above the panels what the editor wants to know; no answer changes nothing."""
        match question:
            case OneOf(title, options, effect, answered, about):

                def chosen(at: int | None) -> None:
                    option = None if at is None else options[at]
                    if option is not None and (option.asks is not None or not option.present):
                        answered(option)

                self._bench.ask(ChooseValue(title, options, effect, about), chosen)
            case SomeOf(title, options, effect, answered_some, about):
                some = ChooseSome(title, options, effect, about)
                self._bench.ask(some, lambda names: _unless_none(names, answered_some))
            case Written(asked, made):
                kind = AskLines if question.lines else Ask
                screen = kind(asked.title, asked.hint, asked.read, asked.value)
                self._bench.ask(screen, lambda changes: _unless_none(changes, made))

    def edited(self, changes: Changes) -> None:
        """Make the changes, or say in the editor why they cannot be made."""
        try:
            self._edit(changes)
        except ConfigError as error:
            self._bench.panel(NetworkPanel).editor.complain(str(error))

    def _edit(self, changes: Changes) -> None:
        self._bench.control.pause()
        run, view = self._bench.run_shown, self._bench.view
        before, preset = run.branch, run.preset
        self._edits.make(run, changes)
        self._bench.panel(NetworkPanel).editor.leave()
        if run.branch is not before:
            view = view.with_overlay(before)
        (key, value), *others = changes.items()
        said = change_in_brief(preset, key, value, " = ")
        said += f", and with it {', '.join(name for name, _ in others)}" if others else ""
        self._bench.look(view, fill_keys(f"{said}; {{undo}} undoes"))

    def _undo(self) -> None:
        self._bench.control.pause()
        run, view = self._bench.run_shown, self._bench.view
        try:
            said = self._edits.undo(run)
        except ConfigError as error:
            self._bench.show(str(error))
            return
        if view.overlaid is run.branch or view.overlaid not in run.tree.branches:
            view = view.with_overlay(None)
        self._bench.look(view, said)

    def ask_value(self, place: tuple[int, int, int | None] | None) -> None:
        """Ask for another value of a parameter: its layer, unit and input (None: the bias)."""
        if place is None:
            self._bench.show(
                fill_keys("only weights of A can be set; {heatmap}, {compare} lead to them")
            )
            return
        if not self._bench.stop_to_ask():
            return
        run, (layer, unit, column) = self._bench.run_shown, place
        if run.divergence is not None:
            self._bench.show("diverged: go back first, then change something")
            return
        key = parameter_key(layer, unit, column)
        W, b = run.parameters[layer]
        now = W[unit, column] if column is not None else None if b is None else b[unit]
        if now is None:
            self._bench.show(f"layer {layer} has no bias")
            return
        name = f"bias of unit {layer}.{unit}" if column is None else f"{layer}.{unit} w[{column}]"
        hint = f"{key}, now {number_text(now, 9)}. Another number {self.effect({key: 0.0})}."

        def set_to(value: float | None) -> None:
            if value is None:
                self._bench.show("")
            else:
                self._edit({key: value})

        self._bench.ask(Ask(f"Set {name}", hint, read_number, repr(float(now))), set_to)


def _unless_none(answer: Answer | None, then: Callable[[Answer], None]) -> None:
    if answer is not None:
        then(answer)
