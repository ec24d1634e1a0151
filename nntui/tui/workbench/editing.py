"""The workbench's actions that edit: the configuration, single weights, and taking it back."""

from textual.widget import Widget

from nntui.core.engine.parameter_edits import is_parameter, parameter_key
from nntui.core.errors import ConfigError
from nntui.presets.entries import Changes
from nntui.timeline.edits import effect_of
from nntui.tui.actions import fill_keys
from nntui.tui.panels.editor import Editor
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.screens.ask import Ask, read_number
from nntui.tui.workbench.branching import Branching
from nntui.tui.workbench.zooming import Zooming

LONGEST = 22
"""Characters of what a note says of a change, which the status line has room for."""


class Editing(Branching, Zooming):
    """Changes what is on the screen where it stands."""

    _came_from: Widget | None = None
    """What had the focus before the configuration took all the room."""

    def effect(self, changes: Changes) -> str:
        """What ``changes`` will do at the cursor, in words."""
        return str(effect_of(self.run_shown, changes))

    def action_edit(self) -> None:
        """Give the configuration the focus; on a small screen all the room, and take it back."""
        panel = self.query_one(NetworkPanel)
        if self.has_class("-short") and self.zoomed and self.focused_panel is panel:
            self.action_unzoom()
            return
        if self.has_class("-short") and self.focused_panel is not panel:
            self._came_from = self.focused
        # Not `focus`, which waits: the next key may be there already.
        self.set_focus(panel)
        if self.has_class("-short"):
            self._zoom(panel)
            self.show(fill_keys("{edit} or Esc: all panels"))

    def action_unzoom(self) -> None:
        """Show all panels; leave the configuration where it had all the room."""
        before, self._came_from = self._came_from, None
        edited = self.zoomed and self.focused_panel is self.query_one(NetworkPanel)
        super().action_unzoom()
        if before is not None and edited:
            self.set_focus(before)

    def on_editor_begun(self) -> None:
        """Let nothing be trained while somebody edits."""
        if self.pause():
            self.show(fill_keys("paused to ask; {run} goes on"))

    def on_editor_edited(self, message: Editor.Edited) -> None:
        """Make the changes, or say in the editor why they cannot be made."""
        editor = self.query_one(NetworkPanel).editor
        try:
            self._edit(message.changes)
        except ConfigError as error:
            editor.complain(str(error))

    def _edit(self, changes: Changes) -> None:
        self.pause()
        run = self.run_shown
        before = run.branch
        self.edits.make(run, changes)
        self.query_one(NetworkPanel).editor.leave()
        if run.branch is not before:
            self._overlay(before)
        said = ", ".join(f"{_told(key)} = {value}" for key, value in changes.items())
        said = said if len(said) <= LONGEST else f"{said[: LONGEST - 3]}..."
        self.show(fill_keys(f"{said}; {{undo}} undoes"))

    def action_undo(self) -> None:
        """Take the last edit back."""
        self.pause()
        run = self.run_shown
        try:
            said = self.edits.undo(run)
        except ConfigError as error:
            self.show(str(error))
            return
        other = None if self.other is None else self.other.branch
        if other is run.branch or other not in run.tree.branches:
            self._overlay(None)
        self.show(said)

    def on_heatmap_pointed(self, message: Heatmap.Pointed) -> None:
        """Ask for another value of the weight or bias under the heatmap's cursor."""
        if message.place is None:
            self.show(fill_keys("only weights of A can be set; {heatmap}, {compare} lead to them"))
            return
        if not self.stop_to_ask():
            return
        run, (layer, unit, column) = self.run_shown, message.place
        if run.divergence is not None:
            self.show("diverged: go back first, then change something")
            return
        key = parameter_key(layer, unit, column)
        W, b = run.parameters[layer]
        now = W[unit, column] if column is not None else None if b is None else b[unit]
        if now is None:
            self.show(f"layer {layer} has no bias")
            return
        name = f"bias of unit {layer}.{unit}" if column is None else f"{layer}.{unit} w[{column}]"
        hint = f"{key}, now {now:.9g}. Another number {self.effect({key: 0.0})}."

        def set_to(value: float | None) -> None:
            if value is None:
                self.show("")
            else:
                self._edit({key: value})

        self.app.push_screen(Ask(f"Set {name}", hint, read_number, repr(float(now))), set_to)


def _told(key: str) -> str:
    """What tells ``key`` from others, in short."""
    return key.partition(".")[2] if is_parameter(key) else key.rpartition(".")[2]
