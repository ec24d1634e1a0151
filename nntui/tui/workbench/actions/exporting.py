"""Actions that take something elsewhere: a preset, a script, a short string, a panel's numbers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nntui.core.errors import ConfigError
from nntui.export import export
from nntui.presets import encode, to_toml
from nntui.presets.atomic_write import write_bytes
from nntui.presets.preset import Preset, Story
from nntui.tui.panels.panel import Copied
from nntui.tui.screens.dialogs.ask import Ask
from nntui.tui.screens.dialogs.choose import Choose
from nntui.tui.terminal.taken import counted_lines, take_text
from nntui.tui.workbench.bench import Bench, Handlers

FORMS: tuple[tuple[str, str, Callable[[Preset], str]], ...] = (
    ("a preset of your own (TOML)", ".toml", to_toml),
    ("a NumPy script", ".py", lambda preset: export(preset, "numpy")),
    ("a PyTorch script", ".py", lambda preset: export(preset, "pytorch")),
)
"""In words, the ending of the file, and what it holds."""
STRING = "copy the configuration as one short string"


class Exporting:
    """Takes the configuration at the cursor, or what a panel shows, out of the app."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.handlers: Handlers = {"take": self._ask_form, "copy": self._copy_panel}

    @property
    def _taken(self) -> Preset:
        """The configuration at the cursor with the seed of the run, as a preset.

        What was changed makes the scenario's story untrue, which is then left out.
        """
        taken, first = self._bench.run_shown.configured, self._bench.scenario
        return taken if taken == first else replace(taken, story=Story())

    @property
    def _lacking(self) -> str:
        """What a preset cannot hold of this run, in words; empty if it holds all."""
        lacking = self._bench.run_shown.lacking
        return lacking and f"; {lacking}"

    def _ask_form(self) -> None:
        """Ask in which form the configuration is wanted."""
        if self._bench.stop_to_ask():
            verb = "copy" if self._bench.visitor else "save"
            forms = [*(f"{verb} as {words}" for words, _, _ in FORMS), STRING]
            self._bench.ask(Choose("Take the configuration elsewhere", forms), self._take)

    def _take(self, chosen: int | None) -> None:
        if chosen is None:
            self._bench.show("")
        elif chosen < len(FORMS) and self._bench.visitor:
            words, ending, made = FORMS[chosen]
            self._copy(made(self._taken), f"{words}{self._lacking}", "configuration", ending)
        elif chosen < len(FORMS):
            self._ask_file(*FORMS[chosen])
        else:
            what = f"the configuration{self._lacking}; open it with: nntui STRING"
            self._copy(encode(self._taken), what, "configuration", ".txt")

    def _ask_file(self, words: str, ending: str, made: Callable[[Preset], str]) -> None:
        def read(text: str) -> Path:
            path = Path(text.strip()).expanduser()
            if not text.strip():
                raise ConfigError("", "the name of a file, please")
            if path.exists():
                raise ConfigError("", f"{path} is there already; choose another name")
            write_bytes(path, made(self._taken).encode())
            return path

        def saved(path: Path | None) -> None:
            self._bench.show("" if path is None else f"saved as {path}{self._lacking}")

        name = f"{self._bench.scenario.name}-{self._bench.run_shown.seed}{ending}"
        hint = f"A file that is not there yet{self._lacking}."
        self._bench.ask(Ask(f"Save as {words}", hint, read, name), saved)

    def _copy_panel(self) -> None:
        """Copy what the focused panel shows."""
        panel = self._bench.focused_panel
        text = panel.copied() if isinstance(panel, Copied) else ""
        if text:
            self._copy(text, counted_lines(text), f"copied-{panel_name(panel)}")
        else:
            self._bench.show("nothing to copy yet; Tab moves on to another panel")

    def _copy(self, text: str, what: str, name: str, ending: str = ".tsv") -> None:
        """Send ``text`` to the terminal's clipboard, and write it into a file too."""
        bench = self._bench
        said = take_text(text, what, name, ending, send=bench.copy, visitor=bench.visitor)
        bench.show(said)


def panel_name(panel: object) -> str:
    """What the file of a panel's copy is called."""
    return type(panel).__name__.removesuffix("Panel").lower()
