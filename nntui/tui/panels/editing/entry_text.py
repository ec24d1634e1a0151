"""An entry of the editor as text: its line in the list, and what is told of it below."""

from collections.abc import Callable

from textual.content import Content

from nntui.core.parts.faults import FAULTS
from nntui.presets.editing.choices import is_listed, removal
from nntui.presets.editing.entries import SOURCE, Changes, PresetEntry
from nntui.presets.preset import Preset
from nntui.tui.drawing.shortening import shortened

NAMES = 18
"""Columns before the values."""
MEANINGS, WIDE = 42, 70
"""Columns before what an entry means, and of a list that has room for that."""
CURSOR = ">"
"""In front of the entry under the cursor, which is seen without colours too."""


def indented(entry: PresetEntry) -> str:
    """The name of an entry, behind room for the cursor and a blank for each enclosing table."""
    return f"{' ' * (entry.depth + 1)}{'+ ' if entry.adds else ''}{entry.name}"


def entry_line(entry: PresetEntry, width: int, *, here: bool, is_new: bool) -> Content:
    """An entry in ``width`` columns, under the cursor if ``here``, marked if it ``is_new``."""
    value = entry.text
    if entry.needs:
        value = f"{value}, no effect" if entry.given else f"only with {entry.needs}"
    star = " *" if is_new and value else ""
    column = f"{indented(entry)} ".ljust(NAMES)
    is_reason = bool(entry.needs) and not entry.given
    if len(column) + len(value) + len(star) > width and not is_reason:
        # A long value may have the room that a short name leaves.
        column = f"{indented(entry)} "
        if len(column) + len(value) + len(star) > width and entry.name.startswith("fault "):
            # The name of a fault says more than what it is.
            column = f"{' ' * (entry.depth + 1)}{entry.name.removeprefix('fault ')} "
    value = shortened(value, width - len(column) - len(star)) + star
    heads = entry.is_heading or (entry.key.startswith("layers.") and entry.depth == 1)
    name = "bold" if heads and not entry.adds else "" if entry.given else "$foreground-muted"
    if entry.adds:
        name = "$text-accent"
    if here:
        column = f"{CURSOR}{column[1:]}"
    style = "bold $text-warning" if is_new else "" if entry.given else "$foreground-muted"
    ground = " on $primary 40%" if here else ""
    if here:  # on that ground, muted text is not read
        name, style = (each.replace("$foreground-muted", "") for each in (name, style))
    used = len(column) + len(value)
    rest = ""
    about = _about(entry)
    if width >= WIDE and about:
        gap = max(MEANINGS - used, 2)
        rest = " " * gap + shortened(about, max(width - used - gap, 3))
    rest = rest.ljust(width - used)[: max(width - used, 0)]
    muted = ground if here else f"$foreground-muted{ground}"
    return Content.assemble((column, name + ground), (value, style + ground), (rest, muted))


def told_of(
    preset: Preset,
    entry: PresetEntry,
    effect: Callable[[Changes], str],
    *,
    problem: str,
    writing: bool,
) -> Content:
    """What the entry is, and what the next key would do; or else what is wrong with the value."""
    parts: list[str | tuple[str, str]] = [("" if entry.adds else f"{entry.key}  ", "bold")]
    if problem:
        said = (problem, "$text-error")
        return (
            Content.assemble(said)
            if problem.startswith(entry.key)
            else Content.assemble(*parts, "\n", said)
        )
    about = _about(entry)
    parts.append((f"{about}\n" if about or not entry.adds else "", "$foreground-muted"))
    allowed = f"{entry.allowed}\n" if not is_listed(preset, entry) else ""
    parts.append((allowed, "$foreground-muted"))
    parts.append((_hint(preset, entry, effect({entry.key: None}), writing), "$text-success"))
    return Content.assemble(*parts)


def _about(entry: PresetEntry) -> str:
    """What an entry means; of a fault, what it does."""
    named = entry.key.startswith("faults.") and entry.text in FAULTS
    return FAULTS[entry.text].what if named else entry.meaning


def _hint(preset: Preset, entry: PresetEntry, effect: str, writing: bool) -> str:
    """What the next key will do, and to what."""
    if entry.needs:
        return f"has no effect: it needs {entry.needs}"
    if writing:
        return f"Enter sets it: {effect}; Esc leaves it"
    if isinstance(entry.value, bool):
        return f"Enter sets it to {str(not entry.value).lower()}: {effect}"
    does = "lists what it may be" if is_listed(preset, entry) else "edits"
    if entry.adds:
        does = "adds one"
    elif entry.declared is None and entry.key != SOURCE:
        does = "offers one more like it"
    gone = "; D takes it away" if removal(preset, entry) is not None else ""
    return f"Enter {does}: {effect}{gone}"


def titled(entry: PresetEntry) -> str:
    """What a question about an entry is headed with."""
    return entry.key if entry.meaning else entry.name.capitalize()
