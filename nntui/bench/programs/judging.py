"""The independent judge: whether the updates of a program follow the gradient of its loss.

It knows nothing of the checker.  It measures the program's real code by central finite
differences (``inside``, in a process of its own) with what is known of the program: its
loop, its parameters and its loss.  Plain descent is judged by its steps.  Where an optimiser
written by hand stands between gradient and step, the gradient that it is handed is judged, and
its steps are compared with those of the program that is right.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nntui.bench.programs.known_programs import KnownProgram

RIGHT, WRONG, NEVER, SHAPE, UNCLEAR, NOTHING = (
    "right",
    "wrong",
    "never updated",
    "shape changes",
    "unclear",
    "no information",
)
STATES = [[0, 0], [0, 1], [1, 2], [2, 3]]
"""Iterations that are measured, and the random change of the parameters (0: none)."""
FIRST_STATES = [[0, 0], [0, 1], [0, 2], [0, 3], [1, 1]]
"""The same to compare a program with another, from which it departs in the first iteration."""
ALL, FIRST, LATER = "all", "first", "later"
"""Which of the measured states a verdict rests on."""
ITERATIONS = 12
SURE, SURELY_NOT = 1e-4, 1e-2
"""Relative residuals below and above which a parameter is right or wrong."""
SURE_SINGLE, SURELY_NOT_SINGLE = 3e-2, 2e-1
TIME_LIMIT = 60
INSIDE = "from inside.judged_run import main; main()"


@dataclass(frozen=True)
class Judgement:
    """What was measured of one program.

    ``parameters`` has the verdict of each, and ``factors`` the median of step over gradient,
    negative downhill.  ``losses``, ``steps`` and ``handed`` are those of the states measured in
    the first iteration, ``later`` the losses of the others.
    """

    how: str
    iterations: int
    digests: tuple[str, ...]
    finite: bool
    parameters: dict[str, str]
    factors: dict[str, float | None]
    losses: tuple[float | None, ...]
    later: tuple[float | None, ...]
    steps: tuple[dict[str, list[float]], ...]
    handed: tuple[dict[str, list[float]], ...]
    moved: frozenset[str]
    """The parameters that changed in any iteration."""
    lines: dict[str, Any]

    @property
    def ok(self) -> bool | None:
        """Whether the update is right: None where the measurement does not decide."""
        verdicts = set(self.parameters.values())
        if verdicts & {WRONG, NEVER, SHAPE} or not self.finite:
            return False
        return True if verdicts <= {RIGHT, NOTHING} and RIGHT in verdicts else None


def measure(
    program: KnownProgram,
    replaced: dict[str, str] | None = None,
    observe: bool = False,
    iterations: int = ITERATIONS,
    states: list[list[int]] | None = None,
) -> dict[str, Any]:
    """Run a program with ``replaced`` files (name: text) under probes; what was measured.

    ``states`` stand for those of the truth, or the usual ones; ``observe`` adds which lines run.
    """
    spec = program.judge
    with tempfile.TemporaryDirectory(prefix="nntui-judge-") as scratch:
        main = os.path.basename(program.name)
        for name in (main, *program.helpers):
            shutil.copy(program.path.parent / name, scratch)
        for name, text in (replaced or {}).items():
            Path(scratch, name).write_text(text)
        request = {
            "folder": scratch,
            "file": main,
            "loop": spec.get("start", program.loops[0] if program.loops else 0),
            "loss": spec["loss"],
            "also": spec.get("also", []),
            "gradients": spec.get("gradients"),
            "parameters": program.parameters,
            "states": spec.get("states", STATES) if states is None else states,
            "entries": bool(spec.get("mixed")),
            "iterations": iterations,
            "step": spec.get("step"),
            "observe": observe,
            "observe_at": 1,
        }
        return _run(request, scratch)


def _run(request: dict[str, Any], scratch: str) -> dict[str, Any]:
    reading, writing = os.pipe()
    script = f"import sys; sys.path[0] = {os.path.dirname(__file__)!r}; {INSIDE}"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with open(os.path.join(scratch, "stderr"), "wb") as errors:
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(writing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=[writing],
            env=environment,
            start_new_session=True,
        )
    os.close(writing)
    try:
        child.communicate(json.dumps(request).encode(), timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        child.wait()
        os.close(reading)
        return {"how": "too slow"}
    with open(reading, "rb") as answer:
        data = answer.read()
    if not data:
        return {"how": Path(scratch, "stderr").read_text(errors="replace").strip()[-300:]}
    found: dict[str, Any] = json.loads(data)
    return found


def judge(
    program: KnownProgram, found: dict[str, Any], loss: int = 0, which: str = ALL
) -> Judgement:
    """The verdict on what was measured of ``program``, or of a mutant of it.

    ``loss`` counts the losses it may minimise: its own, and those of the truth's ``also``.
    ``which`` says on which states the verdict rests.
    """
    measured = found.get("states", [])
    first = [state for state in measured if state["iteration"] == 0]
    later = [state for state in measured if state["iteration"] > 0]
    states = {ALL: measured, FIRST: first, LATER: later}[which]
    by_steps = "gradients" not in program.judge
    verdicts, factors = {}, {}
    for index, name in enumerate(program.parameters):
        shapes = [shapes[index] for shapes in found.get("shapes", [])]
        verdicts[name], factors[name] = _verdict(name, states, loss, by_steps, program.judge)
        if verdicts[name] == NEVER and name in found["moved"]:
            verdicts[name] = UNCLEAR
        if any(shape != shapes[0] for shape in shapes[1:]) and not program.judge.get("grows"):
            verdicts[name] = SHAPE
    return Judgement(
        found["how"],
        found.get("iterations", 0),
        tuple(found.get("digests", ())),
        found.get("finite", True),
        verdicts,
        factors,
        tuple((state["base"] or {}).get("loss", [None])[0] for state in first),
        tuple((state["base"] or {}).get("loss", [None])[0] for state in later),
        tuple((state["base"] or {}).get("steps", {}) for state in first),
        tuple((state["base"] or {}).get("handed", {}) for state in first),
        frozenset(found.get("moved", ())),
        found.get("lines", {}),
    )


def _verdict(
    name: str, states: list[dict[str, Any]], loss: int, by_steps: bool, spec: dict[str, Any]
) -> tuple[str, float | None]:
    sure, surely_not = SURE, SURELY_NOT
    if spec.get("single"):
        sure, surely_not = SURE_SINGLE, SURELY_NOT_SINGLE
    worst, factors, ratios = 0.0, [], []
    for state in states:
        base, slopes = state["base"] or {}, state["slopes"].get(name, [])
        if "loss" not in base or not np.isfinite(base["loss"][loss]):
            continue
        moved = base.get("steps" if by_steps else "handed", {}).get(name, [])
        count = min(len(slopes), len(moved))
        if count == 0:
            continue
        g, s = np.array(slopes[:count])[:, loss], np.array(moved[:count])
        noise = 1e-8 * (1 + abs(base["loss"][loss])) * (1e4 if spec.get("single") else 1)
        if not (np.isfinite(g).all() and np.isfinite(s).all()):
            continue
        if np.abs(g).max() < noise:
            if np.abs(s).max() > 1e3 * noise:
                worst = 1.0
            continue
        if np.abs(s).max() == 0:
            factors.append(0.0)
            continue
        factor = float(s @ g / (g @ g))
        factors.append(factor)
        ratios.append(np.where(np.abs(g) > noise, s / np.where(g == 0, 1, g), np.nan))
        worst = max(worst, float(np.linalg.norm(s - factor * g) / np.linalg.norm(s)))
    if not factors:
        return (WRONG if worst == 1.0 else NOTHING), None
    if all(factor == 0 for factor in factors):
        return NEVER, 0.0
    middle = float(np.median(factors))
    spread = max(abs(f - middle) for f in factors) / abs(middle) if middle else 1.0
    uphill = -1.0 if by_steps else float(spec.get("sign", 1))
    if spec.get("mixed") and worst > surely_not and _each_scaled(np.array(ratios) * uphill):
        return UNCLEAR, middle
    if worst > surely_not or spread > surely_not or middle * uphill < 0:
        return WRONG, middle
    return (RIGHT if worst < sure and spread < 10 * sure else UNCLEAR), middle


def _each_scaled(ratios: np.ndarray) -> bool:
    """Whether each entry has a positive factor of its own, the same in all states.

    Where one array holds several parameters, people may call that right.
    """
    known = ~np.isnan(ratios)
    each = [column[seen] for column, seen in zip(ratios.T, known.T, strict=True)]
    return all(
        its.size == 0 or (its.min() > 0 and its.max() - its.min() < 1e-3 * its.max())
        for its in each
    )
