"""Every rule gives the derivative that central differences of replay give."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from example_counts import times
from hypothesis import given
from hypothesis import strategies as st

from nntui.program.record.adjoints import NotDifferentiableError, adjoints, rule_of
from nntui.program.record.callables import Method
from nntui.program.record.deriving.rules import COPYING, OF_BUILTINS, RULES, SLOPES
from nntui.program.record.node import Node, Ref
from nntui.program.record.operations import BINARY
from nntui.program.record.recompute import replay

Arrays = list[Any]
Case = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class Given:
    """What a case draws from: arrays of shapes that go together, axes, and choices."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def shape(self, least: int = 0, most: int = 3) -> tuple[int, ...]:
        return tuple(self.draw(st.lists(st.integers(1, 4), min_size=least, max_size=most)))

    def array(self, *shape: int, low: float = -2.0, high: float = 2.0) -> Any:
        """Elements well apart, so that no two are as good as equal, and none is near 0."""
        size = int(np.prod(shape))
        spread = low + (high - low) * (np.arange(size) + 0.5) / max(size, 1)
        spread = np.where(np.abs(spread) < 1e-3, 0.05, spread)
        order = np.random.default_rng(self.draw(st.integers(0, 99))).permutation(size)
        return spread[order].reshape(shape)

    def partner(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts with another."""
        kept = [self.one_of(n, 1) for n in shape]
        return tuple(kept[self.draw(st.integers(0, len(kept))) :])

    def pair(self, **bounds: float) -> tuple[Any, Any]:
        shape = self.shape()
        one, other = self.array(*shape, **bounds), self.array(*self.partner(shape), **bounds)
        return (one, other) if self.draw(st.booleans()) else (other, one)

    def axis(self, x: Any, several: bool = True) -> Any:
        axes = list(range(-x.ndim, x.ndim))
        pairs = [(0, 1), (-1, 0)] if several and x.ndim > 1 else []
        return self.one_of(None, *axes, *pairs)


def binary(symbol: str, **bounds: float) -> Callable[[Given], Case]:
    return lambda given: (BINARY[symbol], given.pair(**bounds), {})


def two(function: Any, **bounds: float) -> Callable[[Given], Case]:
    return lambda given: (function, given.pair(**bounds), {})


def reduction(function: Any, low: float = -2.0, several: bool = True) -> Callable[[Given], Case]:
    def case(given: Given) -> Case:
        x = given.array(*given.shape(1), low=low)
        named = {"axis": given.axis(x, several)}
        if function is not np.cumsum and given.draw(st.booleans()):
            named["keepdims"] = given.draw(st.booleans())
        return function, (x,), named

    return case


def spread_of(function: Any) -> Callable[[Given], Case]:
    def case(given: Given) -> Case:
        x = given.array(given.one_of(2, 3), *given.shape(0, 2))
        return function, (x,), {"axis": given.one_of(None, 0), "ddof": given.one_of(0, 1)}

    return case


def matmul(given: Given) -> Case:
    n, batch = given.one_of(1, 2, 3), given.shape(0, 1)
    left = given.one_of((n,), (2, n), (*batch, 2, n))
    right = given.one_of((n,), (n, 3), (*batch, n, 3))
    return BINARY["@"], (given.array(*left), given.array(*right)), {}


def dot(given: Given) -> Case:
    n = given.one_of(1, 2, 3)
    left = given.one_of((), (n,), (2, n), (2, 4, n))
    right = given.one_of((), (n,), (n, 3), (2, n, 3)) if left else given.shape()
    return np.dot, (given.array(*left), given.array(*right)), {}


def inner(given: Given) -> Case:
    left, right = given.one_of(((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((), (2,)))
    return np.inner, (given.array(*left), given.array(*right)), {}


def tensordot(given: Given) -> Case:
    left, right, axes = given.one_of(
        ((2, 3), (3, 4), 1),
        ((2, 3), (2, 3), 2),
        ((2, 3), (4,), 0),
        ((2, 3, 4), (4, 3, 2), ([1, 2], [1, 0])),
        ((2, 3, 4), (3, 2), ((0, 1), (1, 0))),
        ((2, 3), (4, 3), (1, 1)),
        ((2, 3), (4, 3), ([-1], [-1])),
    )
    return np.tensordot, (given.array(*left), given.array(*right)), {"axes": axes}


def einsum(given: Given) -> Case:
    text, *shapes = given.one_of(
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij,jk", (2, 3), (3, 4)),
        ("ij,ij->i", (2, 3), (2, 3)),
        ("i,j->ji", (2,), (3,)),
        ("ij->", (2, 3)),
        ("ij->ji", (2, 3)),
        ("ij,j", (2, 3), (3,)),
        ("ijk,k->ij", (2, 3, 4), (4,)),
        ("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
        ("ii->i", (3, 3)),
        ("ii", (3, 3)),
        ("...j,jk->...k", (2, 3), (3, 2)),
    )
    return np.einsum, (text, *[given.array(*shape) for shape in shapes]), {}


def where(given: Given) -> Case:
    a, b = given.pair()
    mask = given.array(*np.broadcast_shapes(a.shape, b.shape)) > 0
    return np.where, (mask, a, b), {}


def clip(given: Given) -> Case:
    x = given.array(*given.shape())
    low, high = given.one_of((-1.05, 1.05), (None, 0.31), (-0.31, None))
    if given.draw(st.booleans()):
        return np.clip, (x, low, high), {}
    return np.clip, (x,), {"a_min": low, "a_max": high}


def norm(given: Given) -> Case:
    x = given.array(*given.shape(1, 2))
    named = given.one_of({}, {"axis": given.axis(x)}, {"axis": 0, "keepdims": True}, {"ord": 1})
    return np.linalg.norm, (x,), named if x.ndim == 1 or "ord" not in named else {}


def logsumexp(x: Any, axis: Any = None) -> Any:
    return np.log(np.sum(np.exp(x), axis=axis))


def elementwise(name: str) -> Callable[[Given], Case]:
    low, high = {
        "log": (0.1, 3),
        "log2": (0.1, 3),
        "log10": (0.1, 3),
        "log1p": (-0.9, 3),
        "sqrt": (0.1, 3),
        "arcsin": (-0.9, 0.9),
        "arccos": (-0.9, 0.9),
        "arctanh": (-0.9, 0.9),
        "arccosh": (1.1, 3),
        "tan": (-1, 1),
    }.get(name, (-2, 2))
    special: dict[str, Callable[..., Any]] = {
        "neg": np.negative,
        "expit": lambda x: 1 / (1 + np.exp(-x)),
        "erf": np.vectorize(__import__("math").erf, otypes=[float]),
        "float": lambda x: np.float64(float(x)) if np.ndim(x) == 0 else x * 1.0,
        "astype": lambda x: x.astype(np.float64),
        "float64": np.float64,
        "float32": lambda x: x * 1.0,
        "conj": np.conj,
    }
    function = special.get(name) or getattr(np, name)
    return lambda given: (function, (given.array(*given.shape(), low=low, high=high),), {})


def python_sum(given: Given) -> Case:
    shape = given.shape(0, 2)
    terms = [given.array(*shape) for _ in range(given.one_of(1, 2, 3))]
    return sum, given.one_of((terms,), (terms, given.array()), (given.array(3, *shape),)), {}


def python_extreme(function: Any) -> Callable[[Given], Case]:
    def case(given: Given) -> Case:
        values = given.array(3)
        return (
            function,
            given.one_of((values,), (list(values),), tuple(values), (values[0], 0.01)),
            {},
        )

    return case


CASES: dict[str, Callable[[Given], Case]] = {
    **{symbol: binary(symbol) for symbol in "+-*/"},
    "%": lambda given: (BINARY["%"], (given.array(*given.shape()), given.one_of(0.71, -1.3)), {}),
    "**": binary("**", low=0.5),
    "@": matmul,
    "dot": dot,
    "inner": inner,
    "vdot": lambda given: (np.vdot, (given.array(2, 3), given.array(3, 2)), {}),
    "outer": lambda given: (
        np.outer,
        (given.array(*given.shape()), given.array(*given.shape())),
        {},
    ),
    "tensordot": tensordot,
    "einsum": einsum,
    "maximum": two(np.maximum),
    "minimum": two(np.minimum),
    "fmax": two(np.fmax),
    "fmin": two(np.fmin),
    "hypot": two(np.hypot),
    "arctan2": two(np.arctan2),
    "logaddexp": two(np.logaddexp),
    "where": where,
    "clip": clip,
    "sum": reduction(np.sum),
    "mean": reduction(np.mean),
    "average": reduction(np.average),
    "max": reduction(np.max),
    "min": reduction(np.min),
    "prod": reduction(np.prod),
    "cumsum": reduction(np.cumsum, several=False),
    "sort": lambda given: (
        np.sort,
        (x := given.array(*given.shape(1)),),
        {"axis": given.axis(x, False)},
    ),
    "var": spread_of(np.var),
    "std": spread_of(np.std),
    "norm": norm,
    "logsumexp": lambda given: (logsumexp, (x := given.array(2, 3),), {"axis": given.axis(x)}),
    **{name: elementwise(name) for name in SLOPES},
}
PYTHON = {"sum": python_sum, "max": python_extreme(max), "min": python_extreme(min)}


def recorded(operation: str, case: Case) -> list[Node]:
    """A recording of one operation: its operands as leaves, then it."""
    function, arguments, keywords = case
    nodes: list[Node] = []

    def leaf(value: Any) -> Any:
        if isinstance(value, list) and value and isinstance(value[0], (float, np.ndarray)):
            return [leaf(each) for each in value]
        if not isinstance(value, (np.ndarray, float)):
            return value
        nodes.append(Node(len(nodes), "leaf", None, (), {}, value, -1, (), 0))
        return Ref(nodes[-1])

    given = tuple(leaf(value) for value in arguments)
    result = function(*arguments, **keywords)
    nodes.append(Node(len(nodes), operation, function, given, keywords, result, -1, (), 0))
    return nodes


def assert_true_derivative(nodes: list[Node]) -> None:
    draws = np.random.default_rng(5)
    top = nodes[-1]
    seed = draws.standard_normal(np.shape(top.value))
    found = adjoints(nodes, {top: seed})
    for leaf in nodes[:-1]:
        if np.asarray(leaf.value).dtype.kind != "f":
            continue
        direction, step = draws.standard_normal(np.shape(leaf.value)), 1e-6
        ends = [replay(nodes, {leaf.number: leaf.value + k * step * direction}) for k in (1, -1)]
        change = np.sum(seed * (np.asarray(ends[0][-1]) - np.asarray(ends[1][-1]))) / (2 * step)
        adjoint = found.get(leaf.number, np.zeros(np.shape(leaf.value)))
        assert np.shape(adjoint) == np.shape(leaf.value)
        assert np.sum(adjoint * direction) == pytest.approx(change, rel=1e-5, abs=1e-7)


def test_every_rule_has_a_case() -> None:
    assert CASES.keys() == RULES.keys()
    assert {each.__name__ for each in OF_BUILTINS} == PYTHON.keys()


@pytest.mark.parametrize("operation", CASES)
@times(0.4)
@given(data=st.data())
def test_a_rule_gives_the_true_derivative(operation: str, data: st.DataObject) -> None:
    assert_true_derivative(recorded(operation, CASES[operation](Given(data.draw))))


@pytest.mark.parametrize("operation", PYTHON)
@times(0.4)
@given(data=st.data())
def test_a_rule_of_a_builtin_gives_the_true_derivative(operation: str, data: st.DataObject) -> None:
    nodes = recorded(operation, PYTHON[operation](Given(data.draw)))
    assert rule_of(nodes[-1]) is not RULES[operation]
    assert_true_derivative(nodes)


x = np.arange(6.0).reshape(2, 3) * 0.7 - 1.1
MOVING: dict[str, Case] = {
    "array": (np.array, ([x[0], x[1]],), {}),
    "reshape": (np.reshape, (x, (3, 2)), {}),
    "transpose": (np.transpose, (x,), {}),
    "swapaxes": (np.swapaxes, (x, 0, 1), {}),
    "concatenate": (np.concatenate, ([x, x[:1]],), {"axis": 0}),
    "hstack": (np.hstack, ([x, x],), {}),
    "insert": (np.insert, (x, 0, 1.0), {"axis": 1}),
    "tile": (np.tile, (x, (2, 2)), {}),
    "repeat": (np.repeat, (x, 2), {}),
    "roll": (np.roll, (x, 1), {}),
    "pad": (np.pad, (x, 1), {}),
    "diag": (np.diag, (x[0],), {}),
    "triu": (np.triu, (x,), {}),
    "delete": (np.delete, (x, 1), {"axis": 1}),
    "item": (Method("item"), (x, 4), {}),
    "full": (np.full, ((2, 2), np.float64(0.5)), {}),
    "flip": (np.flip, (x,), {}),
}


@pytest.mark.parametrize("operation", MOVING)
def test_what_moves_elements_is_found_by_sent_numbers(operation: str) -> None:
    assert operation in COPYING
    assert_true_derivative(recorded(operation, MOVING[operation]))


def test_what_moves_elements_by_their_size_is_not_taken_for_a_copy() -> None:
    for mode in ("constant", "edge", "mean", "linear_ramp"):
        assert_true_derivative(recorded("pad", (np.pad, (x, 1), {"mode": mode})))


OTHERS: dict[str, Case] = {
    "median": (np.median, (x,), {}),
    "cumprod": (np.cumprod, (x,), {}),
    "inv": (np.linalg.inv, (x[:, :2],), {}),
    "convolve": (np.convolve, (x[0], x[1]), {}),
    "trace": (np.trace, (x,), {}),
    "softmax": (lambda v: np.exp(v) / np.exp(v).sum(axis=1, keepdims=True), (x,), {}),
    "softplus": (lambda v: np.log1p(np.exp(v)), (x,), {}),
    "sum of some": (np.sum, (x,), {"where": x > 0}),
}


@pytest.mark.parametrize("operation", OTHERS)
def test_what_has_no_rule_is_differentiated_numerically(operation: str) -> None:
    assert_true_derivative(recorded(operation, OTHERS[operation]))


def test_beside_a_kink_the_slope_is_that_of_the_side() -> None:
    values = np.array([1e-5, -1e-5, 3e-4, 0.0, 1.0])
    nodes = recorded("relu", (lambda v: np.where(v > 0, v, 0), (values,), {}))
    slope = adjoints(nodes, {nodes[-1]: np.ones(5)})[0]
    assert slope == pytest.approx([1, 0, 1, 0.5, 1], abs=1e-9)


def test_rows_that_do_not_depend_on_each_other_move_at_once() -> None:
    calls = []

    def softmax(v: Any) -> Any:
        calls.append(1)
        return np.exp(v) / np.exp(v).sum(axis=1, keepdims=True)

    logits = np.random.default_rng(0).standard_normal((500, 3))
    nodes = recorded("softmax", (softmax, (logits,), {}))
    seed = np.random.default_rng(1).standard_normal((500, 3))
    gradient = adjoints(nodes, {nodes[-1]: seed})[0]
    y = nodes[-1].value
    assert gradient == pytest.approx(y * (seed - (seed * y).sum(axis=1, keepdims=True)), abs=1e-9)
    assert len(calls) < 50


def test_an_elementwise_function_without_a_rule_may_be_large() -> None:
    large = np.linspace(-3, 3, 20_000)
    nodes = recorded("gelu", (lambda v: v * np.tanh(v), (large,), {}))
    slope = adjoints(nodes, {nodes[-1]: np.ones(large.shape)})[0]
    assert slope == pytest.approx(np.tanh(large) + large / np.cosh(large) ** 2, abs=1e-8)


def test_another_function_without_a_rule_may_not() -> None:
    nodes = recorded("sorted sum", (lambda v: np.cumsum(v), (np.ones(20_000),), {}))
    with pytest.raises(NotDifferentiableError, match="20000 elements and no rule"):
        adjoints(nodes, {nodes[-1]: np.ones(20_000)})


def test_equal_elements_share() -> None:
    same = np.array([2.0, 1.0, 2.0])
    for function, operation in ((np.max, "max"), (max, "max")):
        nodes = recorded(operation, (function, (same,), {}))
        assert adjoints(nodes, {nodes[-1]: 1.0})[0].tolist() == [0.5, 0.0, 0.5]
    nodes = recorded("maximum", (np.maximum, (np.zeros(2), 0.0), {}))
    assert adjoints(nodes, {nodes[-1]: np.ones(2)})[0].tolist() == [0.5, 0.5]


def test_what_is_constant_has_no_derivative() -> None:
    nodes = recorded(">", (np.greater, (x, 0.0), {}))
    assert adjoints(nodes, {nodes[-1]: np.ones((2, 3))}).keys() == {2}


def test_integers_have_no_adjoints() -> None:
    nodes = recorded("*", (np.multiply, (x, np.array([1, 2, 3])), {}))
    found = adjoints(nodes, {nodes[-1]: np.ones((2, 3))})
    assert found[0].tolist() == [[1.0, 2.0, 3.0]] * 2
    assert 1 not in found
