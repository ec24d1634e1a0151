"""Actions on the panels: which are shown, which has all the room, where the focus goes."""

from dataclasses import replace

from textual.widget import Widget

from nntui.tui.actions import fill_keys
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.panels.why_panel import WhyPanel, units_of
from nntui.tui.terminal.preferences import remember
from nntui.tui.workbench.arrangement import SQUEEZED, outputs_as_remembered
from nntui.tui.workbench.bench import Bench, Handlers


class Arranging:
    """Moves the focus, gives one panel all the room, and swaps panels on the right."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._came_from: Widget | None = None
        """What had the focus before the configuration took all the room."""
        self.handlers: Handlers = {
            "zoom": self._toggle_zoom,
            "unzoom": self._unzoom,
            "next_panel": self._next_panel,
            "output": self._toggle_output,
            "why": self._toggle_why,
            "edit": self._edit,
        }

    @property
    def _is_zoomed(self) -> bool:
        return self._bench.view.zoomed is not None

    def _zoom(self, panel: Widget | None) -> None:
        """Give ``panel`` all the room between status and time; None gives it back."""
        if not isinstance(panel, Timeline):
            zoomed = None if panel is None else type(panel)
            was = self._bench.view.zoomed
            note = fill_keys("{zoom} shows all panels, {next_panel} the next") if zoomed else None
            if was is not None and zoomed is None:
                note = ""  # what was said of it holds no more
            self._bench.look(replace(self._bench.view, zoomed=zoomed), note)

    def _toggle_zoom(self) -> None:
        self._zoom(None if self._is_zoomed else self._bench.focused_panel)

    def _unzoom(self) -> None:
        """Show all panels; from the configuration, go back to where one came from."""
        before, self._came_from = self._came_from, None
        edited = isinstance(self._bench.focused_panel, NetworkPanel)
        self._zoom(None)
        if edited:
            first = self._bench.panel(self._bench.shown_panels[0])
            self._bench.set_focus(first if before is None else before)

    def _next_panel(self) -> None:
        """Move the focus to the next panel; where one is zoomed, the next one is."""
        panels = [self._bench.panel(kind) for kind in self._bench.shown_panels]
        focused = self._bench.focused_panel
        at = panels.index(focused) + 1 if focused in panels else 0
        following = panels[at % len(panels)]
        if self._is_zoomed and isinstance(following, Timeline):
            following = panels[(at + 1) % len(panels)]
        if self._is_zoomed:
            self._zoom(following)
        _focus_on(following)

    def _toggle_output(self) -> None:
        """Go to the outputs, showing them if they are not; take them away if one is there."""
        panel, shown = self._bench.panel(OutputPanel), OutputPanel in self._bench.shown_panels
        note = fill_keys("{output_view} shows more of the outputs, {output} takes them away")
        if shown and self._bench.focused is not panel:
            zoomed = OutputPanel if self._is_zoomed else None
            self._bench.look(replace(self._bench.view, zoomed=zoomed), note)
            _focus_on(panel)
            return
        if self._bench.is_short and self._bench.view.why:
            self._toggle_why()
        if shown:
            self._unzoom()
        view = self._bench.view
        note = "" if shown else note
        self._bench.look(replace(view, output=replace(view.output, visible=not shown)), note)
        name = outputs_as_remembered(self._bench.run_shown, short=self._bench.is_short)
        if name is not None and not self._bench.visitor:
            remember(name, not shown)
        self._focus(panel, shown=not shown, had_focus=shown)

    def _toggle_why(self) -> None:
        """Show what is wrong, or the story."""
        panel, shown = self._bench.panel(WhyPanel), not self._bench.view.why
        had_focus = self._bench.focused is panel
        if shown or had_focus:
            self._unzoom()
        view = self._bench.view
        marked = units_of(panel.chosen if shown else None, self._bench.run_shown.preset)
        heatmap = replace(view.heatmap, marked=marked)
        self._bench.look(replace(view, why=shown, heatmap=heatmap), "")
        self._focus(panel, shown=shown, had_focus=had_focus)

    def _focus(self, panel: Widget, *, shown: bool, had_focus: bool) -> None:
        """The focus goes to a panel that is shown, and from one that goes to the first."""
        if shown:
            panel.focus()
        elif had_focus:
            self._bench.panel(self._bench.shown_panels[0]).focus()

    def _edit(self) -> None:
        """Give the configuration the focus; on a small screen all the room, and take it back."""
        panel, short = self._bench.panel(NetworkPanel), self._bench.is_short
        here = self._bench.focused_panel is panel
        if short and self._is_zoomed and here:
            self._unzoom()
            return
        if not here:
            self._came_from = self._bench.focused
        # Not `focus`, which waits: the next key may be there already.
        self._bench.set_focus(panel)
        if short:
            view = replace(self._bench.view, zoomed=NetworkPanel)
            self._bench.look(view, fill_keys("{edit} or Esc: all panels"))


def _focus_on(panel: Widget) -> None:
    """Move the focus to ``panel``, which may have given its room to what is edited."""
    panel.remove_class(SQUEEZED)
    panel.focus()
