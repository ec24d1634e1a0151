"""Text from a program, as a terminal would leave it, with nothing that would steer ours."""

import re

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|[ -/]*[0-~]?)")
"""Control sequences (ECMA-48): of colours and the cursor, of titles, and single ones."""
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Characters that move the cursor, or turn the direction of writing."""
TAB = 8


def as_printed(text: str) -> str:
    """``text`` without control sequences; what a carriage return went back over is gone.

    A bar of progress that is drawn over and over again is shown as it was drawn last.
    """
    lines = ESCAPES.sub("", text).split("\n")
    return "\n".join(CONTROLS.sub("", _last(line).expandtabs(TAB)) for line in lines)


def in_one_line(text: str) -> str:
    """``text`` as one line of words."""
    return " ".join(CONTROLS.sub(" ", ESCAPES.sub("", text)).split())


def _last(line: str) -> str:
    """What was written last into ``line``, which may have been begun anew several times."""
    return next((each for each in reversed(line.split("\r")) if each), "")
