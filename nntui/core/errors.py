"""ConfigError, the exception for invalid input, and helpers for its messages."""

import difflib
from collections.abc import Iterable
from itertools import islice

SHOWN = 30
"""Entries of a list that are written for a message, which is cut off anyway."""
LONGEST = 400
"""Maximum characters of a message; a value quoted in it may have any length."""


def one_line(text: str) -> str:
    """``text`` as one printable line of at most `LONGEST` characters.

    Bytes of a file's name that could not be decoded stay, for whoever prints it to write as given.
    """
    if len(text) > 4 * LONGEST:  # what is wrong often stands at the end
        text = text[: 2 * LONGEST] + text[-2 * LONGEST :]
    shown = "".join(
        each if each.isprintable() or "\udc80" <= each <= "\udcff" else repr(each)[1:-1]
        for each in text
    )
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 60]} ... {shown[-50:]}"


def quoted(value: object) -> str:
    """``value`` for a message as a preset writes it, shortened to about 60 characters."""
    try:
        text = _written(value)
    except ValueError:  # Python refuses to print whole numbers of very many digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:50]}..."


def _written(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            first = islice(value.items(), SHOWN)  # of what may be millions
            inside = ", ".join(f"{key} = {_written(each)}" for key, each in first)
            return f"{{ {inside} }}" if value else "{}"
        case list() | tuple():
            return f"[{', '.join(map(_written, value[:SHOWN]))}]"
    return repr(value)


class ConfigError(ValueError):
    """A configuration that cannot be run; the message says which entry is wrong and what is valid.

    ``key`` is the dotted path of the entry (``layers.1.units``), empty for the whole
    configuration.  ``str(error)`` is one line, ready to show.
    """

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        self.message = message
        where = key if len(key) <= 100 else f"{key[:80]}..."
        super().__init__(one_line(f"{where}: {message}" if key else message))

    def under(self, prefix: str) -> "ConfigError":
        """The same error with ``prefix`` in front of its key, for the enclosing table."""
        key = f"{prefix}.{self.key}" if self.key else prefix
        return ConfigError(key, self.message)


def one_of(value: object, choices: Iterable[str]) -> str:
    """A message for a ``value`` that is not one of ``choices``: names the closest, or all."""
    names, text = list(choices), value if isinstance(value, str) else ""
    near = difflib.get_close_matches(text, names, n=3, cutoff=0.6)
    said = f"did you mean {' or '.join(near)}?" if near else f"one of: {', '.join(names)}"
    return f"{quoted(value)} is not known; {said}"
