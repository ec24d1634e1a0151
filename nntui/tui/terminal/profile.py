"""What the screen may cost: chosen by what the connection can carry, and by options.

Textual reads its settings when it is imported, so this module does without it.
"""

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace

FRAMES, FRAMES_OVER_SSH = 15, 5
"""Pictures a second while something is trained."""
KEYS, KEYS_OVER_SSH = 120, 30
"""Pictures a second that keys can make, however few training makes."""
AUTO, TRUECOLOR, NONE = "auto", "truecolor", "none"
COLOURS = {AUTO: "auto", TRUECOLOR: TRUECOLOR, "256": "256", "16": "standard", NONE: "auto"}
"""The choices of ``--color``, with Textual's words for them."""


@dataclass(frozen=True)
class Profile:
    """How the app draws."""

    frames: int = FRAMES
    ascii: bool = False
    mouse: bool = True
    colours: str = AUTO
    """A key of `COLOURS`."""
    animated: bool = True
    remote: bool = False
    """Whether it draws over SSH."""
    note: str = ""
    """What was chosen without being asked for, in a few words."""

    def prepare(self, environment: MutableMapping[str, str]) -> None:
        """Tell Textual, which must not have been imported yet; who set its variables is obeyed."""
        of_keys = KEYS_OVER_SSH if self.remote else KEYS
        environment.setdefault("TEXTUAL_FPS", str(max(self.frames, of_keys)))
        if not self.animated:
            environment.setdefault("TEXTUAL_ANIMATIONS", "none")
        if self.colours == NONE:
            environment["NO_COLOR"] = "1"
        elif self.colours != AUTO:
            environment["TEXTUAL_COLOR_SYSTEM"] = COLOURS[self.colours]
            environment.pop("NO_COLOR", None)


def choose(
    *,
    fps: int | None = None,
    ascii_only: bool = False,
    mouse: bool = True,
    color: str | None = None,
    utf8: bool = True,
    environment: Mapping[str, str] = os.environ,
) -> Profile:
    """The profile for this connection, where the options do not say otherwise.

    ``utf8`` is whether the terminal's locale knows all characters.
    """
    remote = over_ssh(environment)
    chosen, said = Profile(remote=remote, animated=not remote), []
    if fps is None and remote:
        chosen = replace(chosen, frames=FRAMES_OVER_SSH)
        said.append(f"{FRAMES_OVER_SSH} frames/s")
    if color is None and remote and _many_colours(environment):
        chosen = replace(chosen, colours="256")
        said.append("256 colours")
    notes = [f"ssh: {', '.join(said)}"] if said else []
    if not utf8 and not ascii_only:
        notes.append("no UTF-8 here: ASCII")
    return replace(
        chosen,
        frames=chosen.frames if fps is None else fps,
        ascii=ascii_only or not utf8,
        mouse=mouse,
        colours=chosen.colours if color is None else color,
        note="; ".join(notes),
    )


def over_ssh(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is at the other end of an SSH connection."""
    return any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))


def _many_colours(environment: Mapping[str, str]) -> bool:
    """Whether 256 colours would be fewer than what Textual takes by itself."""
    said = environment.get("COLORTERM", "").strip().lower()
    plain = "NO_COLOR" in environment or "TEXTUAL_COLOR_SYSTEM" in environment
    return said in ("truecolor", "24bit") and not plain


def speaks_utf8(encoding: str | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether characters beyond ASCII can be drawn through a stream in ``encoding``.

    Python writes UTF-8 in the C locale too; who asks for that locale gets what it stands for.
    """
    if (encoding or "").lower().replace("-", "") != "utf8":
        return False
    asked = environment.get("LC_ALL", "") in ("C", "POSIX")
    return not asked or environment.get("PYTHONUTF8") == "1"
