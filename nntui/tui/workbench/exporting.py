"""The workbench's actions that take something elsewhere: a file, a script, a string, numbers."""

from collections.abc import Callable
from pathlib import Path

from nntui.core.errors import ConfigError
from nntui.export import export
from nntui.presets import encode, to_toml
from nntui.presets.atomic_write import write_bytes
from nntui.presets.preset import Preset
from nntui.presets.schema import override
from nntui.tui.panels.panel import Copied
from nntui.tui.screens.ask import Ask
from nntui.tui.screens.choose import Choose
from nntui.tui.workbench.training_screen import TrainingScreen

FORMS: tuple[tuple[str, str, Callable[[Preset], str]], ...] = (
    ("save as a preset of your own (TOML)", ".toml", to_toml),
    ("save as a NumPy script", ".py", lambda preset: export(preset, "numpy")),
    ("save as a PyTorch script", ".py", lambda preset: export(preset, "pytorch")),
)
"""In words, the ending of the file, and what it holds."""
STRING = "copy the configuration as one short string"


class Taking(TrainingScreen):
    """Takes the configuration at the cursor, or what a panel shows, out of the app."""

    @property
    def taken(self) -> Preset:
        """The configuration at the cursor with the seed of the run, as a preset."""
        run = self.run_shown
        return override(run.preset, {"seed": run.seed})

    @property
    def _lacking(self) -> str:
        """What a preset cannot hold of this run, in words; empty if it holds all."""
        return "; what was set by hand is no part of it" if self.run_shown.by_hand else ""

    def action_take(self) -> None:
        """Ask in which form the configuration is wanted."""
        if self.stop_to_ask():
            forms = [*(words for words, _, _ in FORMS), STRING]
            self.app.push_screen(Choose("Take the configuration elsewhere", forms), self._take)

    def _take(self, chosen: int | None) -> None:
        if chosen is None:
            self.show("")
        elif chosen < len(FORMS):
            self._ask_file(*FORMS[chosen])
        else:
            what = f"the configuration{self._lacking}; open it with: nntui STRING"
            self._copy(encode(self.taken), what)

    def _ask_file(self, words: str, ending: str, made: Callable[[Preset], str]) -> None:
        def read(text: str) -> Path:
            path = Path(text.strip()).expanduser()
            if not text.strip():
                raise ConfigError("", "the name of a file, please")
            if path.exists():
                raise ConfigError("", f"{path} is there already; choose another name")
            write_bytes(path, made(self.taken).encode())
            return path

        def saved(path: Path | None) -> None:
            self.show("" if path is None else f"saved as {path}{self._lacking}")

        name = f"{self._preset.name}-{self.run_shown.seed}{ending}"
        hint = f"A file that is not there yet{self._lacking}."
        self.app.push_screen(Ask(words.capitalize(), hint, read, name), saved)

    def action_copy(self) -> None:
        """Copy the numbers of the focused panel."""
        panel = self.focused
        text = panel.copied() if isinstance(panel, Copied) else ""
        if text:
            self._copy(text, f"{len(text.splitlines()):,} lines of the panel")
        else:
            self.show("this panel has no numbers to copy; Tab moves on")

    def _copy(self, text: str, what: str) -> None:
        # OSC 52 goes through SSH; a terminal that does not know it says nothing.
        self.app.copy_to_clipboard(text)
        self.show(f"copied {what}")
