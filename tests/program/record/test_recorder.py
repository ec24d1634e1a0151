"""What the recorder keeps of a program: values, places, paths, names, and what it links."""

import gc
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from instrumented import Run, run_instrumented, run_plain

from nntui.program.record.adjoints import adjoints
from nntui.program.record.following.live_values import separate
from nntui.program.record.instrument import compile_program
from nntui.program.record.node import Node
from nntui.program.record.not_finite import first_not_finite, reason
from nntui.program.record.places import Places
from nntui.program.record.recompute import replay
from nntui.program.record.recorder import Recorder


def run(text: str, **options: Any) -> Run:
    options.setdefault("names", {"np": np})
    return run_instrumented(textwrap.dedent(text).strip("\n"), **options)


def depends(node: Node, on: Node) -> bool:
    """Whether a value was computed from another."""
    return node is on or any(depends(each, on) for each in node.inputs)


# ---- what is linked, and what is not


def test_equal_literals_have_nothing_to_do_with_each_other() -> None:
    here = run("""
        a = 0.5
        b = 0.5
        c = a * 2.0
        d = [0.5, 0.5]
        e = (lambda v=0.5: v * 1.5)() + 0.5
    """)
    assert [node.operation for node in here.nodes] == ["*", "leaf", "*", "+"]
    assert here.nodes[0].inputs == []


def test_numbers_that_share_an_object_are_separated() -> None:
    @dataclass
    class Live:
        name: str
        holder: dict[str, Any]

        @property
        def value(self) -> Any:
            return self.holder[self.name]

        def set(self, value: Any) -> None:
            self.holder[self.name] = value

    shared = float("0.5")
    holder = {"w": shared, "b": shared, "n": np.float64(2), "k": 3}
    separate([Live(name, holder) for name in holder])
    assert holder == {"w": 0.5, "b": 0.5, "n": 2.0, "k": 3}
    assert len({id(value) for value in holder.values()}) == 4
    assert [type(value) for value in holder.values()] == [float, float, np.float64, int]


@pytest.mark.parametrize(
    "text",
    [
        "y = max(0.0, w)",
        "y = float(w)",
        "y = sum([w])",
        "y = min(w, 5.0, 7.0)",
        "y = abs(w)",
        "y = (lambda v: v)(w)",
        "y = [w, 1.0][0]",
        "y = {'w': w}['w']",
        "y, z = w, 1.0",
        "y = sorted([w, 3.0])[0]",
        "y = [w].pop()",
        "y = next(iter([w]))",
        "y = dict(w=w).get('w')",
        "y = w if w else 0.0",
        "y = (w or 0.0)",
        "y = [*map(float, [w])][0]",
    ],
)
def test_a_number_that_is_handed_on_stays_linked(text: str) -> None:
    here = run_instrumented(text, names={"w": float("1.5")})
    end, start = here.node("y"), here.nodes[0]
    assert start.name == "w"
    assert depends(end, start)


def test_the_larger_of_two_is_a_value_of_its_own() -> None:
    """Else what uses the number itself would pass through the comparison."""
    here = run_instrumented("y = max(0.0, w); z = w * 2.0", names={"w": float("1.5")})
    values = replay(here.nodes, {0: -1.0})
    assert values[here.node("y").number] == 0.0
    assert values[here.node("z").number] == -2.0


def test_a_change_that_was_not_seen_makes_a_leaf() -> None:
    here = run(
        """
        w = np.ones(3)
        a = w * 2.0
        change(w)
        b = w * 2.0
        c = w * 3.0
        """,
        names={"np": np, "change": lambda v: v.fill(5.0)},
    )
    unseen = [node for node in here.nodes if node.name == "changed unseen"]
    assert len(unseen) == 1
    assert depends(here.node("b"), unseen[0])
    assert depends(here.node("c"), unseen[0])
    assert not depends(here.node("a"), unseen[0])
    assert here.node("c").value.tolist() == [15.0] * 3


@pytest.mark.parametrize(
    "change",
    [
        "w.flat = 5.0",
        "np.random.shuffle(w)",
        "np.nan_to_num(w, copy=False); memoryview(w)[0] = 5.0",
        "memoryview(w)[0] = 5.0",
        "for v in np.nditer(w, op_flags=['readwrite']): v[...] = 5.0",
        "w.__setitem__(0, 5.0)",
        "np.ndarray.sort(w)",
        "w.resize(4, refcheck=False)",
        "w.shape = (3, 1)",
        "w.real = 5.0",
        "np.sum(np.ones((2, 3)) * 5.0, 0, None, w)",
    ],
)
def test_no_change_is_overlooked(change: str) -> None:
    text = f"w = np.array([3.0, 1.0, 2.0]); a = w * 2.0\n{change}\nb = w * 2.0"
    alone = run_plain("np.random.seed(0)\n" + text, names={"np": np}).namespace["b"]
    np.random.seed(0)
    here = run(text)
    again = replay(here.nodes, {n.number: n.value for n in here.nodes if n.operation == "leaf"})
    assert again[here.node("b").number].tolist() == alone.tolist()


def test_a_call_back_from_unrecorded_code_sees_what_that_code_changed() -> None:
    def library(function: Any, x: Any) -> list[float]:
        found = []
        for value in (1.0, 2.0):
            x[0] = value
            found.append(function(x))
        return found

    here = run(
        "y = library(lambda v: np.sum(v * v), x)",
        names={"np": np, "library": library, "x": np.zeros(2)},
    )
    squares = [node.value.tolist() for node in here.nodes if node.operation == "*"]
    assert squares == [[1.0, 0.0], [4.0, 0.0]]


# ---- where values are from


TWO_CALLS = """
def act(v):
    return np.tanh(v)

def layer(x):
    h = x * 2.0
    return act(h)

for i in range(2):
    for j in range(2):
        y = layer(w)
z = layer(w)
"""


def test_the_path_tells_calls_and_turns() -> None:
    here = run(TWO_CALLS, names={"np": np, "w": np.ones(2)})
    places = here.recorder.places
    turns = [n for n in here.nodes if n.operation == "tanh"]
    assert [tuple(s[1:] for s in n.path if not isinstance(s, int)) for n in turns] == [
        ((0, 0), (1, 0)),
        ((0, 0), (1, 1)),
        ((0, 1), (1, 0)),
        ((0, 1), (1, 1)),
        (),
    ]
    assert places.levels(turns[0]) == [("program.py", 2), ("program.py", 6), ("program.py", 10)]
    assert places.levels(turns[-1])[-1] == ("program.py", 11)
    assert len({node.key for node in here.nodes}) == len(here.nodes)


def test_a_key_finds_the_value_in_another_recording() -> None:
    one, other = (run(TWO_CALLS, names={"np": np, "w": np.full(2, k)}) for k in (1.0, 3.0))
    assert [node.key for node in one.nodes] == [node.key for node in other.nodes]


def test_the_path_is_right_again_behind_an_exception() -> None:
    here = run(
        """
        def deep(n):
            if n == 0: raise ValueError
            for k in range(2): deep(n - 1)
        for i in range(2):
            try: deep(3)
            except ValueError: a = w * 1.0
            finally: b = w * 2.0
            c = w * 3.0
        from contextlib import suppress
        with suppress(ValueError): deep(2)
        d = w * 4.0
        """,
        names={"np": np, "w": np.ones(2)},
    )
    loop = len(here.recorder.places.loops) - 1
    paths = [node.path for node in here.nodes if node.operation == "*"]
    assert paths == [(("L", loop, 0),)] * 3 + [(("L", loop, 1),)] * 3 + [()]


def test_a_place_is_a_piece_of_the_source() -> None:
    here = run(
        """
        größe = [w, 2.0 * w]  # columns count characters
        y = (größe[1]
             + 1.0)
    """,
        names={"w": np.ones(2)},
    )
    assert here.texts("*") == ["2.0 * w"]
    assert here.texts("+") == ["größe[1]\n     + 1.0"]
    places = here.recorder.places
    place = places.places[here.node("y").place]
    assert (place.kind, place.line, place.end_line, place.literals) == (
        "operation",
        2,
        3,
        (False, True),
    )
    assert places.line(place) == "y = (größe[1]"


def test_assignments_and_returns_are_told() -> None:
    here = run(
        """
        class N: pass
        n = N(); d = {}; v = np.zeros(2)
        def f(x):
            n.w = x * 2.0
            d["b"] = x + 1.0
            v[0] = x[1]
            a, (b, c) = x * 3.0, (x * 4.0, 1)
            a += x
            return a, b
        p, q = f(w)
    """,
        names={"np": np, "w": np.ones(2)},
    )
    places = here.recorder.places
    targets = [places.places[place].target for place, _, _ in here.recorder.assignments]
    written = ["v", "n.w", 'd["b"]', "v[0]", "a, (b, c)", "a", *["<return>"] * 2, *["p, q"] * 2]
    assert targets == written
    names = {node.name for node in here.nodes if node.operation == "*"}
    assert "n.w" in names
    assert here.node("p").name == "a"
    assert here.recorder.node_of(here.namespace["q"]).name == "q"


def test_scalars_that_are_shown_or_handed_over_are_told() -> None:
    here = run(
        """
        def report(loss, many): pass
        losses = []
        a = w * 1.0; b = w * 2.0; c = w * 3.0; d = w * 4.0; e = w * 5.0; f = w * 6.0
        print("loss", a)
        print(f"{b:.3f}")
        print("%d: %f" % (1, c))
        print("{} {k}".format(d, k=np.ones(3)))
        losses.append(e)
        report(f, np.ones(2))
    """,
        names={"np": np, "w": float("1.25")},
    )
    told = [(node.name, function) for _, node, function in here.recorder.outputs]
    assert told == [
        ("a", "print"),
        ("b", "format"),
        ("c", "%"),
        ("d", "format"),
        ("e", "append"),
        ("f", "report"),
    ]


def test_random_numbers_are_leaves_with_a_place() -> None:
    here = run(
        """
        import random
        m = np.random.rand(3) < 0.5; g = np.random.default_rng(0).normal(size=2) * 2.0
        r = random.uniform(0, 1) * 2.0; y = w * m
    """,
        names={"np": np, "w": np.ones(3)},
    )
    drawn = [node for node in here.nodes if node.operation == "leaf" and node.place >= 0]
    assert [here.recorder.places.text(node.place).split("(")[0] for node in drawn] == [
        "np.random.rand",
        "np.random.default_rng",
        "random.uniform",
    ]
    assert all(callable(node.function) for node in drawn)


def test_operations_have_one_name() -> None:
    here = run(
        """
        np.add(w, 1); w + 1; np.negative(w); -w; np.dot(w, w); w.dot(w); w @ w; np.matmul(w, w)
        np.sum(w); w.sum(); sum(w); np.maximum(w, 0); w.max(); np.max(w); w > 0
        np.power(w, 2); w ** 2
    """,
        names={"np": np, "w": np.ones(2)},
    )
    names = [node.operation for node in here.nodes if node.place >= 0 and node.operation != "take"]
    assert names == [
        "+",
        "+",
        "neg",
        "neg",
        "dot",
        "dot",
        "@",
        "@",
        "sum",
        "sum",
        "sum",
        "maximum",
        "max",
        "max",
        ">",
        "**",
        "**",
    ]


# ---- loops, switching, bounds


NESTED = """\
for i in range(3):
    for j in range(2):
        w = w * 1.0
    k = 0
    while True:
        k += 1
        if k == 2: break
def f():
    for a in range(2):
        for b in range(2):
            if b: return w
f()
"""


def test_hooks_tell_turns_and_ends_of_loops() -> None:
    places, told = Places(), []
    recorder = Recorder(places)
    recorder.on_iteration = lambda number: told.append(number)
    recorder.on_left = lambda number: told.append(-number - 1)
    exec(compile_program(NESTED, "program.py", places), {"_nn": recorder, "w": 1.0})
    assert told == [0, 1, 1, -2, 2, 2, -3] * 3 + [-1] + [3, 4, 4, -5, -4]


def test_numbers_do_not_depend_on_which_loops_may_switch() -> None:
    all_places, few_places = Places(), Places()
    compile_program(NESTED, "program.py", all_places)
    compile_program(NESTED, "program.py", few_places, {1})
    assert all_places.places == few_places.places
    assert all_places.loops == few_places.loops
    assert [(loop.line, loop.function, loop.parent) for loop in all_places.loops] == [
        (1, "<module>", None),
        (2, "<module>", 0),
        (5, "<module>", 0),
        (9, "f", None),
        (10, "f", 3),
    ]


def test_only_the_loops_asked_for_call_hooks() -> None:
    places, told = Places(), []
    recorder = Recorder(places)
    recorder.on_iteration = lambda number: told.append(number)
    code = compile_program(NESTED, "program.py", places, {1})
    exec(code, {"_nn": recorder, "w": 1.0})
    assert told == [1, 1] * 3


def test_recording_starts_and_ends_with_a_turn() -> None:
    def second_turn(recorder: Recorder, number: int) -> None:
        if number == 0:
            recorder.turns = recorder.__dict__.get("turns", 0) + 1
            recorder.on = recorder.turns == 2

    here = run(NESTED, names={"w": np.ones(2)}, on=False, hook=second_turn)
    made = [node for node in here.nodes if node.operation == "*"]
    assert [node.path for node in made] == [(("L", 0, 0), ("L", 1, 0)), (("L", 0, 0), ("L", 1, 1))]


def test_a_full_recording_ends_or_calls_its_hook() -> None:
    text = "while len(np_) < 50:\n    w = w * 1.01; np_.append(0)"
    calls = []
    for hook in (None, lambda: calls.append(1)):
        places = Places()
        recorder = Recorder(places)
        recorder.most_nodes, recorder.on_full, recorder.on = 10, hook, True
        exec(compile_program(text, "program.py", places), {"_nn": recorder, "w": 1.0, "np_": []})
        assert recorder.full
        assert recorder.on == (hook is not None)
        assert len(recorder.nodes) == (11 if hook is None else 51)
        recorder.on = False
        recorder.reset()
        assert not recorder.full
    assert calls == [1]


def test_bytes_are_bounded_too() -> None:
    places = Places()
    recorder = Recorder(places)
    recorder.most_bytes, recorder.on = 100_000, True
    code = compile_program("for i in range(50): w = w * 1.01", "program.py", places)
    exec(code, {"_nn": recorder, "w": np.ones(1000)})
    assert recorder.full
    assert len(recorder.nodes) < 20


def test_the_collector_of_garbage_is_as_before() -> None:
    recorder = Recorder()
    assert gc.isenabled()
    recorder.on = True
    assert not gc.isenabled()
    recorder.on = False
    assert gc.isenabled()


def test_a_large_array_from_outside_is_not_copied_until_it_is_written_to() -> None:
    large = np.ones((1000, 1100))
    here = run(
        "b = X[10:20]; s = np.sum(b); t = X.T @ b.sum(1)[:0].sum() if False else b.T",
        names={"np": np, "X": large},
    )
    assert here.nodes[0].value is large
    here = run(
        "b = X[10:20]; s = np.sum(b); X *= 2; X[0] = 5; u = np.sum(X[0])",
        names={"np": np, "X": large},
    )
    assert here.nodes[0].value is not large
    assert here.nodes[0].value[15, 0] == 1.0
    assert next(node for node in here.nodes if node.operation == "view").value[0, 0] == 1.0
    assert float(here.namespace["u"]) == 5.0 * 1100


def test_a_large_result_is_copied_when_it_is_written_to_or_outlives_the_recording() -> None:
    here = run(
        """
        def f(x):
            h = x * 2.0
            kept = h + 1.0
            k = kept * 1.0
            k[0] = 7.0
            return kept, np.sum(k) + np.sum(h)
        kept, s = f(X)
        """,
        names={"np": np, "X": np.ones(1_100_000)},
    )
    twice, plus, again = [node for node in here.nodes if node.operation in "*+"][:3]
    here.namespace["kept"][0] = 9.0
    assert (twice.value[0], plus.value[0], again.value[0]) == (2.0, 3.0, 3.0)
    leaves = {node.number: node.value for node in here.nodes if node.operation == "leaf"}
    assert replay(here.nodes, leaves)[here.node("s").number] == here.namespace["s"]


def test_named_leaves_do_not_fill_the_recording() -> None:
    places = Places()
    recorder = Recorder(places)
    recorder.most_nodes = 10
    numbers = [float(k) for k in range(30)]
    for k, value in enumerate(numbers):
        recorder.node_of(value, f"w[{k}]")
    assert not recorder.full
    recorder.on = True
    code = compile_program("for k in range(5): w[k] = w[k] * 2.0", "program.py", places)
    exec(code, {"_nn": recorder, "w": numbers})
    recorder.on = False
    assert not recorder.full


def test_copies_are_shared_between_recordings() -> None:
    recorder, data = Recorder(), np.ones((100, 100))
    first = recorder.node_of(data, "X").value
    recorder.reset()
    assert recorder.node_of(data, "X").value is first
    data[0, 0] = 2.0
    recorder.reset()
    assert recorder.node_of(data, "X").value[0, 0] == 2.0
    assert first[0, 0] == 1.0


def test_a_name_can_be_given_to_a_live_value() -> None:
    recorder, w = Recorder(), np.ones((2, 3))
    node = recorder.node_of(w, "network.W1")
    assert (node.name, node.operation, node.key) == ("network.W1", "leaf", ("leaf", "network.W1"))
    assert recorder.node_of(w) is node
    assert recorder.node_of(w[0], "row").operation == "view"
    assert [recorder.node_of(value) for value in (3, True, None, "a", [1.0], 2j)] == [None] * 6


def test_positions_of_elements() -> None:
    here = run(
        """
        a = w.T[1:]; b = w[[0, 1], [2, 0]]; c = w[1, 1]
        v = w * 1.0
        v[:, 1] = 0.5
        v.T[0] *= 2
    """,
        names={"np": np, "w": np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])},
    )
    by = {}
    for node in here.nodes:
        by.setdefault(node.operation, []).append(node)
    assert by["view"][0].positions.tolist() == [[1, 4], [2, 5]]
    assert [np.asarray(node.positions).tolist() for node in by["take"]] == [[2, 3], 4]
    assert [np.asarray(node.positions).tolist() for node in by["setflat"]] == [[1, 4], [0, 3]]


# ---- numbers that are not finite


@pytest.mark.parametrize(
    ("text", "operation", "why"),
    [
        ("y = np.sum(np.log(w * 0) * 1.0)", "log", "log of 0"),
        ("y = np.log(-w).sum()", "log", "log of a negative number"),
        ("y = np.exp(w * 1000) / 2", "exp", "overflow"),
        ("y = (w - w) / (w - w) + 1", "/", "0/0"),
        ("y = w / (w * 0)", "/", "division by 0"),
        ("y = np.sqrt(-w) * 0", "sqrt", "square root of a negative number"),
        ("y = np.exp(w * 1000) - np.exp(w * 1000)", "exp", "overflow"),
        ("y = w * 2 + 1", None, None),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_first_operation_that_is_not_finite(
    text: str, operation: str | None, why: str | None
) -> None:
    here = run(text, names={"np": np, "w": np.array([1.0, 2.0])})
    node = first_not_finite(here.nodes)
    assert (node and node.operation) == operation
    assert (node and reason(node)) == why


def test_a_leaf_that_is_not_finite_is_told() -> None:
    here = run("y = w * 2.0", names={"w": np.array([np.nan])})
    assert first_not_finite(here.nodes).name == "w"


# ---- replay


def test_one_operand_of_one_value_is_replaced() -> None:
    here = run("a = w * 3.0; y = a + 1.0; z = a * a", names={"w": float("2.0")})
    a, y, z = (here.node(name).number for name in "ayz")
    values = replay(here.nodes, {}, {y: {a: 10.0}})
    assert (values[a], values[y], values[z]) == (6.0, 11.0, 36.0)
    values = replay(here.nodes, {a: 1.0}, {y: {a: 10.0}}, upto=z)
    assert (values[0], values[a], values[y], values[z]) == (2.0, 1.0, 11.0, 36.0)


def test_a_mask_follows_what_is_replaced() -> None:
    here = run(
        "d = g * 1.0; d[z <= 0] = 0; y = d * 1.0",
        names={"z": np.array([1.0, -1.0]), "g": np.array([5.0, 7.0])},
    )
    values = replay(here.nodes, {0: np.array([-1.0, 1.0])})
    assert values[here.node("y").number].tolist() == [0.0, 7.0]


# ---- comprehensions


def test_the_elements_of_a_comprehension_are_turns() -> None:
    here = run("""
        w = [1.5, 2.5, 3.5]
        x = [[v * 2.0 for v in w] for _ in range(2)]
        s = sum(v * 3.0 for v in w)
        g = next(v * 4.0 for v in w)
        e = w[0] * 5.0
    """)
    by_text: dict[str, list[Any]] = {}
    for node in here.nodes:
        if node.operation == "*":
            by_text.setdefault(here.recorder.places.text(node.place), []).append(node)
    turns = [tuple(step[2] for step in node.path) for node in by_text["v * 2.0"]]
    assert turns == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [node.path[0][2] for node in by_text["v * 3.0"]] == [0, 1, 2]
    assert len({node.key for node in here.nodes}) == len(here.nodes)
    # What may end anywhere would leave its turn to what comes behind it.
    for text in ("v * 4.0", "w[0] * 5.0"):
        assert not any(isinstance(step, tuple) for step in by_text[text][0].path)


def test_no_adjoint_is_made_that_is_not_needed() -> None:
    here = run("""
        X = np.arange(6.0).reshape(3, 2)
        W = np.ones((2, 4))
        y = (X @ W).sum() + (W * 2).sum()
    """)
    top, X, W = here.node("y"), here.node("X"), here.node("W")
    every = adjoints(here.nodes, {top: 1.0})
    assert X.number in every
    needed = [node is not X for node in here.nodes]
    some = adjoints(here.nodes, {top: 1.0}, needed=needed)
    assert X.number not in some
    assert some.keys() < every.keys()
    assert np.array_equal(some[W.number], every[W.number])
