"""Tables of what a network says: targets, predictions and errors, or classes confused."""

from nntui.timeline.outputs import Confusion, Samples

Lines = list[tuple[str, str]]
"""Texts with the role that each plays: ``label``, ``value``, ``chosen`` or ``wrong``."""
NUMBER = 10
"""Columns that a number takes."""
MOST_SHOWN = 40
"""Inputs and outputs that are listed."""


def draw_table(samples: Samples, width: int, height: int, sample: int) -> Lines:
    """A line a data row, as many as fit around the chosen ``sample``; the inputs come last."""
    outputs, rows = samples.targets.shape
    one = outputs == 1
    header = f"{'row':<6}" + "".join(
        f"{f'target {at}'[-NUMBER + 1 :] if not one else 'target':>{NUMBER}}{'output':>{NUMBER}}"
        for at in range(min(outputs, MOST_SHOWN))
    )
    header += f"{'error' if one else 'worst':>{NUMBER}}  inputs"
    fitting = max(height - 1, 1)
    first = max(min(sample - fitting // 2, rows - fitting), 0)
    lines = [(_cut(header, width), "label")]
    for row in range(first, min(first + fitting, rows)):
        role = "chosen" if row == sample else "wrong" if _is_wrong(samples, row) else "value"
        lines.append((_cut(_row(samples, row), width).ljust(width), role))
    return lines


def _row(samples: Samples, row: int) -> str:
    text = f"{row}{' t' if samples.testing[row] else ''}".ljust(6)
    for target, said in zip(
        samples.targets[:MOST_SHOWN, row], samples.predictions[:MOST_SHOWN, row], strict=True
    ):
        text += f"{target:>{NUMBER}.4g}{said:>{NUMBER}.4g}"
    inputs = ", ".join(f"{x:.3g}" for x in samples.x[:MOST_SHOWN, row])
    wrong = " wrong class" if _is_wrong(samples, row) else ""
    return f"{text}{samples.worst[row]:>{NUMBER}.3g}  {inputs}{wrong}"


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
        total = int(counts.sum())
        if not total:
            continue
        lines.append((_cut(f"{name}: {right:,} of {total:,} right", width), "value"))
        wide = max(len(f"{int(counts.max()):,}"), len(str(len(counts) - 1))) + 2
        head = "".join(f"{at:>{wide}}" for at in range(len(counts)))
        lines.append((_cut(f"class  taken for{head}", width), "label"))
        for at, row in enumerate(counts.tolist()):
            cells = "".join(f"{count:>{wide},}" for count in row)
            role = "value" if sum(row) == row[at] else "wrong"
            lines.append((_cut(f"{at:<16}{cells}", width), role))
    return lines[:height]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."
