"""Tables of the network's outputs: targets, predictions and errors, or a confusion matrix."""

from collections.abc import Callable
from functools import partial

import numpy as np

from nntui.core.number_text import FEW, NumberForm, form_of, numbers_text
from nntui.core.tape import Array
from nntui.timeline.views.outputs import Classes, Confusion, Samples
from nntui.tui.drawing.shortening import shortened

Lines = list[tuple[str, str]]
"""Texts with the role that each plays: ``label``, ``value``, ``chosen`` or ``wrong``."""
WIDTHS = (10, 8, 7, 6, 5)
"""Columns that a number takes: the most for which every column has room."""
CLASS = "class  taken for"
MOST_SHOWN = 40
"""Inputs and outputs that are listed."""
LEAST_OF_INPUTS = 8
"""Columns in which some of the inputs can be told."""


def draw_table(samples: Samples, width: int, height: int, sample: int) -> Lines:
    """A line a data row, as many as fit around the chosen ``sample``; the inputs come last."""
    columns, named = _columns(samples, width)
    lines = [("".join(title for title, _ in columns), "label")]
    unit = "".join(unit for _, unit in columns)
    lines += [(unit, "label")] if unit.strip() else []
    used, inputs = len(lines[0][0]), ""
    if width - used >= LEAST_OF_INPUTS:
        inputs = f"  {', '.join(samples.input_names) or 'inputs'}"
    lines[0] = (shortened(lines[0][0] + inputs, width), "label")
    for row in _rows_in(samples, height - len(lines), sample):
        role = "chosen" if row == sample else "wrong" if _is_wrong(samples, row) else "value"
        text = "".join(write(row) for write in named)
        if inputs:
            text += f"  {numbers_text(samples.x[:MOST_SHOWN, row], FEW)}"
        lines.append((shortened(text, width).ljust(width), role))
    return lines


def sample_at(samples: Samples, width: int, height: int, sample: int, y: int) -> int | None:
    """The sample in line ``y`` of the table that `draw_table` draws; None above the first."""
    columns, _ = _columns(samples, width)
    heading = 2 if "".join(unit for _, unit in columns).strip() else 1
    rows = _rows_in(samples, height - heading, sample)
    return rows[y - heading] if 0 <= y - heading < len(rows) else None


def _rows_in(samples: Samples, fitting: int, sample: int) -> range:
    """The rows of which there is room for ``fitting``, the chosen ``sample`` in the middle."""
    rows, fitting = samples.targets.shape[1], max(fitting, 1)
    first = max(min(sample - fitting // 2, rows - fitting), 0)
    return range(first, min(first + fitting, rows))


Written = Callable[[int], str]
"""From the number of a row to its cell."""


def _columns(samples: Samples, width: int) -> tuple[list[tuple[str, str]], list[Written]]:
    """For each column its title and its unit, and what writes its cells; all as wide as they."""
    rows = samples.targets.shape[1]
    first = max(len(str(rows - 1)), 3) + 2 * bool(samples.testing.any())
    titles = [("row".ljust(first), " " * first)]
    cells: list[Written] = [lambda row: f"{row}{' t' if samples.testing[row] else ''}".ljust(first)]
    if samples.labels is not None and len(samples.targets) > 1:
        return _class_columns(samples, width, titles, cells)
    of = [samples.targets, samples.predictions]
    of += [] if samples.other is None else [samples.other]
    heads = ("target", "output") if samples.other is None else ("target", "A", "B")
    left, outputs = width - first, min(len(samples.targets), MOST_SHOWN)
    fits = ((n, w) for n in range(outputs, 0, -1) for w in WIDTHS if (len(of) * n + 1) * w <= left)
    shown, wide = next(fits, (1, WIDTHS[-1]))
    numbers = [
        (f"{head}{f' {at}' if outputs > 1 else ''}", values[at])
        for at in range(shown)
        for head, values in zip(heads, of, strict=True)
    ]
    error = "error" if outputs == 1 else "worst"
    for title, values in (*numbers, (error, samples.worst)):
        form = form_of(values, wide - 1)
        titles.append((f"{title[: wide - 1]:>{wide}}", f"{form.unit:>{wide}}"))
        cells.append(partial(_number, form, values, wide))
    return titles, cells


def _number(form: NumberForm, values: Array, wide: int, row: int) -> str:
    return form.text(float(values[row])).rjust(wide)


def _class_columns(
    samples: Samples, width: int, titles: list[tuple[str, str]], cells: list[Written]
) -> tuple[list[tuple[str, str]], list[Written]]:
    """The class of each row, the one it is taken for, and the output p of its own class."""
    labels, predicted, names = samples.labels, samples.predicted, samples.names_of_classes
    assert labels is not None
    assert predicted is not None
    of = [("target", labels), ("output", predicted)]
    if samples.other is not None:
        of = [("target", labels), ("A", predicted), ("B", samples.other.argmax(axis=0))]
    longest = max(len(name) for name in (*names, *(title for title, _ in of)))
    share = WIDTHS[2]
    wide = max(min(longest + 2, (width - len(titles[0][0]) - share) // len(of)), 4)
    for title, numbers in of:
        titles.append((f"  {shortened(title, wide - 2):<{wide - 2}}", " " * wide))
        cells.append(partial(_class, names, numbers, wide))
    own = samples.predictions[labels, np.arange(len(labels))]
    form = form_of(own, share - 1)
    titles.append((f"{'p':>{share}}", f"{form.unit:>{share}}"))
    cells.append(partial(_number, form, own, share))
    return titles, cells


def _class(names: tuple[str, ...], numbers: Classes, wide: int, row: int) -> str:
    return f"  {shortened(names[numbers[row]], wide - 2):<{wide - 2}}"


def _is_wrong(samples: Samples, row: int) -> bool:
    if samples.labels is None or samples.predicted is None:
        return False
    return bool(samples.labels[row] != samples.predicted[row])


def draw_confusion(confusion: Confusion, width: int, height: int) -> Lines:
    """Rows are classes, columns what they are taken for; test rows have a table of their own."""
    lines: Lines = []
    for name, counts, right in (
        ("training rows", confusion.training, confusion.right[0]),
        ("test rows", confusion.testing, confusion.right[1]),
    ):
        testing = name == "test rows"
        total = int((confusion.samples.testing == testing).sum())
        if not total:
            continue
        told = f"{right:+,} right in A" if confusion.minus else f"{right:,} of {total:,} right"
        lines.append((shortened(f"{name}: {told}", width), "value"))
        wide = max(
            len(f"{int(np.abs(counts).max()):,}") + confusion.minus, len(str(len(counts) - 1))
        )
        wide += 2
        names = confusion.samples.names_of_classes
        numbered = bool(confusion.samples.class_names)
        head = "".join(f"{at:>{wide}}" for at in range(len(counts)))
        left = max(min(max(map(len, names)) + 5 * numbered, width - len(head)), len(CLASS) + 1)
        lines.append((shortened(f"{CLASS:<{left}}{head}", width), "label"))
        for at, row in enumerate(counts.tolist()):
            sign = "+" if confusion.minus else ""
            cells = "".join(f"{count:>{sign if count else ''}{wide},}" for count in row)
            role = "value" if not any(row[:at] + row[at + 1 :]) else "wrong"
            name = f"{at} {names[at]}" if numbered else str(at)
            lines.append((shortened(f"{shortened(name, left - 1):<{left}}{cells}", width), role))
    return lines[:height]
