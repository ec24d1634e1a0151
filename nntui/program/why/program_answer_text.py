"""Render why a program does not learn, in its author's names and lines: about a screen of text."""

import textwrap
from collections.abc import Iterator, Sequence

from nntui.core.errors import one_line
from nntui.diagnosis.experiments.paired_test import HARMS, HELPS, NO_EFFECT
from nntui.diagnosis.experiments.results import Experiment, Experiments
from nntui.diagnosis.rules.code_faults import ONLY_PRINTED
from nntui.program.why.findings.located import Located
from nntui.program.why.program_answer import ProgramAnswer

WIDTH, HEIGHT, LABEL = 80, 24, 12
ALSO = 2
"""Further findings that are told; the others are counted."""
LITTLE = 0.5
"""A loss that is a larger share of a constant answer's has not been learned."""
FEWEST, MOST = 2, 6
"""Experiments that are listed, however little room there is, and however much."""
SURE = {
    "proof": "proven: it follows from the numbers, however training goes",
    "measured": "measured in this run",
    "experiment": "seen by experiment",
}


def render_program_answer(answer: ProgramAnswer) -> str:
    """``answer`` in lines of at most 80 columns."""
    lines = [*_run(answer), ""]
    headline, tried = answer.headline, answer.experiments
    if headline is not None:
        lines += _cause(answer, headline)
    elif answer.solved:
        lines += _field("NOTHING", f"found: it learns{_and_no_more(answer)}.")
    else:
        lines += _field("NO CAUSE", f"found: {_unexplained(answer)}.")
    if headline is not None or not answer.solved:
        lines += _fix(answer)
    lines += _also(answer)
    end = _field("Learned", f"means a loss of {answer.goal}.") if answer.goal else []
    if answer.limits:
        end += _field("Limits", f"{'; '.join(answer.limits)}.")
    if tried is not None and tried.tried:
        lines += _tried(answer, tried, HEIGHT - len(lines) - len(end) - 2)
    lines += end
    return "\n".join(lines)


def _run(answer: ProgramAnswer) -> Iterator[str]:
    seed = "" if answer.seed is None else f", seed {answer.seed}"
    if answer.updates == 0:
        yield f"{answer.program}{seed}"
        return
    loss = "" if answer.loss is None else f", loss {answer.loss:.4g} at the end"
    yield from textwrap.wrap(
        f"{answer.program}{seed}: {answer.updates:,} updates{loss}: {_verdict(answer)}.", WIDTH
    )


def _verdict(answer: ProgramAnswer) -> str:
    if answer.solved:
        return "it learns"
    if answer.missed is None or answer.missed > LITTLE:
        return "it does not learn"
    share = f"{1.0 - answer.missed:.0%} of what it could at most"
    return f"it learns {share}{'' if answer.decided else ', and might learn more'}"


def _and_no_more(answer: ProgramAnswer) -> str:
    tried = answer.experiments
    return " what it should" if tried is None else ", and nothing that was tried reaches much less"


def _unexplained(answer: ProgramAnswer) -> str:
    if answer.check.loop is None or answer.updates == 0:
        return answer.untold or "the training could not be followed"
    return "the loss stays too high, and nothing that was measured or tried explains it"


def _cause(answer: ProgramAnswer, finding: Located) -> list[str]:
    begin = "A FAULT" if answer.solved else "THE CAUSE" if answer.decided else "SUSPECTED"
    lines = _field(begin, f"{_where(answer, finding)}{finding.title} ({finding.code}).")
    if finding.text:
        lines += [_cut(f"{finding.line:>9} | {one_line(finding.text.strip())}")]
    if answer.solved:
        lines += _field("But", "the program learns nevertheless.")
    lines += _field("Evidence", f"{finding.evidence}.")
    lines += _field("How sure", f"{SURE[finding.rule.klass]}.")
    return lines


def _where(answer: ProgramAnswer, finding: Located) -> str:
    if finding.line is None:
        return ""
    other = finding.file not in (None, answer.program)
    return f"{finding.file}:{finding.line}: " if other else f"line {finding.line}: "


def _fix(answer: ProgramAnswer) -> list[str]:
    tried = answer.experiments
    known = answer.recommended
    if known is not None and tried is not None:
        begin = "THE FIX" if answer.best is not None else "PROMISING"
        lines = _field(begin, f"{known.fix.text}.")
        lines += _field("Effect", f"{_effect(known, tried)}.")
        if answer.confirmed is not None:
            done = answer.confirmed
            lines += _field(
                "Run so",
                f"the program itself learns from {done.solved} of {done.seeds} seeds, "
                f"{done.baseline_solved} as it stands{_in_turns(answer, done)}.",
            )
        own = answer.own
        if own is not None and own is not known:
            lines += _field("Alone", f"{own.fix.text}: {_effect(own, tried)}.")
        return lines
    headline = answer.headline
    proposed = headline.fixes[0].text if headline is not None and headline.fixes else None
    if proposed is None:
        return _field("THE FIX", "not known.") if headline is not None else []
    why = "nothing that was tried helps beyond chance"
    if answer.is_untried and headline is not None and not headline.fixes[0].changes:
        why = "it cannot be written as an edit of the source, and so it was not tried"
    elif tried is None:
        why = "it was not tried"
    elif not answer.decided or not tried.tried:
        why = "there was too little time to tell whether it helps; --time gives more"
    return _field("THE FIX", f"{proposed} ({why}).")


def _effect(each: Experiment, experiments: Experiments) -> str:
    words = {HELPS: "it helps", HARMS: "it harms", NO_EFFECT: "no effect beyond chance"}
    said = words[each.verdict] if experiments.decided(each) else "too little to tell from chance"
    return (
        f"learns from {each.solved} of {each.seeds} seeds{_within(each, experiments)}, "
        f"{each.baseline_solved} as it stands: {said}"
    )


def _in_turns(answer: ProgramAnswer, each: Experiment) -> str:
    short = each.base_epochs < answer.epochs
    return f" ({each.epochs:,} of {answer.epochs:,} turns)" if short else ""


def _within(each: Experiment, experiments: Experiments) -> str:
    budget = experiments.given.epochs
    return "" if each.base_epochs == budget else f" in {each.epochs:,} of {budget:,} turns"


def _also(answer: ProgramAnswer) -> Iterator[str]:
    """The other findings: code faults with their effect, then the rest."""
    rest = answer.findings[1:]
    shown = rest[:ALSO]
    for finding in shown:
        wrong = finding.rule.is_code_fault
        said = f"{_where(answer, finding)}{finding.title} ({finding.code})"
        said += f"; {_matters(answer, finding)}" if wrong else f": {finding.evidence}"
        yield from _field("ALSO WRONG" if wrong else "ALSO SEEN", f"{said}.")
    if len(rest) > len(shown):
        yield from _field("", f"and {len(rest) - len(shown)} more; --json lists them.")


def _matters(answer: ProgramAnswer, finding: Located) -> str:
    effect, tried = answer.effect(finding), answer.experiments
    if finding.code in ONLY_PRINTED:
        return "it spoils only what is printed"
    if effect is None or tried is None:
        return "whether that matters was not tried"
    return f"mended alone it {_effect(effect, tried)}"


def _tried(answer: ProgramAnswer, experiments: Experiments, room: int) -> Iterator[str]:
    where = ", on its preset" if answer.through_preset else ""
    yield f"TRIED       (seeds that learn; as it stands; verdict){where}"
    listed = list(experiments.tried[: min(max(room, FEWEST), MOST)])
    for each in (answer.recommended, answer.own):
        if each is not None and each not in listed:
            listed.append(each)
    for each in listed:
        said = each.verdict if experiments.decided(each) else "undecided"
        counts = f"{each.solved:>4} of {each.seeds:<3} {each.baseline_solved:>3}  {said:10}"
        yield _cut(f"{counts} {each.fix.text}{_within(each, experiments)}")
    more = len(experiments.tried) - len(listed)
    if more > 0:
        yield f"     and {more} more; --json lists them"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 4]} ..."


def _field(label: str, text: str) -> list[str]:
    lines: Sequence[str] = textwrap.wrap(one_line(text), WIDTH - LABEL) or [""]
    return [f"{label:{LABEL}}{lines[0]}", *(f"{'':{LABEL}}{line}" for line in lines[1:])]
