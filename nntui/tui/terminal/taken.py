"""Files with what is taken out of the app, beside the saved sessions; and the clipboard."""

from collections.abc import Callable
from pathlib import Path

from nntui.core.errors import ConfigError
from nntui.presets.atomic_write import write_bytes
from nntui.timeline.sessions.session_folder import folder

MOST_KEPT = 1000
"""Files of one name."""


def taken_folder() -> Path:
    """Where they are; it need not exist yet."""
    return folder().parent / "taken"


MOST_SENT = 70_000
"""Characters that are sent to a clipboard; many terminals take no more."""


def take_text(
    text: str, what: str, name: str, ending: str, *, send: Callable[[str], None], visitor: bool
) -> str:
    """``send`` the text to the clipboard, write it into the file of that name, and say where it is.

    ``what`` it is stands before that.  Nothing is kept of what a ``visitor`` takes.
    """
    sent = len(text) <= MOST_SENT
    if sent:
        send(text)
    places = ["sent to the clipboard, if the terminal takes it"] if sent else []
    if not visitor:
        try:
            places.append(f"in {taken_file(name, ending, text, again=True)}")
        except ConfigError as error:
            places.append(f"in no file: {error}")
    return f"{what}: {', and '.join(places) or 'too much for a clipboard'}"


def counted_lines(text: str) -> str:
    """How many lines ``text`` has, in words."""
    lines = len(text.splitlines())
    return f"{lines:,} line{'s' if lines > 1 else ''}"


def taken_file(name: str, ending: str, content: str, *, again: bool = False) -> Path:
    """Write ``content`` into a file of the folder, and return its path.

    It is numbered, so that none is overwritten, unless ``again``: then there is only one of the
    name.  Raises ConfigError if it cannot be written.
    """
    place = taken_folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError("", f"{place}: cannot be made ({error.strerror})") from None
    path = place / f"{name}{ending}"
    number = 1
    while not again and path.exists() and number < MOST_KEPT:
        number += 1
        path = place / f"{name}-{number}{ending}"
    write_bytes(path, content.encode())
    return path
