"""Render what a check of a program answers, in the words of the program's author.

The verdict comes first, with the line and its source; then the numbers that show it and the mend;
then what was looked at.  It is a screen of text, so a long list of parameters is cut short.
"""

import re
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from nntui.core.errors import one_line
from nntui.program.answer import (
    FAULTY,
    NO_INFORMATION,
    OWN,
    PROVEN,
    RIGHT,
    ProgramCheck,
    ProgramFinding,
    ProgramLoop,
    ProgramParameter,
)

WIDTH, HEIGHT = 80, 24
LABEL = 12
"""Columns of the labels."""
FEWEST_ROWS, MOST_ROWS = 3, 8
"""Parameters that are listed, however much else there is to say, and however little."""
LONGEST_NAME, LONGEST_SOURCE = 40, 44
FELT = 1e-6
"""Residual from which on it is told: below, what is wrong is that the factor changes."""
MOST_FINDINGS = 3
"""Findings behind the first that are told; the others are counted."""


def render_program_check(check: ProgramCheck, with_diff: bool = False) -> str:
    """``check`` as text in lines of at most 80 columns; usually at most 24 of them.

    ``with_diff``: behind it comes the diff that mends what was proven, and what it achieves.
    """
    seen, after = [*_looked_at(check)], [*_also(check), *_remarks(check)]
    if seen or check.parameters or after:
        seen.insert(0, "")
    before = [*_verdict(check), *_first_finding(check, with_diff), *seen]
    room = HEIGHT - len(before) - len(after)
    text = "\n".join([*before, *_parameters(check, room), *after])
    return f"{text}\n\n{_diff(check)}" if with_diff else text


def _diff(check: ProgramCheck) -> str:
    if check.diff is None:
        needless = check.ok is True and not check.findings
        why = "there is nothing to mend" if needless else "the mend cannot be written as source"
        return f"No diff: {why}."
    said = {
        True: "With this diff every update is the gradient of the loss.",
        False: "With this diff it is still wrong: more than these lines needs to be mended.",
        None: "The program was not checked again with this diff.",
    }
    return f"{check.diff.rstrip()}\n\n{said[check.mended_ok]}"


def _verdict(check: ProgramCheck) -> list[str]:
    """What it comes to, in a sentence."""
    program = check.program
    if check.ok is None:
        return _folded(f"Could not tell whether {program} is right: {_reason(check)}.")
    if check.ok:
        rule = f"{check.optimiser} on the gradient" if check.optimiser else "the gradient"
        silent = [each for each in check.parameters if each.verdict == NO_INFORMATION]
        compared = " that could be compared" if silent else ""
        return _folded(f"Every update{compared} is {rule} of the loss: {program} is right.")
    if not check.findings:
        names = _enumerated([each.name for each in check.parameters if each.verdict in FAULTY])
        wrong = f"the update of {names} is not the gradient of the loss" if names else "its updates"
        return _folded(f"{program} is wrong: {wrong}; which line it is could not be told.")
    first = check.findings[0]
    where = program if first.line is None else f"{first.file or program}:{first.line}"
    probably = "" if first.confidence == PROVEN else "probably "
    return _folded(f"{where} is {probably}wrong: {_clause(first.cause)}.")


def _reason(check: ProgramCheck) -> str:
    return _clause(check.reason) or "no update could be compared"


def _first_finding(check: ProgramCheck, with_diff: bool) -> Iterator[str]:
    if check.ok is None and check.option:
        yield from _field("Would help", check.option)
    if check.ok is not False or not check.findings:
        return
    first = check.findings[0]
    if first.text is not None and first.line is not None:
        yield ""
        yield _cut(f"{first.line:>5} |  {one_line(first.text.strip().expandtabs(4))}", WIDTH)
        yield ""
    yield from _field("Evidence", f"{_clause(first.evidence)}.")
    if first.fix is not None:
        how = "" if check.ok is not False or with_diff else " (--diff tries it)"
        yield from _field("To mend", f"{_clause(first.fix)}{how}.")
    yield from _field("How sure", _certainty(first))


def _certainty(finding: ProgramFinding) -> str:
    if finding.confidence == PROVEN:
        return f"proven, and so is the line. Its kind: {finding.code}."
    return f"that it is this line is likely, not proven. Its kind: {finding.code}."


def _looked_at(check: ProgramCheck) -> Iterator[str]:
    if check.arguments or check.python != sys.executable:
        words = " ".join([check.python, check.program, *check.arguments])
        yield from _field("Ran", words)
    if check.loop is not None:
        updates, at = _count(check.updates, "update"), _place(check, check.loop)
        said = f"{updates}, one in each turn of the loop in {at}"
        if check.epoch_loop is not None:
            said += f"; the loop around it is in {_place(check, check.epoch_loop)}"
        yield from _field("Looked at", f"{said}.")
    yield from _loss(check)


def _loss(check: ProgramCheck) -> Iterator[str]:
    loss = check.loss
    if loss is None:
        return
    source = f"`{_cut(one_line(loss.called.strip()), LONGEST_SOURCE)}`" if loss.called else ""
    at = _at(check, loss.file, loss.line)
    value = "" if loss.value is None else f", {loss.value:.4g} at first"
    if check.loss_asked:
        kind = "" if loss.kind == OWN else f"{loss.kind} of "
        said = f"{kind}{source or 'the number'}{at}, as you asked{value}."
    elif loss.kind == OWN:
        said = f"{source or 'the number'}{at}, the program's own{value}."
    else:
        of = f" of {source}{at}" if source else ""
        said = f"{loss.kind}{of}, assumed{value}; --loss names another."
    confirmed = (
        "Finite differences of the program itself confirm its gradient."
        if check.confirmed
        else "Its gradient is not confirmed by finite differences of the program."
    )
    yield from _field("Loss", f"{said} {confirmed}")


def _parameters(check: ProgramCheck, room: int) -> Iterator[str]:
    """A table of the parameters, the wrong ones first, in about ``room`` lines."""
    if not check.parameters:
        return
    rule = f"{check.optimiser} on the gradient" if check.optimiser else "step = -factor * gradient"
    yield from _field("Parameters", f"({rule})")
    ranked = sorted(check.parameters, key=lambda each: (each.verdict == RIGHT, not _faulty(each)))
    rows = _merged(ranked)
    # One line of the room is the head, and one counts those that are not shown.
    most = min(max(room - 1, FEWEST_ROWS), MOST_ROWS)
    fitting = len(rows) <= max(most, FEWEST_ROWS + 1)
    shown = rows if fitting else rows[: max(most - 1, FEWEST_ROWS)]
    cells = [_row(each) for each in shown]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        aligned = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _cut(f"  {'  '.join(aligned)}".rstrip(), WIDTH)
    if rest := [each for row in rows[len(shown) :] for each in row]:
        counts = Counter(each.verdict for each in rest)
        said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        yield f"  and {len(rest)} more: {next(iter(counts)) if len(counts) == 1 else said}"


def _merged(parameters: Sequence[ProgramParameter]) -> list[list[ProgramParameter]]:
    """``parameters``, with single numbers of one list and one verdict together."""
    rows: list[list[ProgramParameter]] = []
    for each in parameters:
        if rows and _goes_with(rows[-1][-1], each):
            rows[-1].append(each)
        else:
            rows.append([each])
    return rows


def _goes_with(one: ProgramParameter, other: ProgramParameter) -> bool:
    return (
        not one.shape
        and not other.shape
        and _lists_of(one) == _lists_of(other) != other.name
        and (one.verdict, _said(one)) == (other.verdict, _said(other))
    )


def _lists_of(parameter: ProgramParameter) -> str:
    """The name without its indices: ``net[...].w[...]``."""
    return re.sub(r"\[\d+\]", "[...]", parameter.name)


def _faulty(parameter: ProgramParameter) -> bool:
    return parameter.verdict in FAULTY


def _row(together: Sequence[ProgramParameter]) -> tuple[str, str, str, str]:
    first = together[0]
    shape = f"({', '.join(map(str, first.shape))}{',' * (len(first.shape) == 1)})"
    names = first.name
    if len(together) > 1:
        names = f"{_lists_of(first)} ({len(together)} of them)"
    name = _cut(one_line(names), LONGEST_NAME)
    return name, _cut(shape if first.shape else "number", 20), first.verdict, _said(first)


def _said(parameter: ProgramParameter) -> str:
    """What the row of ``parameter`` says beside its verdict."""
    said = [] if parameter.factor is None else [f"factor {parameter.factor:.4g}"]
    residual = parameter.residual
    if _faulty(parameter) and residual is not None and residual >= FELT:
        percent = 100 * min(residual, 99.0)
        said.append(f"off by {percent:.0f} %" if percent >= 10 else f"off by {percent:.2g} %")
    return ", ".join(said)


def _also(check: ProgramCheck) -> Iterator[str]:
    """The findings that the verdict does not tell."""
    rest = check.findings[1:] if check.ok is False else check.findings
    for finding in rest[:MOST_FINDINGS]:
        where = _at(check, finding.file, finding.line).removeprefix(" in ")
        likely = "" if finding.confidence == PROVEN else ", likely"
        begin = f"{where}: " if where else ""
        yield from _field("Also", f"{begin}{_clause(finding.cause)} ({finding.code}{likely}).")
    if len(rest) > MOST_FINDINGS:
        yield from _field("", f"and {len(rest) - MOST_FINDINGS} more; --json lists them.")


def _remarks(check: ProgramCheck) -> Iterator[str]:
    if check.others:
        places = _enumerated([_place(check, each) for each in check.others])
        yield from _field("Trainings", f"the first of them; --loop looks at another: {places}.")
    if check.seeded_by_us:
        seed = "0" if check.seed is None else check.seed
        yield from _field("Seed", f"{seed}, because the program sets none; --seed sets another.")
    elif check.seed is not None:
        yield from _field("Seed", f"{check.seed}, in the place of the program's own.")
    if check.refused and check.ok is not None:
        first = check.refused[0]
        what = f"the program {_clause(first.what)}{_at(check, first.file, first.line)}"
        yield from _field("Refused", f"{what}; --allow-effects lets it.")
    if check.left_out:
        yield from _field("Left out", f"{'; '.join(map(_clause, check.left_out))}.")
    for note in check.notes:
        yield from _field("Note", f"{_clause(note)}.")
    if check.ok:
        yield from _field("Next", f"nntui why {check.program}, if it does not learn.")


def _at(check: ProgramCheck, file: str | None, line: int | None) -> str:
    """A place behind a word; the file is named where it is not the program's."""
    if line is None:
        return "" if file in (None, check.program) else f" in {file}"
    return f" in line {line}" if file in (None, check.program) else f" in {file}:{line}"


def _place(check: ProgramCheck, loop: ProgramLoop) -> str:
    place = _at(check, loop.file, loop.line).removeprefix(" in ")
    return f"{place} ({loop.function})" if loop.function else place


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _enumerated(names: Sequence[str], most: int = 6) -> str:
    """``names`` as ``W1, b1 and W2``; of very many the first ones, and how many more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    *start, last = names or ("",)
    return f"{', '.join(start)} and {last}" if start else last


def _clause(text: str) -> str:
    """``text`` without a full stop, to go on from."""
    return text.strip().rstrip(".")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 4]} ..."


def _folded(text: str) -> list[str]:
    return textwrap.wrap(one_line(text), WIDTH)


def _field(label: str, text: str) -> list[str]:
    lines = textwrap.wrap(one_line(text), WIDTH - LABEL) or [""]
    return [f"{label:{LABEL}}{lines[0]}", *(f"{'':{LABEL}}{line}" for line in lines[1:])]
