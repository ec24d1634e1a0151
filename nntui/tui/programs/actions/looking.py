"""Which panels are in sight, and how they are looked at."""

from dataclasses import replace

from nntui.timeline.views.compare import DIFFERENCE, A, B
from nntui.tui.actions import fill_keys
from nntui.tui.panels.panel import Copied
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.programs.actions.handlers import Handlers
from nntui.tui.programs.panels.array_heatmap import ArrayHeatmap
from nntui.tui.programs.panels.findings_panel import FindingsPanel
from nntui.tui.programs.panels.printed_panel import PrintedPanel
from nntui.tui.programs.panels.variables_panel import VariablesPanel
from nntui.tui.programs.program_bench import ProgramBench


class Looking:
    """The actions that change the view."""

    def __init__(self, screen: ProgramBench) -> None:
        self._screen = screen
        self.handlers: Handlers = {
            "heatmap": self._next_array,
            "compare": self._compare,
            "variables": lambda: screen.bring(VariablesPanel),
            "output": lambda: screen.bring(PrintedPanel),
            "why": lambda: screen.bring(FindingsPanel),
            "recent": self._recent,
            "log_scale": self._log_scale,
            "zoom": self._zoom,
            "unzoom": lambda: screen.look(
                replace(screen.view, zoomed=None), None if screen.view.zoomed is None else ""
            ),
            "next_panel": self._next_panel,
            "copy": self._copy,
            "library": screen.leave,
            "help": screen.explain,
            "manual": screen.open_manual,
        }

    def _next_array(self) -> None:
        """The next array; the first time the panel is only brought into sight."""
        screen, view = self._screen, self._screen.view
        if screen.panel(ArrayHeatmap).has_class("-aside"):
            self._screen.bring(ArrayHeatmap)
            return
        lineless = not screen.seen.seen.on(view.file or screen.seen.file, view.line)
        by = 2 if lineless and view.array % (len(screen.seen.seen.parameters) + 1) == 0 else 1
        screen.look(replace(view, array=view.array + by, turn=0))

    def _compare(self) -> None:
        """Arrays of A, of B, or of A minus B."""
        screen, run = self._screen, self._screen.run_shown
        if run.overlaid is None:
            screen.tell(fill_keys("no branch is overlaid; {branches}, then o overlays one"))
            return
        if run.overlaid.kept is not None:
            where = f"{run.overlaid.name}, which is B, has not run again"
            screen.tell(fill_keys(f"{where}; {{branches}}, then Enter runs it"))
            return
        kinds = (A, B, DIFFERENCE)
        shown = kinds[(kinds.index(screen.view.compared) + 1) % len(kinds)]
        screen.view = replace(screen.view, compared=shown)
        run.compares = shown != A
        note = f"arrays of {shown}" + (f": {run.overlaid.name}" if shown == B else "")
        screen.control.ask("comparing", lambda: None, lambda _: note)

    def _recent(self) -> None:
        view = self._screen.view
        note = "the whole run" if view.recent else "the recent part of the run"
        self._screen.look(replace(view, recent=not view.recent), note)

    def _log_scale(self) -> None:
        view = self._screen.view
        note = f"{'linear' if view.log_axis else 'logarithmic'} loss axis"
        self._screen.look(replace(view, log_axis=not view.log_axis), note)

    def _zoom(self) -> None:
        screen, view = self._screen, self._screen.view
        panel = screen.focused_panel
        if view.zoomed is not None:
            screen.look(replace(view, zoomed=None), "")
        elif panel is None or isinstance(panel, Timeline):
            screen.tell(fill_keys("the strip of time stays as it is; {next_panel}, then {zoom}"))
        else:
            note = fill_keys("{zoom} shows all panels")
            screen.look(replace(view, zoomed=type(panel)), note)

    def _next_panel(self) -> None:
        screen = self._screen
        panels = screen.shown_panels
        focused = screen.focused_panel
        at = panels.index(focused) + 1 if focused in panels else 0
        following = panels[at % len(panels)]
        if screen.view.zoomed is not None:
            if isinstance(following, Timeline):
                following = panels[(at + 1) % len(panels)]
            screen.look(replace(screen.view, zoomed=type(following)))
        following.focus()

    def _copy(self) -> None:
        panel = self._screen.focused_panel
        text = panel.copied() if isinstance(panel, Copied) else ""
        if text:
            self._screen.app.copy_to_clipboard(text)
        self._screen.tell("copied" if text else "nothing to copy here")
