"""Tables of what a network says: targets, predictions and errors, or classes confused."""

import numpy as np

from nntui.timeline.views.outputs import Confusion, Samples
from nntui.tui.drawing.palette import short
from nntui.tui.drawing.shortening import shortened

Lines = list[tuple[str, str]]
"""Texts with the role that each plays: ``label``, ``value``, ``chosen`` or ``wrong``."""
WIDE, NARROW = 10, 8
"""Columns that a number takes, if there is room and if there is little."""
ROW = 6
"""Columns for the row's number."""
MOST_SHOWN = 40
"""Inputs and outputs that are listed."""


def draw_table(samples: Samples, width: int, height: int, sample: int) -> Lines:
    """A line a data row, as many as fit around the chosen ``sample``; the inputs come last."""
    outputs, rows = samples.targets.shape
    shown = min(outputs, MOST_SHOWN)
    each = 2 if samples.other is None else 3
    wide = WIDE if width >= ROW + (each * shown + 1) * WIDE else NARROW
    names = [""] if outputs == 1 else [f" {at}" for at in range(shown)]
    header = "row".ljust(ROW if wide == WIDE else 4)
    titles = ("target", "output") if samples.other is None else ("target", "A", "B")
    header += "".join(f"{f'{title}{name}'[-wide:]:>{wide}}" for name in names for title in titles)
    header += f"{'error' if outputs == 1 else 'worst':>{wide}}  inputs"
    fitting = max(height - 1, 1)
    first = max(min(sample - fitting // 2, rows - fitting), 0)
    lines = [(header[:width], "label")]
    for row in range(first, min(first + fitting, rows)):
        role = "chosen" if row == sample else "wrong" if _is_wrong(samples, row) else "value"
        lines.append((shortened(_row(samples, row, wide), width).ljust(width), role))
    return lines


def _row(samples: Samples, row: int, wide: int) -> str:
    def number(value: float) -> str:
        return f"{value:.4g}".rjust(wide) if wide == WIDE else short(value, wide - 1).rjust(wide)

    text = f"{row}{' t' if samples.testing[row] else ''}".ljust(ROW if wide == WIDE else 4)
    columns = [samples.targets, samples.predictions]
    columns += [] if samples.other is None else [samples.other]
    for numbers in zip(*(column[:MOST_SHOWN, row] for column in columns), strict=True):
        text += "".join(map(number, numbers))
    inputs = ", ".join(f"{x:.3g}" for x in samples.x[:MOST_SHOWN, row])
    wrong = "wrong class: " if _is_wrong(samples, row) else ""
    return f"{text}{number(float(samples.worst[row]))}  {wrong}{inputs}"


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
        head = "".join(f"{at:>{wide}}" for at in range(len(counts)))
        lines.append((shortened(f"class  taken for{head}", width), "label"))
        for at, row in enumerate(counts.tolist()):
            sign = "+" if confusion.minus else ""
            cells = "".join(f"{count:>{sign if count else ''}{wide},}" for count in row)
            role = "value" if not any(row[:at] + row[at + 1 :]) else "wrong"
            lines.append((shortened(f"{at:<16}{cells}", width), role))
    return lines[:height]
