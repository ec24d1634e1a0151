"""Files with what is taken out of the app, beside the saved sessions."""

from pathlib import Path

from nntui.core.errors import ConfigError
from nntui.presets.atomic_write import write_bytes
from nntui.timeline.sessions.session_folder import folder

MOST_KEPT = 1000
"""Files of one name."""


def taken_folder() -> Path:
    """Where they are; it need not exist yet."""
    return folder().parent / "taken"


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
