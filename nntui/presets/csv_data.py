"""Data from a CSV file: named columns become the inputs and targets of a table."""

import csv
import difflib
import io
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.data_settings import MOST_NUMBERS, MOST_ROWS
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section, entry
from nntui.presets.text_files import check_file, read_text

OF_CSV = ("inputs", "targets", "input_names", "target_names")
"""The entries of the data that a CSV file provides."""
MOST_COMPARED = 1000
"""Columns that are looked through for one that was meant."""
MOST_CLASSES = 1000
"""Maximum classes of a column; with more distinct texts it probably identifies rows."""


@dataclass(frozen=True, kw_only=True)
class CsvSource(Section):
    """The entries of ``[data]`` that describe a CSV file and the columns to read."""

    csv: str | None = entry(None, doc="instead of a table: the path of a CSV file with a header")
    input_columns: tuple[str, ...] = entry(
        (), doc="csv: the columns that are the inputs, in this order"
    )
    target_columns: tuple[str, ...] = entry((), doc="csv: the columns that are the targets")
    classes_from: str | None = entry(
        None, doc="csv: instead of target columns, a column of texts; one target column a class"
    )
    delimiter: str = entry(",", doc="csv: the one character between two cells")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.csv is None:
            for each in fields(self):
                if getattr(self, each.name) != each.default:
                    raise ConfigError(each.name, "needs a csv, and none is given")
            return
        if not self.csv:
            raise ConfigError("csv", "must be the path of a file, not an empty text")
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"\0':
            raise ConfigError(
                "delimiter", f'must be one character such as ";", not {quoted(self.delimiter)}'
            )
        if not self.input_columns:
            raise ConfigError("input_columns", "is missing: name the columns that are the inputs")
        if not self.target_columns and self.classes_from is None:
            raise ConfigError(
                "target_columns",
                "is missing: name the columns that are the targets, or one as classes_from",
            )
        if self.target_columns and self.classes_from is not None:
            raise ConfigError("classes_from", "and target_columns exclude each other; give one")
        for name in ("input_columns", "target_columns"):
            if repeated := _repeated(getattr(self, name)):
                raise ConfigError(name, f"names {quoted(repeated[0])} twice")


def read_csv(source: CsvSource, folder: Path) -> dict[str, Any]:
    """Read the entries of a table that ``source`` describes: rows, and the names of columns.

    A relative path is relative to ``folder``.  Raises ConfigError, with the line and the column
    in the file, for anything but a header with rows of finite numbers below it.
    """
    try:
        text = read_text(check_file(folder / str(source.csv)))
    except ConfigError as error:
        raise error.under("csv") from None
    return _Reader(source, text).tables()


class CsvText:
    """The header of a CSV text, and its lines below; what is wrong with it is a ConfigError.

    Messages call the text ``name``.  Each line is its number, from 1, and its cells.
    """

    def __init__(self, name: str, text: str, delimiter: str) -> None:
        self.name, self._delimiter = name, delimiter
        if text.count("\n") > 2 * MOST_ROWS:
            raise self.wrong(f"has more than {2 * MOST_ROWS:,} lines")
        self.lines = self._read_lines(text)
        self.header = self._read_header()

    def cells(self) -> Iterator[tuple[int, list[str]]]:
        """The lines below the header, each with as many cells as that has."""
        for line, cells in self.lines:
            if len(cells) != len(self.header):
                has = f"has {len(cells)} cells where the header has {len(self.header)}"
                raise self.wrong(has, line)
            yield line, cells

    def _read_lines(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """The number of each line, from 1, and its cells; empty lines are skipped."""
        delimiter = self._delimiter
        # With a space as delimiter, Python rejects skipinitialspace.
        rows = csv.reader(
            io.StringIO(text), delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True
        )
        while True:
            line = rows.line_num + 1
            try:
                cells = next(rows, None)
            except csv.Error as error:
                raise self.wrong(f"cannot be read: {error}", line) from None
            if cells is None:
                return
            if len(cells) > 1 or any(cell.strip() for cell in cells):
                yield line, list(map(str.strip, cells))

    def _read_header(self) -> list[str]:
        line, names = next(self.lines, (0, []))
        if not names:
            raise self.wrong("is empty; a header line with the names of the columns is needed")
        if all(is_number(name) for name in names):
            raise self.wrong("holds numbers; the first line must name the columns", line)
        # The index column of an exported table often has no name; it can occur more than once.
        if repeated := _repeated([name for name in names if name]):
            raise self.wrong(f"names the column {quoted(repeated[0])} twice", line)
        return names

    def wrong(
        self, message: str, line: int | None = None, column: str | None = None
    ) -> ConfigError:
        """What is wrong with the text, or with that place in it."""
        place = "" if line is None else f" line {line}"
        place += "" if column is None else f", column {quoted(column)}"
        return ConfigError("csv", f"{self.name}{place}: {message}")


class _Reader:
    """Reads the rows of one CSV text and selects the wanted columns."""

    def __init__(self, source: CsvSource, text: str) -> None:
        self._source = source
        self._text = CsvText(Path(str(source.csv)).name, text, source.delimiter)
        self._wrong, self._header = self._text.wrong, self._text.header
        self._inputs = [self._place("input_columns", each) for each in source.input_columns]
        self._targets = [self._place("target_columns", each) for each in source.target_columns]

    def tables(self) -> dict[str, Any]:
        """Inputs and targets with their names; classes become columns of 0 and 1."""
        source, named = self._source, None
        inputs, targets = array("d"), array("d")  # a list per row would take five times the memory
        classes: list[str] = []
        distinct: set[str] = set()
        if source.classes_from is not None:
            named = self._place("classes_from", source.classes_from)
        for line, cells in self._text.cells():
            if len(inputs) == MOST_ROWS * len(self._inputs):
                raise self._wrong(f"has more than {MOST_ROWS:,} rows")
            inputs.extend(self._numbers(line, cells, self._inputs))
            if named is None:
                targets.extend(self._numbers(line, cells, self._targets))
            else:
                classes.append(self._filled(line, cells, named))
                distinct.add(classes[-1])
                if len(distinct) > MOST_CLASSES:
                    most = f"has more than {MOST_CLASSES:,} classes"
                    raise self._wrong(most, column=source.classes_from)
        if not inputs:
            raise self._wrong("has a header and no rows below it")
        return {
            "inputs": Rows(np.array(inputs).reshape(-1, len(self._inputs))),
            "targets": self._one_hot(classes)
            if named is not None
            else Rows(np.array(targets).reshape(-1, len(self._targets))),
            "input_names": source.input_columns,
            "target_names": source.target_columns if named is None else tuple(sorted(distinct)),
        }

    def _place(self, key: str, name: str) -> int:
        """The position of the column ``name`` in a line."""
        if name in self._header and name:
            return self._header.index(name)
        known = self._header[:MOST_COMPARED]
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
        said = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(known)}"
        raise ConfigError(key, f"{self._text.name} has no column {quoted(name)}; {said}")

    def _filled(self, line: int, cells: list[str], place: int) -> str:
        if not cells[place]:
            raise self._wrong("the cell is empty", line, self._header[place])
        return cells[place]

    def _numbers(self, line: int, cells: list[str], places: Sequence[int]) -> list[float]:
        """The numbers in the cells at ``places``; raises ConfigError at the first that is none."""
        texts = [cells[place] for place in places]
        try:
            found = list(map(float, texts))
        except ValueError:
            found = [math.nan]
        # One finite sum is cheaper than a check of each; if it overflows, each is checked.
        if math.isfinite(sum(found)) and "_" not in "".join(texts):
            return found
        return [self._number(line, cells, place) for place in places]

    def _number(self, line: int, cells: list[str], place: int) -> float:
        text = self._filled(line, cells, place)
        if not is_number(text):
            hint = " (decimals take a point)" if is_number(text.replace(",", ".", 1)) else ""
            raise self._wrong(f"{quoted(text)} is not a number{hint}", line, self._header[place])
        number = float(text)
        if not math.isfinite(number):
            raise self._wrong(f"{quoted(text)} is not finite", line, self._header[place])
        return number

    def _one_hot(self, classes: Sequence[str]) -> Rows:
        """A one-hot row for each of ``classes``; columns in alphabetical order."""
        names, column = sorted(set(classes)), self._source.classes_from
        if len(names) == 1:
            raise self._wrong(f"has only one class, {quoted(names[0])}", column=column)
        numbers = len(classes) * len(names)
        if numbers > MOST_NUMBERS // 3:  # core needs at least three numbers per unit and row
            raise self._wrong(
                f"would create {numbers:,} targets, more than are allowed", column=column
            )
        places = {name: place for place, name in enumerate(names)}
        return Rows(np.eye(len(names))[[places[name] for name in classes]])


def is_number(text: str) -> bool:
    """Whether ``text`` is a number as written in files, which excludes Python's 1_000."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
