"""Runs one program with probes and measures by finite differences what its updates do.

A script of its own, run in a process of its own: it imports the standard library and NumPy, and
nothing of the checker that is scored with what it finds.  It reads one JSON object from standard
input, executes the program, and writes one JSON object to the file descriptor it was given.

From the same state the program goes on in forks: once as it is, and twice for each random
direction of each parameter, a little forwards and a little backwards.  The difference of the two
losses is the slope of the loss along that direction, whatever the program believes it to be.
"""

import ast
import hashlib
import io
import json
import os
import random
import signal
import sys
import types
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from .numbers_of import along, directions, flattened, generator, in_sight, refill
from .probes import Probes

STEP, STEP_SINGLE = 1e-6, 4e-3
"""How far a parameter is moved along a direction, in double and in single precision."""
SHAKES = {1: (1.0, 0.4), 2: (0.5, 1.5), 3: (-0.7, 0.7)}
"""Other states of the parameters: what is kept of them, and the noise that is added."""
SECONDS = 20
"""A fork that takes longer is given up."""


class Anything:
    """Stands in for a module that draws: every call and attribute gives it again."""

    def __call__(self, *arguments: Any, **keywords: Any) -> "Anything":
        return self

    def __getattr__(self, name: str) -> "Anything":
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class OnwardError(Exception):
    """Raised in a fork, to leave the measurement and go on with the program."""


class Judge:
    """What the probes in the program call."""

    def __init__(self, request: dict[str, Any], reply: int) -> None:
        self.request, self.reply = request, reply
        self.iteration = -1
        self.plan: dict[str, Any] | None = None
        self.losses: list[list[float]] = []
        self.gradients: dict[str, Any] = {}
        self.before: dict[str, np.ndarray] = {}
        self.entries: bool = request["entries"]
        self.first: dict[str, bytes] = {}
        self.moved: set[str] = set()
        self.digests: list[str] = []
        self.shapes: list[list[list[int]]] = []
        self.finite = True
        self.states: list[dict[str, Any]] = []
        self.seen_lines: dict[str, dict[str, Any]] = {}
        self.parameters: list[str] = list(request["parameters"])

    # -- probes -----------------------------------------------------------------------------

    def begin(self, values: dict[str, Any]) -> None:
        """At the start of an iteration: what the parameters are now."""
        if self.plan is not None:
            self._answer(values)
        self.iteration += 1
        flat = {name: flattened(value) for name, value in values.items()}
        self.finite = self.finite and all(np.isfinite(v).all() for v in flat.values())
        for name, value in flat.items():
            if self.first.setdefault(name, value.tobytes()) != value.tobytes():
                self.moved.add(name)
        self.digests.append(
            hashlib.sha1(b"".join(flat[n].tobytes() for n in self.parameters)).hexdigest()
        )
        self.shapes.append([list(np.shape(values[n])) for n in self.parameters])
        try:
            for at, shake in self.request["states"]:
                if at == self.iteration:
                    self.states.append(self._measure(at, shake, flat))
        except OnwardError:
            return
        if self.request["observe"] and self.iteration == self.request["observe_at"]:
            self._watch()
        elif sys.gettrace() is not None:
            sys.settrace(None)
        if self.iteration >= self.request["iterations"]:
            self.finish("stopped")
        self.losses, self.gradients = [], {}

    def put(self, name: str, value: Any) -> Any:
        """The value of a parameter at the start of an iteration: in a fork it is moved."""
        if self.plan is None:
            return value
        moved = self._moved(name, flattened(value))
        if isinstance(value, np.ndarray):
            value[...] = moved.reshape(value.shape)
        elif isinstance(value, list):
            refill(value, iter(moved.tolist()))
        else:
            value = type(value)(moved[0]) if isinstance(value, np.generic) else float(moved[0])
        self.before[name] = flattened(value).copy()
        return value

    def loss(self, *values: Any) -> None:
        """The loss of the program, or one term of it, and other losses it might minimise."""
        self.losses.append([float(np.sum(value)) for value in values])

    def handed(self, values: dict[str, Any]) -> None:
        """The gradients as the program hands them to its optimiser."""
        self.gradients = {name: flattened(value).copy() for name, value in values.items()}

    def percent(self, text: str, values: Any) -> str:
        """``text % values`` where an array of one number passes for a number, as it used to."""

        def plain(value: Any) -> Any:
            return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value

        return text % (tuple(map(plain, values)) if isinstance(values, tuple) else plain(values))

    def finish(self, how: str) -> None:
        """End the process with all that was measured."""
        answer = {
            "how": how,
            "iterations": self.iteration,
            "digests": self.digests,
            "shapes": self.shapes,
            "finite": self.finite,
            "moved": sorted(self.moved),
            "states": self.states,
            "lines": self.seen_lines,
        }
        send(self.reply, answer)
        os._exit(0)

    # -- forks ------------------------------------------------------------------------------

    def _measure(self, at: int, shake: int, values: dict[str, np.ndarray]) -> dict[str, Any]:
        base = self._fork({"shake": shake, "name": None})
        state: dict[str, Any] = {"iteration": at, "shake": shake, "base": base, "slopes": {}}
        if base is None or "loss" not in base or not np.isfinite(base["loss"][0]):
            return state
        for name in self.parameters:
            single = values[name].dtype == np.float32
            eps = STEP_SINGLE if single else self.request["step"] or STEP
            slopes = []
            for number in range(len(directions(name, values[name].size, self.entries))):
                pair = [
                    self._fork({"shake": shake, "name": name, "number": number, "by": sign * eps})
                    for sign in (1, -1)
                ]
                if None in pair or any("loss" not in each for each in pair if each):
                    break
                up, down = (each["loss"] for each in pair if each)
                slopes.append([(a - b) / (2 * eps) for a, b in zip(up, down, strict=True)])
            state["slopes"][name] = slopes
        return state

    def _fork(self, plan: dict[str, Any]) -> dict[str, Any] | None:
        reading, writing = os.pipe()
        python_random = random.getstate()  # a fork seeds it anew
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(reading)
            random.setstate(python_random)
            self.plan = plan
            self.reply = writing
            self.losses, self.gradients = [], {}
            signal.alarm(SECONDS)
            raise OnwardError
        os.close(writing)
        data = b""
        while chunk := os.read(reading, 1 << 16):
            data += chunk
        os.close(reading)
        os.waitpid(child, 0)
        return json.loads(data) if data else None

    def _moved(self, name: str, value: np.ndarray) -> np.ndarray:
        assert self.plan is not None
        moved = value.astype(float)
        if self.plan["shake"]:
            noise = generator(name, self.plan["shake"], "shake").standard_normal(moved.size)
            spread = float(np.std(moved)) if moved.size > 1 else abs(float(moved[0]))
            kept, added = SHAKES[self.plan["shake"]]
            moved = kept * moved + added * min(max(spread, 0.1), 1.0) * noise
        if self.plan["name"] == name:
            along_it = directions(name, moved.size, self.entries)[self.plan["number"]]
            moved = moved + self.plan["by"] * along_it
        return moved

    def _answer(self, values: dict[str, Any]) -> None:
        answer: dict[str, Any] = {}
        if self.losses:
            answer["loss"] = [sum(terms) for terms in zip(*self.losses, strict=True)]
        assert self.plan is not None
        if self.plan["name"] is None:
            answer["steps"], answer["handed"] = {}, {}
            for name in self.parameters:
                after = flattened(values[name]).astype(float)
                before = self.before[name].astype(float)
                if after.size == before.size:
                    answer["steps"][name] = along(name, after - before, self.entries)
                if name in self.gradients and self.gradients[name].size == before.size:
                    gradient = self.gradients[name].astype(float)
                    answer["handed"][name] = along(name, gradient, self.entries)
        send(self.reply, answer)
        os._exit(0)

    # -- which lines run, and which names of the same shape are in sight ----------------------

    def _watch(self) -> None:
        folder = self.request["folder"]

        def trace(frame: Any, event: str, argument: Any) -> Any:
            file = frame.f_code.co_filename
            if not file.startswith(folder):
                return None
            if event == "line":
                key = f"{os.path.relpath(file, folder)}:{frame.f_lineno}"
                self.seen_lines.setdefault(key, {}).update(in_sight(frame.f_locals))
            return trace

        frame: Any = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename.startswith(folder):
                frame.f_trace = trace
            frame = frame.f_back
        sys.settrace(trace)


def send(descriptor: int, answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode()
    while data:
        data = data[os.write(descriptor, data) :]


def main() -> None:
    """Run the program that standard input names, and answer on the descriptor."""
    request = json.load(sys.stdin)
    judge = Judge(request, int(sys.argv[1]))
    path = os.path.join(request["folder"], request["file"])
    with open(path) as file:
        tree = ast.parse(file.read(), path)
    code = compile(ast.fix_missing_locations(Probes(request).visit(tree)), path, "exec")
    for name in ("matplotlib", "matplotlib.pyplot"):
        sys.modules[name] = cast(types.ModuleType, Anything())
    sys.stdin = io.StringIO()
    sys.argv = [path, *request.get("arguments", [])]
    sys.path[0] = os.path.dirname(path)
    np.random.seed(0)
    random.seed(0)
    np.seterr(all="ignore")
    module = types.ModuleType("__main__")
    module.__dict__.update({"__file__": path, "_judge": judge})
    sys.modules["__main__"] = module
    os.chdir(os.path.dirname(path))
    run: Callable[[], None] = lambda: exec(code, module.__dict__)
    how = "ended"
    try:
        run()
    except SystemExit:
        pass
    except BaseException as error:
        how = f"{type(error).__name__}: {error}"
    if judge.plan is not None:  # a fork that came to no further update
        send(judge.reply, {"how": how})
        os._exit(0)
    judge.finish(how)
