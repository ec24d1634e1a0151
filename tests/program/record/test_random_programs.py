"""Programs of random statements on arrays that share memory: the record follows all of them."""

from typing import Any

import numpy as np
import pytest
from example_counts import times
from hypothesis import given
from hypothesis import strategies as st
from instrumented import run_instrumented, run_plain

from nntui.program.record.adjoints import adjoints
from nntui.program.record.recompute import replay

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = ("a", "b", "c")
# All values stay of shape (3, 3) and between -1.5 and 1.5, by `np.tanh`.
PARTS = ("{}", "{}.T", "{}[::-1]", "{}[:, ::-1]", "{}[[2, 0, 1]]", "{}.copy()", "np.asarray({})")
PARTS += (
    "{}.reshape(9)[::-1].reshape(3, 3)",
    "np.array([r for r in {}])",
    "{}.ravel().reshape(3, 3)",
)
PLACES = (
    "[...]",
    "[0]",
    "[:, 1]",
    "[1:]",
    "[..., 0]",
    "[1, 2]",
    "[[0, 2]]",
    "[{m} > 0]",
    "[::2, ::2]",
)
PLACES += (".T[0]", "[:2][0]", "[1][1:]", ".reshape(-1)[3:5]", ".flat[4]", "[[0, 1], [2, 2]]")
CHANGES = (
    "{x} = np.tanh({p} * {q} + 0.3)",
    "{x} = np.tanh({p} @ {q} * 0.5)",
    "{x} = {p}",
    "{x} = h.{x} = {p} * 1.0",
    "{x}, {y} = {p}, {q} * 0.9",
    "{x}{i} = {w}{i} * 0.7",
    "{x}{i} += {w}{i} * 0.1",
    "{x}{i} *= 0.8",
    "{x}{i} = 0.25",
    "{x} -= 0.1 * {q}",
    "v = {x}{i}; v *= 0.9",
    "np.multiply({p}, 0.9, out={x})",
    "np.add({p}, {q} * 0.1, {x})",
    "{x} = np.where({p} > 0, {q}, 0.1 * {p})",
    "l[0] = {p}; l[1] = l[0] * 0.5; l[1][0] += 0.1; {x} = l[1]",
    "for r in {x}: r -= 0.05 * {y}[0]",
    "for r, s in zip({x}, {q}): r[0] = s[1]",
    "{x} = np.tanh(f({p}, {q}))",
    "{x}[2] = [t * 0.5 for t in {y}[0]]",
    "d['k'] = {p} * 0.5; d['k'] += 0.1 * {q}; {x} = d['k']",
    "g({x}, {q})",
    "h.{x} = {p} * 1.0; h.{x}{i} *= 0.5; {x} = h.{x} + 0",
    "np.add.at({x}, [0, 0, 2], 0.05 * {q})",
    "{x}.fill(0.5) if {x}[0, 0] > 2 else None",
    "np.copyto({x}, np.tanh({p} + {q}))",
    "{x} = np.clip({p}, -0.45, 0.52) + np.maximum({q}, 0) * 0.1",
    "{x}.sort(axis=0)",
    "{x} = np.concatenate([{p}[:1], {q}[1:]])",
    "u = {x}; u = u - 0.1 * {q}; {x} = u",
    "u = {x}; u -= 0.1 * {q}",
)
HEAD = """
class H: pass
h = H(); l = [0, 0]; d = {}
def f(p, q):
    p = p * 0.5
    p -= q
    return p + q * q
def g(x, q): x[0] += 0.1 * q[1]
a = w * 1.0; b = np.tanh(w + 0.1); c = np.cos(w)
"""


@st.composite
def programs(draw: Any) -> str:
    lines = []
    for _ in range(draw(st.integers(1, 9))):
        x, y, w, m = (draw(st.sampled_from(NAMES)) for _ in range(4))
        p, q = (draw(st.sampled_from(PARTS)).format(draw(st.sampled_from(NAMES))) for _ in "pq")
        place = draw(st.sampled_from(PLACES)).format(m=m)
        lines.append(draw(st.sampled_from(CHANGES)).format(x=x, y=y, w=w, p=p, q=q, i=place))
    return HEAD + "\n".join(lines) + "\ny = np.sum(np.arange(9).reshape(3, 3) * (a + b * c))\n"


def start() -> Any:
    """Elements in no order and well apart, none of which is a bound above."""
    return np.random.default_rng(3).permutation(9).reshape(3, 3) * 0.171 - 0.637


def end(text: str, w: Any) -> float:
    return float(run_plain(text, names={"np": np, "w": w}).namespace["y"])


@times(3)
@given(programs())
def test_the_record_of_a_random_program_is_true(text: str) -> None:
    run = run_instrumented(text, names={"np": np, "w": start()})
    assert float(run.namespace["y"]) == end(text, start())
    assert run.recorder.warnings == []
    top = run.node("y")
    leaves = {node.number: node.value for node in run.nodes if node.operation == "leaf"}
    for node, value in zip(run.nodes, replay(run.nodes, leaves), strict=True):
        assert np.asarray(value).tobytes() == np.asarray(node.value).tobytes(), node
    direction, step = np.random.default_rng(1).standard_normal((3, 3)), 1e-6
    moved = start() + step * direction
    assert float(replay(run.nodes, {0: moved})[top.number]) == end(text, moved)
    slope = (end(text, moved) - end(text, start() - step * direction)) / (2 * step)
    found = np.sum(adjoints(run.nodes, {top: 1.0})[0] * direction)
    assert found == pytest.approx(slope, rel=1e-5, abs=1e-5)
