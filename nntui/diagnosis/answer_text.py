"""Render an Answer as plain text."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from nntui.diagnosis.evidence import EXPLAINS
from nntui.diagnosis.experiments.paired_test import HARMS, HELPS, NO_EFFECT
from nntui.diagnosis.experiments.results import Experiment, Experiments
from nntui.diagnosis.finding import PROOF, Finding
from nntui.diagnosis.why import Answer
from nntui.presets.command_line import command_of

WIDTH = 78
SHOWN = 8
"""Experiments listed at most, beside the recommended ones."""
SURE = {
    PROOF: "proven: it follows from the numbers, however training goes",
    "measured": "measured in this run",
    "experiment": "seen by experiment",
}


def render_answer(answer: Answer) -> str:
    """``answer`` in lines of at most 78 columns."""
    lines = [*_run(answer), ""]
    if answer.headline is not None:
        lines += _cause(answer, answer.headline)
    elif answer.solved:
        lines += _field("NOTHING FOUND", "this run learns what it should.")
        lines += _field("Checked", ", ".join(answer.checked) or "the run")
    else:
        unexplained = "the run does not reach its goal, and no rule explains why."
        lines += _field("NO CAUSE FOUND", unexplained)
        lines += _field("Checked", ", ".join(answer.checked) or "the run")
    if answer.experiments is not None:
        tried = answer.experiments
        lines += ["", *_fix(answer, tried), "", *_experiments(answer, tried)]
    if answer.limits:
        lines += ["", *_field("LIMITS", f"{'; '.join(answer.limits)}.")]
    if len(answer.findings) > 1:
        lines += ["", "ALSO SEEN"]
        for finding in answer.findings[1:]:
            lines += _bullet(f"{_title(finding)}: {finding.evidence}")
    return "\n".join(lines)


def _run(answer: Answer) -> Iterator[str]:
    goal = answer.preset.goal
    loss = "none" if answer.loss is None else f"{answer.loss:.4g}"
    yield f"{answer.preset.name}, seed {answer.seed}: {answer.preset.network}"
    ends = {"diverged": ", where it diverged", None: ", until its share of the time was used"}
    yield (
        f"Trained for {answer.updates:,} updates{ends.get(answer.ended, '')}. Loss {loss}, goal"
        f" {goal.loss:g}: {'solved' if answer.solved else 'not solved'}."
    )


def _cause(answer: Answer, finding: Finding) -> list[str]:
    begin = "A FAULT" if answer.solved else "THE CAUSE"
    lines = _field(begin, f"{_title(finding)} ({finding.code}).")
    if answer.solved:
        lines += _field("But", "this run learns nevertheless.")
    lines += _field("Evidence", f"{finding.evidence}.")
    lines += _field("How sure", f"{SURE[finding.rule.klass]}.")
    if finding.first_update is not None:
        at = finding.first_update
        since = "from the start (update 0)" if at == 0 else f"from update {at:,} on"
        lines += _field("Since", f"{since}.")
    lines += _field("Disproved by", f"{finding.rule.disproof}.")
    certain = (each for each in answer.findings[1:] if each.rule.klass == PROOF)
    stops = next((e for e in certain if e.weight >= EXPLAINS and not e.rule.is_code_fault), None)
    if stops is not None:
        lines += _field("And here", f"{_title(stops)} ({stops.code}): {stops.evidence}.")
    return lines


def _title(finding: Finding) -> str:
    return f"{finding.rule.title}{finding.where and f', {finding.where}'}"


def _fix(answer: Answer, experiments: Experiments) -> list[str]:
    best, own, lines = answer.best, answer.own, list[str]()
    if best is None:
        lines += _field("THE FIX", f"{_nothing_helps(experiments)}.")
        if answer.headline is not None and answer.headline.fixes:
            proposed = answer.headline.fixes[0]
            lines += _field("Proposed", f"{proposed.text}.")
            lines += _command(answer, proposed.changes) if proposed.changes else []
    else:
        lines += _field("THE FIX", f"{best.fix.text}.")
        lines += _field("Effect", f"{_effect(best, experiments)}.")
        lines += _command(answer, best.fix.changes)
    if own is not None and own is not best:
        alone = "The cause's own fix alone" if best is not None else "The cause's own fix"
        lines += _field("Note", f"{alone} ({own.fix.text}): {_effect(own, experiments)}.")
    return lines


def _nothing_helps(experiments: Experiments) -> str:
    if not experiments.tried:
        return "not known: there was no time to try anything; increase --time"
    if all(map(experiments.cut, experiments.tried)):
        longest = max(each.epochs for each in experiments.tried)
        budget = experiments.preset.goal.epochs
        rows = "" if experiments.rows is None else f" of {experiments.rows:,} rows"
        fitted = f"{longest:,} of {budget:,} epochs{rows} fitted into the time"
        return f"not known yet: {fitted}; increase --time"
    return "nothing that was tried helps beyond chance"


def _said(each: Experiment, experiments: Experiments) -> str:
    """The verdict; "undecided" where training was cut short before an effect was seen."""
    cut = experiments.cut(each) and each.verdict == NO_EFFECT
    return "undecided" if cut else each.verdict


def _effect(each: Experiment, experiments: Experiments) -> str:
    low, high = each.interval
    budget, within = experiments.preset.goal.epochs, ""
    if experiments.cut(each):
        within = f" within {each.epochs:,} of {budget:,} epochs"
    if experiments.rows is not None:
        within += f" of {experiments.rows:,} rows"
    words = {HELPS: "it helps", HARMS: "it harms", NO_EFFECT: "no effect beyond chance"}
    said = words.get(_said(each, experiments), "undecided, because training was cut short")
    return (
        f"solves {each.solved} of {each.seeds} seeds ({low:.0%} to {high:.0%}){within}, against"
        f" {each.baseline_solved} of the same {each.seeds} as it stands: {said}"
    )


def _command(answer: Answer, changes: Mapping[str, Any]) -> list[str]:
    """The shell command that trains with ``changes``, an option a line."""
    command, *options = command_of("run", answer.preset, changes, answer.seed)
    parts = [command, *(f"  {option}" for option in options)]
    lines = [f"{part} \\" for part in parts[:-1]] + parts[-1:]
    return [f"{'Try it' if not at else '':13} {line}" for at, line in enumerate(lines)]


def _experiments(answer: Answer, experiments: Experiments) -> list[str]:
    cut = any(map(experiments.cut, experiments.tried))
    columns = f"solved, of seeds; as it stands; {'epochs; ' if cut else ''}verdict"
    lines = [f"TRIED, from the same seeds ({columns})"]
    listed = list(experiments.tried[:SHOWN])
    for each in (answer.best, answer.own):
        if each is not None and each not in listed:
            listed.append(each)
    for each in listed:
        counts = f"{each.solved:>4} of {each.seeds:<4} {each.baseline_solved:>4}  "
        epochs = f"{each.epochs:>7,}  " if cut else ""
        begin = f"{counts}{epochs}{_said(each, experiments):10} "
        text = textwrap.wrap(each.fix.text, WIDTH - len(begin))
        lines.append(f"{begin}{text[0]}")
        lines += [f"{'':{len(begin)}}{line}" for line in text[1:]]
    if len(experiments.tried) > len(listed):
        lines.append(f"  and {len(experiments.tried) - len(listed)} more (all of them with --json)")
    lines += _field("Verdict", "by a paired test over the same seeds; no effect: within chance.")
    if answer.interrupted:
        lines += _field("Interrupted", "these are the results so far.")
    if experiments.reduced is not None:
        lines += _field("Reduced", f"{experiments.reduced}.")
    return lines


def _field(name: str, text: str) -> list[str]:
    wrapped = textwrap.wrap(text, WIDTH - 14) or [""]
    return [f"{name:13} {wrapped[0]}", *(f"{'':14}{line}" for line in wrapped[1:])]


def _bullet(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ")
