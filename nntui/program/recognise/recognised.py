"""What `show` answers about a program: the preset that computes the same, or why there is none."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from nntui.presets import encode, read_preset
from nntui.program.recognise.description import Description


@dataclass(frozen=True)
class Counterpart:
    """A part of the preset, and where the program has it."""

    key: str
    """The preset's: ``layers.0.W``, ``layers.0.activation``, ``training.learning_rate``, ..."""
    name: str
    """The program's name for it; may be empty."""
    file: str | None
    line: int | None


@dataclass(frozen=True)
class Recognised:
    """The preset of a program, proven by running both; or the part that has no counterpart."""

    preset_text: str | None
    """TOML; None if no preset computes what the program does."""
    reason: str | None
    """Which part has no counterpart, as one line; None with a preset."""
    line: int | None
    """The program's line of that part."""
    nearest_text: str | None = None
    """A preset that makes the same updates of the same rows, which it takes in another order."""
    correspondence: tuple[Counterpart, ...] = ()
    """Which name or line of the program is which part of the preset."""
    updates: int = 0
    """How many updates were compared."""
    description: Description | None = None
    """What was observed; None if it did not come that far."""

    def as_string(self, program: str) -> str | None:
        """The proven preset of the file ``program`` as a preset string, which nntui loads.

        None without one.  Raises ConfigError if it is too long for a string.
        """
        if self.preset_text is None:
            return None
        path = Path(program)
        return encode(
            read_preset(path.stem, tomllib.loads(self.preset_text), path.absolute().parent)
        )
