"""What the columns of a CSV file hold, for whoever chooses among them."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.data_settings import MOST_ROWS
from nntui.core.tape import Array
from nntui.presets.csv_data import LARGEST_CSV, MOST_CLASSES, CsvText, is_number
from nntui.presets.text_files import check_file, read_text

DELIMITERS = ",;\t|"
"""Between two cells: the one of these that the first line has most of."""
MOST_SHOWN = 3
"""Texts of a column that are shown."""
MOST_FILES = 12
"""Files of a folder that are offered."""


@dataclass(frozen=True)
class CsvColumn:
    """A column: the numbers in it, or its distinct texts."""

    name: str
    low: float
    high: float
    mean: float
    variance: float
    """Of its numbers, like the others; nan where a cell is no finite number."""
    texts: tuple[str, ...]
    """The distinct texts of the cells, sorted, and no more than `MOST_CLASSES` + 1 of them."""
    problem: str = ""
    """Why it can be neither an input nor a target; empty where it can."""
    counts: bool = False
    """Whether each number is one more than that of the row before: it numbers the rows."""

    @property
    def is_numeric(self) -> bool:
        """Whether every cell is a finite number."""
        return math.isfinite(self.variance)

    @property
    def is_flag(self) -> bool:
        """Whether every cell is 0 or 1, and both occur."""
        return self.is_numeric and {float(each) for each in self.texts} == {0.0, 1.0}

    @property
    def in_words(self) -> str:
        """What it holds, in a few words."""
        if self.problem:
            return f"cannot be used: {self.problem}"
        if self.is_flag:
            return "0 and 1: two classes"
        if self.is_numeric:
            return f"numbers from {self.low:.6g} to {self.high:.6g}"
        shown = ", ".join(self.texts[:MOST_SHOWN])
        more = ", ..." if len(self.texts) > MOST_SHOWN else ""
        count = f"{len(self.texts):,}" if len(self.texts) <= MOST_CLASSES else "very many"
        return f"{count} texts: {shown}{more}"


@dataclass(frozen=True)
class CsvColumns:
    """The columns of a file, and its number of rows."""

    path: Path
    delimiter: str
    columns: tuple[CsvColumn, ...]
    rows: int

    def inputs_for(self, target: str) -> list[str]:
        """The columns to predict ``target`` from: those of numbers that do not count rows."""
        numeric = [each for each in self.columns if each.is_numeric and not each.problem]
        possible = [x for x in numeric if x.name != target]
        telling = [x.name for x in possible if not x.counts and x.low < x.high]
        return telling or [x.name for x in possible]


def csv_files(folder: Path) -> list[Path]:
    """The CSV files in ``folder``, the latest first."""
    try:
        found = [each for each in folder.glob("*.csv") if each.is_file()]
        found.sort(key=lambda each: (-each.stat().st_mtime, each.name))
    except OSError:
        return []
    return found[:MOST_FILES]


def look_at_csv(path: Path) -> CsvColumns:
    """The columns of the file ``path`` that have a name.

    Raises ConfigError, in one line, for anything but a header with at least two rows below it.
    """
    try:
        return _columns(path)
    except ConfigError as error:
        raise ConfigError("", error.message) from None  # it is about the file, not about an entry


def _columns(path: Path) -> CsvColumns:
    text = read_text(check_file(path), LARGEST_CSV)
    first = text.lstrip("\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda each: (first.count(each), -DELIMITERS.index(each)))
    read = CsvText(path.name, text, delimiter)
    found = [_Cells() for _ in read.header]
    rows = 0
    for lines, batch in read.batches():
        rows += len(lines)
        if rows > MOST_ROWS:
            raise ConfigError("csv", f"{path.name}: has more than {MOST_ROWS:,} rows")
        for column, cells in zip(found, zip(*batch, strict=True), strict=False):
            column.add(list(map(str.strip, cells)), lines)
    if rows < 2:
        raise ConfigError("csv", f"{path.name}: has fewer than two rows below its header")
    named = zip(read.header, found, strict=True)
    columns = tuple(each.column(name, rows) for name, each in named if name)
    return CsvColumns(path, delimiter, columns, rows)


class _Cells:
    """What was seen of the cells of one column."""

    def __init__(self) -> None:
        self._low, self._high = math.inf, -math.inf
        self._mean = self._squares = 0.0
        self._before = math.nan
        self._numeric = self._counts = True
        self._texts: set[str] = set()
        self._numbers = self._commas = self._cells = 0
        self._odd: tuple[str, int] | None = None
        self._empty: int | None = None

    def add(self, cells: Sequence[str], lines: Sequence[int]) -> None:
        """See ``cells``, each in its line."""
        distinct = Counter(cells)
        if self._empty is None and "" in distinct:
            self._empty = lines[cells.index("")]
        for cell, count in distinct.items():
            if len(self._texts) <= MOST_CLASSES:
                self._texts.add(cell)
            if is_number(cell):
                self._numbers += count
            else:
                self._numeric = False
                self._commas += count * is_number(cell.replace(",", ".", 1))
                self._odd = self._odd or (cell, lines[cells.index(cell)])
        if self._numeric:
            self._add_numbers(np.array(list(map(float, cells))))
        self._cells += len(cells)

    def _add_numbers(self, values: Array) -> None:
        self._numeric = bool(np.isfinite(values).all())
        if not self._numeric or not len(values):
            return
        follow = values[1:] == values[:-1] + 1.0
        if self._cells:
            self._counts &= bool(values[0] == self._before + 1.0)
        self._counts &= bool(follow.all())
        self._before = float(values[-1])
        self._low = min(self._low, float(values.min()))
        self._high = max(self._high, float(values.max()))
        # Chan's merging of means and sums of squares; numbers near the largest float overflow.
        with np.errstate(all="ignore"):
            shifted = values - values[0]
            mean, whole = shifted.mean(), self._cells + len(values)
            squares = float(np.square(shifted - mean).sum())
            apart = float(values[0] + mean) - self._mean
            self._mean += apart * (len(values) / whole)
            self._squares += squares + apart * (apart * (self._cells * len(values) / whole))

    def _problem(self) -> str:
        """Why nothing can be made of the column, if so."""
        if self._empty is not None:
            return f"the cell in line {self._empty} is empty"
        if self._commas and self._commas + self._numbers == self._cells:
            return "its decimals have a comma; a point is needed"
        if self._odd is not None:
            cell, line = self._odd
            mostly = 2 * self._numbers > self._cells
            return f"{quoted(cell)} in line {line} is not a number" if mostly else ""
        huge = not self._numeric or not math.isfinite(self._squares)
        return "it holds numbers that are too large" if huge else ""

    def column(self, name: str, rows: int) -> CsvColumn:
        """What it holds, in ``rows`` rows."""
        variance = self._squares / rows if self._numeric else math.nan
        texts = tuple(sorted(self._texts))
        counts = self._numeric and self._counts
        found = (name, self._low, self._high, self._mean, variance, texts)
        return CsvColumn(*found, self._problem(), counts)
