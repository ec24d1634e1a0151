"""What the app remembers from one time to the next: the theme, and which panels are shown."""

import json
from typing import Any

from nntui.core.errors import ConfigError
from nntui.presets.atomic_write import write_bytes
from nntui.timeline.sessions.session_folder import folder

FILE = "preferences.json"


def remembered(name: str) -> Any:
    """What was remembered under ``name``; None if nothing was, or if it cannot be read."""
    return _all().get(name)


def remember(name: str, value: str | bool | None) -> None:
    """Remember ``value``; where that cannot be done, it is forgotten."""
    known = _all()
    if known.get(name) == value:
        return
    path = folder().parent / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps({**known, name: value}, indent=1).encode())
    except (ConfigError, OSError):
        return


def _all() -> dict[str, Any]:
    try:
        found = json.loads((folder().parent / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
