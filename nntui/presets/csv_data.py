"""Data from a CSV file: named columns become the inputs and targets of a table."""

import csv
import difflib
import io
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
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
LARGEST_CSV = 16 * 2**20
"""Maximum bytes of a CSV file."""
MOST_LINES, MOST_COLUMNS = MOST_ROWS + 100_000, 100_000
"""Of a CSV file; some of its lines may be empty, and a cell may go on over several."""
BATCH = 4096
"""Lines that are converted at once, which takes a third of the time."""
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
        text = read_text(check_file(folder / str(source.csv)), LARGEST_CSV)
    except ConfigError as error:
        raise error.under("csv") from None
    return _Reader(source, text).tables()


class CsvText:
    """The header of a CSV text, and its lines below; what is wrong with it is a ConfigError.

    Messages call the text ``name``.  Lines are numbered from 1; those that are empty are skipped.
    """

    def __init__(self, name: str, text: str, delimiter: str) -> None:
        self.name = name
        lines = text.count("\n")
        if lines > MOST_LINES:
            raise self.wrong(f"has {lines:,} lines; at most {MOST_LINES:,} are read")
        # With a space as delimiter, Python rejects skipinitialspace.
        self._rows = csv.reader(
            io.StringIO(text), delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True
        )
        self.header = self._read_header()

    def cells(self) -> Iterator[tuple[int, list[str]]]:
        """The number and the cells of each line below the header, as many as that has."""
        for numbers, rows in self.batches():
            for line, row in zip(numbers, rows, strict=True):
                yield line, list(map(str.strip, row))

    def batches(self) -> Iterator[tuple[list[int], list[list[str]]]]:
        """The same, thousands of lines at a time; cells may have spaces around them."""
        width = len(self.header)
        for numbers, rows in self._read(BATCH):
            if set(map(len, rows)) != {width}:
                numbers, rows = _without_empty(numbers, rows)
                for line, row in zip(numbers, rows, strict=True):
                    if len(row) != width:
                        has = f"has {len(row)} cells where the header has {width}"
                        raise self.wrong(has, line)
            elif width == 1:
                numbers, rows = _without_empty(numbers, rows)
            yield numbers, rows

    def _read(self, most: int) -> Iterator[tuple[list[int], list[list[str]]]]:
        """Up to ``most`` lines at a time, each with its number."""
        while True:
            numbers, rows, problem = [self._rows.line_num + 1], list[list[str]](), None
            try:
                for row in islice(self._rows, most):
                    rows.append(row)
                    numbers.append(self._rows.line_num + 1)
            except csv.Error as error:
                problem = self.wrong(f"cannot be read: {error}", numbers[-1])
            if rows:
                yield numbers[:-1], rows
            if problem is not None:
                raise problem
            if len(rows) < most:
                return

    def _read_header(self) -> list[str]:
        for numbers, rows in self._read(1):
            for line, row in zip(*_without_empty(numbers, rows), strict=True):
                names = list(map(str.strip, row))
                self._check_header(names, line)
                return names
        raise self.wrong("is empty; a header line with the names of the columns is needed")

    def _check_header(self, names: list[str], line: int) -> None:
        if len(names) > MOST_COLUMNS:
            raise self.wrong(f"has {len(names):,} columns; at most {MOST_COLUMNS:,} are read", line)
        if all(is_number(name) for name in names):
            raise self.wrong("holds numbers; the first line must name the columns", line)
        # The index column of an exported table often has no name; it can occur more than once.
        if repeated := _repeated([name for name in names if name]):
            raise self.wrong(f"names the column {quoted(repeated[0])} twice", line)

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
        for lines, rows in self._text.batches():
            if len(inputs) + len(rows) * len(self._inputs) > MOST_ROWS * len(self._inputs):
                raise self._wrong(f"has more than {MOST_ROWS:,} rows")
            self._extend(inputs, self._inputs, lines, rows)
            if named is None:
                self._extend(targets, self._targets, lines, rows)
            else:
                classes += (self._filled(*each, named) for each in zip(lines, rows, strict=True))
                distinct.update(classes[-len(rows) :])
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

    def _filled(self, line: int, row: Sequence[str], place: int) -> str:
        cell = row[place].strip()
        if not cell:
            raise self._wrong("the cell is empty", line, self._header[place])
        return cell

    def _extend(
        self,
        numbers: "array[float]",
        places: Sequence[int],
        lines: Sequence[int],
        rows: Sequence[list[str]],
    ) -> None:
        """Append the numbers at ``places``, row by row; ConfigError at the first that is none."""
        columns = [[row[place] for row in rows] for place in places]
        try:
            found = np.array([list(map(float, column)) for column in columns])
        except ValueError:
            found = np.array([math.nan])
        if np.isfinite(found).all() and not any("_" in "".join(column) for column in columns):
            numbers.frombytes(found.T.tobytes())
            return
        for line, row in zip(lines, rows, strict=True):
            numbers.extend(self._number(line, row, place) for place in places)

    def _number(self, line: int, row: Sequence[str], place: int) -> float:
        text = self._filled(line, row, place)
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


def _without_empty(
    numbers: Sequence[int], rows: Sequence[list[str]]
) -> tuple[list[int], list[list[str]]]:
    """The lines that are not empty, with their numbers."""
    kept = [at for at, row in enumerate(rows) if len(row) > 1 or any(map(str.strip, row))]
    return [numbers[at] for at in kept], [rows[at] for at in kept]


def is_number(text: str) -> bool:
    """Whether ``text`` is a number as written in files, which excludes Python's 1_000."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
