"""The preset that computes the same as a program, with a story that says which line is what."""

import tomllib
from dataclasses import replace
from pathlib import Path

from nntui.presets import read_preset
from nntui.presets.preset import Preset, Story
from nntui.program.checking import CheckRequest
from nntui.program.program_error import ProgramError
from nntui.program.recognise.recognised import Recognised
from nntui.program.recognise.showing import show


def counterpart(request: CheckRequest) -> Preset:
    """The preset of the program of ``request``, as its file is now.

    Raises ProgramError, with the part that has no counterpart, if no preset computes the same.
    """
    found = show(
        request.path,
        request.arguments,
        request.seed,
        request.python,
        request.allow_effects,
        request.time,
    )
    if found.preset_text is None:
        where = "" if found.line is None else f", line {found.line}"
        raise ProgramError(f"no preset computes the same{where}: {found.reason}")
    path = Path(request.path)
    preset = read_preset(path.stem, tomllib.loads(found.preset_text), path.absolute().parent)
    return replace(preset, story=_story(found, path.name))


def _story(found: Recognised, name: str) -> Story:
    """What corresponds to what, a line each."""
    lines = []
    for each in found.correspondence:
        where = "" if each.line is None else f"line {each.line}"
        parts = ", ".join(part for part in (each.name, where) if part)
        lines.append(f"{each.key}: {parts}")
    listed = "\n".join(lines)
    updates = f"{found.updates:,} update{'s' * (found.updates != 1)}"
    return Story(
        question=f"The same network as {name}",
        happens=f"{updates} and the losses were compared: they agree",
        shown=(
            f"This preset computes what {name} does: {updates} and the losses "
            f"agree to 1e-9. What is what:\n{listed}"
        ),
    )
