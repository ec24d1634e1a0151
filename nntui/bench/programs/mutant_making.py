"""Makes the list of mutants anew, and writes it beside the programs.

``python -m nntui.bench.programs.mutant_making [WORD...]`` does so for the programs whose names
contain a word, or for all.  The order is that of hashes, so that the same programs give the same
list.  A mutant is kept if it runs, if its training differs from that of the original, and if the
independent judge is sure of it.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from nntui.bench.programs.judging import (
    FIRST,
    FIRST_STATES,
    LATER,
    NEVER,
    NOTHING,
    SHAPE,
    UNCLEAR,
    WRONG,
    Judgement,
    judge,
    measure,
)
from nntui.bench.programs.known_programs import KnownProgram, programs
from nntui.bench.programs.mutants import Mutant, mutants, stored
from nntui.bench.programs.mutating import Mutation, candidates

WRONG_EACH, RIGHT_EACH, TRIES_EACH = 12, 3, 60
"""How many mutants of each kind are kept of a program, and how many candidates are tried."""
FORWARD_EACH = 3
"""How many of the wrong ones may change the forward pass."""
LONG = 2000
"""For how many updates a right mutant must stay finite."""


def originals() -> Iterator[KnownProgram]:
    """The right programs that mutants are made of: one of each family, with what it needs here."""
    for program in programs():
        if program.ok and not program.needs and "updates" in program.judge:
            yield program


def make(program: KnownProgram) -> Iterator[Mutant]:
    """The valid mutants of a program."""
    found = measure(program, observe=True, states=_states(program))
    original = judge(program, found, which=FIRST)
    if original.ok is not True:
        raise ValueError(f"{program.title} is not right by the judge: {original.parameters}")
    left = {True: RIGHT_EACH, False: WRONG_EACH}
    forward = FORWARD_EACH
    for file, mutation in list(_in_order(program, original))[:TRIES_EACH]:
        if not any(left.values()):
            return
        source = (program.path.parent / file).read_text()
        changed = {file: mutation.apply(source)}
        measured = measure(program, changed, states=_states(program))
        mutant = _classified(program, original, file, mutation, measured)
        if mutant is None or not left[mutant.ok]:
            continue
        if mutant.ok and not _stays_finite(program, changed):
            continue
        if not mutant.ok and _is_forward(program, mutation, file):
            if not forward:
                continue
            forward -= 1
        left[mutant.ok] -= 1
        yield mutant


def _in_order(program: KnownProgram, original: Judgement) -> Iterator[tuple[str, Mutation]]:
    """All candidates: of each operator in turn, in the order of hashes."""
    by_file: dict[str, dict[int, dict[str, list[int]]]] = {}
    for key, shapes in original.lines.items():
        file, _, number = key.rpartition(":")
        by_file.setdefault(file, {})[int(number)] = shapes
    by_operator: dict[str, list[tuple[str, Mutation]]] = {}
    for file, shapes in sorted(by_file.items()):
        for mutation in candidates((program.path.parent / file).read_text(), shapes):
            by_operator.setdefault(mutation.operator, []).append((file, mutation))
    for entries in by_operator.values():
        entries.sort(key=lambda each: _hash(program, each[1]))
    order = sorted(
        by_operator, key=lambda name: hashlib.sha256(f"{program.title} {name}".encode()).digest()
    )
    rows = zip_longest(*(by_operator[name] for name in order))
    yield from (each for each in chain.from_iterable(rows) if each is not None)


def _hash(program: KnownProgram, mutation: Mutation) -> bytes:
    return hashlib.sha256(f"{program.title} {mutation.lines}".encode()).digest()


def _classified(
    program: KnownProgram,
    original: Judgement,
    file: str,
    mutation: Mutation,
    found: dict[str, Any],
) -> Mutant | None:
    """What is true of a mutant; None where it is no use or the judge is not sure."""
    judged = judge(program, found, which=FIRST)
    runs = judged.how == "stopped"
    if not runs or judged.digests == original.digests or UNCLEAR in judged.parameters.values():
        return None
    wrong: tuple[str, ...] | None = tuple(
        name for name, verdict in judged.parameters.items() if verdict in (WRONG, NEVER, SHAPE)
    )
    if wrong:
        for number in range(1, 1 + len(program.judge.get("also", ()))):
            if judge(program, found, number, FIRST).ok:
                # Right for another usual loss.  That is right if the program computes no loss of
                # its own; otherwise people would not agree.
                wrong = () if program.judge.get("computed") is False else None
    elif _informative(judged) != _informative(original) or not judged.finite:
        wrong = None
    elif judged.losses == original.losses:
        wrong = _by_steps(program, original, judged)
        if wrong is None:
            wrong = _later(program, found, judged)
    elif mutation.operator in ("sign", "difference-turned"):
        wrong = None  # the targets' sign: it descends, and nobody would call it right
    if wrong is None or (wrong and mutation.operator == "scaled" and not _far(judged, wrong)):
        return None
    accepted = _accepted(program, original, judged, file, mutation, wrong) if wrong else ()
    if accepted is None:
        return None
    never = any(name not in judged.moved for name in wrong) or program.judge.get("mixed")
    return Mutant(
        program.title,
        file,
        mutation.operator,
        mutation.lines,
        not wrong,
        accepted,
        ("never-updated",) if never and mutation.operator == "update-left-out" else (),
        wrong,
    )


def _states(program: KnownProgram) -> list[list[int]]:
    states: list[list[int]] = program.judge.get("states", FIRST_STATES)
    return states


def _informative(judged: Judgement) -> set[str]:
    return {name for name, verdict in judged.parameters.items() if verdict != NOTHING}


def _far(judged: Judgement, wrong: tuple[str, ...]) -> bool:
    """Whether what is wrong has another sign: a factor within a sum is a matter of taste."""
    return any((judged.factors[name] or 0.0) > 0 for name in wrong)


def _by_steps(
    program: KnownProgram, original: Judgement, judged: Judgement
) -> tuple[str, ...] | None:
    """Where the loss is that of the original: which steps no longer go where they went.

    None where steps and gradients are the same at first, or differ in a way that people may want.
    """
    steps = {n: _compared(n, original.steps, judged.steps) for n in original.parameters}
    wrong = tuple(
        name
        for name, (low, high) in steps.items()
        if high <= 0 and low > -np.inf and judged.parameters[name] != NOTHING
    )
    if wrong:
        still = {name for name in wrong if steps[name][1] == 0}
        return None if still & judged.moved else wrong
    seen = original.handed, judged.handed
    if "gradients" not in program.judge:
        seen = original.steps, judged.steps
    ratios = [_compared(name, *seen) for name in original.parameters]
    if all(low == high == 1.0 for low, high in ratios):
        return None
    return () if all(low > 0 and high - low < 1e-10 * high for low, high in ratios) else None


def _compared(
    name: str, before: tuple[dict[str, list[float]], ...], after: tuple[dict[str, list[float]], ...]
) -> tuple[float, float]:
    """The lowest and highest ratio of what was measured of a parameter; (1, 1) where equal."""
    ratios = [
        new / old if old else 1.0 if new == old else np.inf
        for one, other in zip(before, after, strict=True)
        for old, new in zip(one.get(name, []), other.get(name, []), strict=False)
    ]
    return (min(ratios), max(ratios)) if ratios else (1.0, 1.0)


def _later(
    program: KnownProgram, found: dict[str, Any], judged: Judgement
) -> tuple[str, ...] | None:
    """What is wrong from the second iteration on, such as a sum that is never set back."""
    later = judge(program, found, which=LATER)
    losses = [loss for loss in (*judged.losses[:1], *judged.later) if loss is not None]
    calm = len(losses) > 1 and max(losses[1:]) < 3 * abs(losses[0]) + 1
    wrong = tuple(n for n, v in later.parameters.items() if v == WRONG)
    return wrong if wrong and calm and "states" not in program.judge else None


def _accepted(
    program: KnownProgram,
    original: Judgement,
    judged: Judgement,
    file: str,
    mutation: Mutation,
    wrong: tuple[str, ...],
) -> tuple[str, ...] | None:
    """The lines that a careful person would accept; None where they are not known."""
    lines = {f"{file}:{number}" for number, _ in mutation.lines}
    updates = {
        name: line if isinstance(line, str) else f"{Path(program.name).name}:{line}"
        for name, line in program.judge["updates"].items()
    }
    if judged.losses != original.losses:
        undone = program.judge.get("forward", {})
        keys = [f"{file}:{number}" for number, _ in mutation.lines]
        if not all(key in undone for key in keys):
            return None
        lines |= {
            line if isinstance(line, str) else f"{file}:{line}"
            for key in keys
            for line in undone[key]
        }
    lines |= {updates[name] for name in wrong if judged.parameters[name] == SHAPE}
    if len(set(updates.values())) == 1 and set(wrong) == _informative(original):
        turned = all(
            (factor := judged.factors[name]) is not None
            and (before := original.factors[name]) is not None
            and abs(factor + before) < 1e-3 * abs(before)
            for name in wrong
        )
        if turned:  # everything climbs: to turn the one update is as good
            lines |= set(updates.values())
    return tuple(
        sorted(lines, key=lambda each: (each.rpartition(":")[0], int(each.rpartition(":")[2])))
    )


def _is_forward(program: KnownProgram, mutation: Mutation, file: str) -> bool:
    return any(f"{file}:{n}" in program.judge.get("forward", {}) for n, _ in mutation.lines)


def _stays_finite(program: KnownProgram, changed: dict[str, str]) -> bool:
    still = replace(program, judge={**program.judge, "states": []})
    found = measure(still, changed, iterations=LONG)
    return found["how"] in ("stopped", "ended") and bool(found["finite"])


def main() -> None:
    """Make the list for the programs whose names contain a word given, or for all."""
    words = sys.argv[1:]
    chosen = [p for p in originals() if not words or any(word in p.title for word in words)]
    kept = [] if not words else [m for m in mutants() if m.program not in {p.title for p in chosen}]
    made = list(kept)
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # the work is done by processes
        for program, its in zip(chosen, threads.map(lambda p: list(make(p)), chosen), strict=True):
            made += its
            wrong = sum(not mutant.ok for mutant in its)
            print(program.title, wrong, "wrong", len(its) - wrong, "right", flush=True)
            _store(made)


def _store(made: list[Mutant]) -> None:
    order = {program.title: index for index, program in enumerate(programs())}
    lines = [
        json.dumps(asdict(each), ensure_ascii=False)
        for each in sorted(made, key=lambda each: (order[each.program], each.file, each.lines))
    ]
    stored().write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
