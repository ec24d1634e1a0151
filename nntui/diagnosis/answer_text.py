"""Render an Answer as plain text."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from nntui.diagnosis.experiments.paired_test import HARMS, HELPS, NO_EFFECT
from nntui.diagnosis.experiments.results import Experiment, Experiments
from nntui.diagnosis.finding import PROOF, Finding
from nntui.diagnosis.rules.code_faults import ONLY_PRINTED
from nntui.diagnosis.why import Answer
from nntui.presets.command_line import command_of

WIDTH = 78
MATTERS = {
    HELPS: "yes, it harms",
    NO_EFFECT: "not for this",
    HARMS: "it helps here, by luck",
}
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
    tried = answer.experiments
    if tried is not None:
        lines += ["", *_fix(answer, tried)]
    for slip in answer.slips:
        lines += ["", *_slip(answer, slip)]
    if others := [each for each in answer.findings[1:] if each not in answer.slips]:
        lines += ["", "ALSO SEEN"]
        for finding in others:
            lines += _bullet(f"{_title(finding)} ({finding.code}): {finding.evidence}")
    if tried is not None:
        lines += ["", *_experiments(answer, tried)]
    if answer.limits:
        lines += ["", *_field("LIMITS", f"{'; '.join(answer.limits)}.")]
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
    begin = "A FAULT" if answer.solved else "THE CAUSE" if answer.decided else "SUSPECTED"
    lines = _field(begin, f"{_title(finding)} ({finding.code}).")
    if answer.solved:
        learns = finding.rule.is_code_fault
        said = "this run learns" if learns else "the reported loss reaches its goal"
        lines += _field("But", f"{said} nevertheless.")
    elif not answer.decided:
        lines += _field("Undecided", "the experiments were cut off by the time; increase --time.")
    lines += _field("Evidence", f"{finding.evidence}.")
    lines += _field("How sure", f"{SURE[finding.rule.klass]}.")
    if finding.first_update is not None:
        at = finding.first_update
        since = "from the start (update 0)" if at == 0 else f"from update {at:,} on"
        lines += _field("Since", f"{since}.")
    lines += _field("Disproved by", f"{finding.rule.disproof}.")
    return lines


def _slip(answer: Answer, slip: Finding) -> list[str]:
    """A code fault that is not the cause, and whether that matters."""
    lines = _field("ALSO WRONG", f"{_title(slip)} ({slip.code}).")
    lines += _field("Evidence", f"{slip.evidence}.")
    if slip.fixes:
        lines += _field("To mend", f"{slip.fixes[0].text}.")
    tried, effect = answer.experiments, answer.effect(slip)
    if slip.code in ONLY_PRINTED:
        lines += _field("Matters?", "not for learning: it spoils only what is printed.")
    elif tried is not None and effect is not None:
        said = MATTERS[effect.verdict] if tried.decided(effect) else "undecided"
        counted = f"{effect.solved} of {effect.seeds} seeds are solved{_within(effect, tried)}"
        lines += _field(
            "Matters?",
            f"{said}: with it mended alone {counted}, as it stands {effect.baseline_solved}.",
        )
    else:
        lines += _field("Matters?", "not known: there was no time to try it without.")
    return lines


def _within(each: Experiment, experiments: Experiments) -> str:
    """The epochs and rows of an experiment, if they are not those of the preset; else empty."""
    budget, said = experiments.given.epochs, ""
    if each.epochs != budget:
        said = f" within {each.epochs:,} {'of' if each.epochs < budget else 'instead of'} "
        said += f"{budget:,} epochs"
    if experiments.rows is not None:
        said += f" of {experiments.rows:,} rows"
    return said


def _title(finding: Finding) -> str:
    return f"{finding.rule.title}{finding.where and f', {finding.where}'}"


def _fix(answer: Answer, experiments: Experiments) -> list[str]:
    best, own, promising, lines = answer.best, answer.own, answer.promising, list[str]()
    if best is not None:
        lines += _field("THE FIX", f"{best.fix.text}.")
        lines += _field("Effect", f"{_effect(best, experiments)}.")
        lines += _command(answer, best.fix.changes)
    elif promising is not None:
        lines += _field("PROMISING", f"{promising.fix.text}.")
        lines += _field("Effect", f"{_effect(promising, experiments)}.")
        lines += _command(answer, promising.fix.changes)
    else:
        lines += _field("THE FIX", f"{_nothing_helps(experiments)}.")
        if answer.headline is not None and answer.headline.fixes:
            proposed = answer.headline.fixes[0]
            lines += _field("Proposed", f"{proposed.text}.")
            lines += _command(answer, proposed.changes) if proposed.changes else []
    if own is not None and own not in (best, promising):
        alone = "The cause's own fix alone" if best is not None else "The cause's own fix"
        lines += _field("Note", f"{alone} ({own.fix.text}): {_effect(own, experiments)}.")
    return lines


def _nothing_helps(experiments: Experiments) -> str:
    if not experiments.tried:
        return "not known: there was no time to try anything; increase --time"
    if all(map(experiments.cut, experiments.tried)):
        longest = max(each.epochs for each in experiments.tried)
        budget = experiments.given.epochs
        rows = "" if experiments.rows is None else f" of {experiments.rows:,} rows"
        fitted = f"{longest:,} of {budget:,} epochs{rows} fitted into the time"
        return f"not known yet: {fitted}; increase --time"
    return "nothing that was tried helps beyond chance"


def _said(each: Experiment, experiments: Experiments) -> str:
    """The verdict; "undecided" where training was cut short before an effect was seen."""
    return each.verdict if experiments.decided(each) else "undecided"


def _effect(each: Experiment, experiments: Experiments) -> str:
    low, high = each.interval
    words = {HELPS: "it helps", HARMS: "it harms", NO_EFFECT: "no effect beyond chance"}
    undecided = "undecided: too few seeds, or too short, to tell it from chance"
    said = words.get(_said(each, experiments), undecided)
    return (
        f"solves {each.solved} of {each.seeds} seeds ({low:.0%} to {high:.0%})"
        f"{_within(each, experiments)}, against {each.baseline_solved} of the same {each.seeds} as"
        f" it stands: {said}"
    )


def _command(answer: Answer, changes: Mapping[str, Any]) -> list[str]:
    """The shell command that trains with ``changes``, an option a line."""
    command, *options = command_of("run", answer.preset, changes, answer.seed)
    parts = [command, *(f"  {option}" for option in options)]
    lines = [f"{part} \\" for part in parts[:-1]] + parts[-1:]
    return [f"{'Try it' if not at else '':13} {line}" for at, line in enumerate(lines)]


def _experiments(answer: Answer, experiments: Experiments) -> list[str]:
    budget = experiments.given.epochs
    cut = any(each.epochs != budget for each in experiments.tried)
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
