"""Validating untrusted tables and vectors: an error names the field that is wrong."""

from typing import Any

import numpy.typing as npt

from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.section import check_number


class Fields:
    """The fields of ``table``, found at the dotted ``key``; every method raises ConfigError."""

    def __init__(self, table: object, key: str = "") -> None:
        if not isinstance(table, dict):
            raise ConfigError(key, f"must be a table, not {quoted(table)}")
        self._table: dict[str, Any] = table
        self._key = key

    def key(self, name: str) -> str:
        """The dotted key of the field ``name``."""
        return f"{self._key}.{name}" if self._key else name

    def wrong(self, name: str, message: str) -> ConfigError:
        """An error about the field ``name``."""
        return ConfigError(self.key(name), message)

    def value(self, name: str) -> Any:
        """The field, unchecked; it must be present."""
        if name not in self._table:
            raise self.wrong(name, "is missing")
        return self._table[name]

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        limits = {"low": low, "high": high}
        return int(check_number(self.key(name), self.value(name), True, limits))

    def optional(self, name: str, low: int, high: int) -> int | None:
        """A whole number, or None."""
        return None if self.value(name) is None else self.whole(name, low, high)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            raise self.wrong(name, f"must be true or false, not {quoted(value)}")
        return value

    def text(self, name: str, longest: int) -> str:
        """A printable text of 1 to ``longest`` characters."""
        value = self.value(name)
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            raise self.wrong(name, f"must be 1 to {longest} printable characters")
        return value

    def table(self, name: str) -> dict[str, Any]:
        """A table, whose content is not checked."""
        value = self.value(name)
        if not isinstance(value, dict):
            raise self.wrong(name, f"must be a table, not {quoted(value)}")
        return value

    def items(self, name: str, most: int) -> list[Any]:
        """A list of at most ``most`` entries, which are not checked."""
        value = self.value(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(name, f"must be a list of at most {most:,} entries")
        return value

    def tables(self, name: str, most: int) -> "list[Fields]":
        """A list of at most ``most`` tables."""
        return [
            Fields(each, self.key(f"{name}.{at}")) for at, each in enumerate(self.items(name, most))
        ]

    def wholes(self, name: str, most: int, low: int, high: int) -> list[int]:
        """A list of at most ``most`` whole numbers from ``low`` to ``high``."""
        limits = {"low": low, "high": high}
        return [
            int(check_number(self.key(f"{name}.{at}"), each, True, limits))
            for at, each in enumerate(self.items(name, most))
        ]


class Stream:
    """A vector that is read part by part, from beginning to end."""

    def __init__(self, name: str, values: npt.NDArray[Any]) -> None:
        self._name, self._values, self._at = name, values, 0

    def take(self, count: int) -> npt.NDArray[Any]:
        """The next ``count`` numbers; ConfigError if there are fewer."""
        start, self._at = self._at, self._at + count
        if count < 0 or self._at > len(self._values):
            raise ConfigError(self._name, "is too short")
        return self._values[start : self._at]

    def rest(self, width: int = 1) -> npt.NDArray[Any]:
        """All that are left, in rows of ``width``; ConfigError if the last row is incomplete."""
        left = self.take(len(self._values) - self._at)
        if len(left) % width:
            raise ConfigError(self._name, f"must come in rows of {width}")
        return left.reshape(-1, width)

    def end(self) -> None:
        """ConfigError if any number is left."""
        if self._at != len(self._values):
            raise ConfigError(self._name, "is too long")
