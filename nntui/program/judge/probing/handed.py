"""Programs that hand their loss and its gradient to `scipy.optimize`, which has the loop.

There is no update to look at, so the gradient itself is held against the loss: both are called at
generic points, as one step of gradient descent would.
"""

import ast
import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.judge.probing.generic_states import KINDS, drawn
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.record.node import Ref

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

OPTIMISERS = ("minimize", "fmin_bfgs", "fmin_cg", "fmin_ncg", "fmin_l_bfgs_b", "fmin_tnc")
BOTH_AT_ONCE = ("fmin_l_bfgs_b", "fmin_tnc")
"""Those whose function gives loss and gradient, if no other is given for the gradient."""
SEED = 4711


@dataclass(frozen=True)
class Handed:
    """What was handed to an optimiser."""

    loss: Callable[..., Any]
    gradient: Callable[..., Any] | None
    """None: ``loss`` gives both."""
    start: np.ndarray
    arguments: tuple[Any, ...]
    file: str
    line: int
    function: str

    @property
    def name(self) -> str:
        """What the program calls the parameters: the first argument of its function."""
        code = getattr(self.loss, "__code__", None)
        names = code.co_varnames[: code.co_argcount] if code is not None else ()
        return next((each for each in names if each != "self"), "x")


def uses_scipy(tree: ast.Module) -> bool:
    """Whether the program imports SciPy."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        if any(name.partition(".")[0] == "scipy" for name in names):
            return True
    return False


def watch_optimisers(files: set[str], on_handed: Callable[[Handed], None]) -> None:
    """Call ``on_handed`` whenever code of ``files`` calls an optimiser with a gradient."""
    try:
        import scipy.optimize as library
    except ImportError:
        return
    for name in OPTIMISERS:
        setattr(library, name, _watched(name, getattr(library, name), files, on_handed))


def _watched(
    name: str, original: Any, files: set[str], on_handed: Callable[[Handed], None]
) -> Callable[..., Any]:
    def call(*given: Any, **keywords: Any) -> Any:
        frame = sys._getframe(1)
        handed = _handed(name, given, keywords)
        if handed is not None and frame.f_code.co_filename in files:
            function = frame.f_code.co_name
            place = frame.f_code.co_filename, frame.f_lineno
            on_handed(Handed(*handed, *place, function))
        return original(*given, **keywords)

    call.__name__, call.__doc__ = name, original.__doc__
    return call


def _handed(
    name: str, given: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Callable[..., Any], Callable[..., Any] | None, np.ndarray, tuple[Any, ...]] | None:
    """(loss, gradient, start, arguments); None where no gradient is given."""
    order: tuple[str, ...] = ("fun", "x0", "args", "method", "jac")
    if name != "minimize":
        order = ("func" if name in BOTH_AT_ONCE else "f", "x0", "fprime", "args")
    values = {**dict(zip(order, given, strict=False)), **keywords}
    loss, start = values.get(order[0]), values.get("x0")
    gradient = values.get("jac" if name == "minimize" else "fprime")
    if gradient is None and not (name in BOTH_AT_ONCE and not values.get("approx_grad")):
        return None
    if not callable(loss) or start is None or isinstance(gradient, str):
        return None
    arguments = values.get("args", ())
    arguments = arguments if isinstance(arguments, tuple) else (arguments,)
    both = gradient is None or gradient is True
    return loss, None if both else gradient, np.array(start, float), arguments


def record_handed(execution: "Execution", handed: Handed) -> list[Recording]:
    """Loss and gradient at generic points, each as a recording of one step down the gradient."""
    draws = np.random.RandomState(SEED)
    found = []
    for kind in KINDS:
        point = handed.start.copy() if kind == KINDS[0] else drawn(handed.start, kind, draws)
        recording = record_at(execution, handed, point)
        if recording is not None:
            found.append(recording)
    return found


def record_at(execution: "Execution", handed: Handed, point: np.ndarray) -> Recording | None:
    """Loss and gradient at ``point``; None where they cannot be followed."""
    recorder = execution.recorder
    recorder.reset()
    start = recorder.node_of(point, handed.name)
    recorder.on = True
    value = handed.loss(point, *handed.arguments)
    if handed.gradient is None:
        value, gradient = value[0], value[1]
    else:
        gradient = handed.gradient(point, *handed.arguments)
    recorder.on = False
    top, slope = recorder.node_of(value), recorder.node_of(gradient)
    if start is None or top is None or slope is None:
        return None
    step = recorder.make(
        "-",
        lambda one, other: operator.sub(one, np.reshape(other, np.shape(one))),
        (Ref(start), Ref(slope)),
        {},
        point - np.reshape(gradient, point.shape),
        -1,
    )
    return Recording(
        list(recorder.nodes),
        list(recorder.assignments),
        [*recorder.outputs, (top.place, top, "print")],
        {handed.name: start},
        {handed.name: step},
    )
