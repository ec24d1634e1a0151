"""Edits of a program's source: the learning rate, longer loops, mended lines, all together."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntui.program.why.changes.literals import rate_literals
from nntui.program.why.changes.longer_loops import goes_over_data, lengthened, repeated
from nntui.program.why.changes.source_edits import Edit, edited, moved, of_diff, overlap

FILE = "net.py"


def turned(source: str, line: int, times: int) -> str:
    """``source`` with the loop on ``line`` taking ``times`` as many turns."""
    return edited({FILE: source}, lengthened(FILE, source, line, times)).get(FILE, source)


def run(source: str) -> dict[str, object]:
    """The variables that ``source`` leaves."""
    names: dict[str, object] = {}
    exec(compile(source, FILE, "exec"), names)
    return names


@given(
    st.lists(st.sampled_from(["a = 1", "b = 2", "", "if a:", "    c = 3", "# ü"]), max_size=9),
    st.lists(st.sampled_from(["a = 1", "b = 2", "", "if a:", "    c = 4", "# ü"]), max_size=9),
)
def test_the_edits_of_a_diff_make_the_other_text_of_the_one(
    one: list[str], other: list[str]
) -> None:
    before, after = ("".join(f"{line}\n" for line in lines) for lines in (one, other))
    diff = "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), "a", "b"))
    edits = of_diff(diff, [FILE])
    assert edited({FILE: before}, edits).get(FILE, before) == after
    assert not any(overlap([edit], edits[:at]) for at, edit in enumerate(edits))


def test_each_part_of_a_diff_is_of_the_file_that_it_names() -> None:
    one, two = "/home/x/net.py", "/home/x/layers.py"
    diff = "".join(
        line
        for path, before, after in ((two, ["-- a\n", "b\n"], ["b\n"]), (one, ["c\n"], ["d\n"]))
        for line in difflib.unified_diff(before, after, f"a{path}", f"b{path}")
    )
    edits = of_diff(diff, [one, two])
    assert [(each.file, each.start, each.end, each.new) for each in edits] == [
        (two, (1, 0), (2, 0), ""),
        (one, (1, 0), (2, 0), "d\n"),
    ]


def test_several_edits_are_made_at_once_and_their_lines_stay_where_they_were_said_to_be() -> None:
    text = "a = 1\nb = 2\nc = 3\n"
    edits = (Edit(FILE, (1, 0), (2, 0), "a = 1\nx = 0\n"), Edit(FILE, (3, 4), (3, 5), "30"))
    assert edited({FILE: text}, edits) == {FILE: "a = 1\nx = 0\nb = 2\nc = 30\n"}
    assert [moved(FILE, line, edits) for line in (1, 2, 3)] == [1, 3, 4]


def test_edits_of_the_same_characters_overlap_and_neighbours_do_not() -> None:
    one, two = Edit(FILE, (1, 0), (1, 4), ""), Edit(FILE, (1, 4), (1, 6), "")
    assert not overlap([one], [two])
    assert overlap([one], [Edit(FILE, (1, 3), (1, 6), "")])
    assert not overlap([one], [Edit("other.py", (1, 0), (1, 4), "")])


@pytest.mark.parametrize(
    ("source", "value", "name"),
    [
        ("X = 0.5\nlr = 0.1\n", 0.1, "lr"),
        ("def f(x, rate=0.2): pass\n", 0.2, "rate"),
        ("class Net:\n    def __init__(self, n, eta): pass\nnet = Net(3, 0.3)\n", 0.3, "eta"),
        ("settings = {'momentum': 0.9, 'learning_rate': 0.4}\n", 0.4, "learning_rate"),
        ("self.alpha = 5e-1\n", 0.5, "alpha"),
        ("epochs, learning_rate = 500, 1e-3\n", 1e-3, "learning_rate"),
        ("for i in range(9):\n    w -= 0.7 * g\n", 0.7, ""),
        ("lr = 3\n", 3.0, "lr"),
        ("ö = 'ü'; lr = 0.25\n", 0.25, "lr"),
    ],
)
def test_the_number_that_is_named_like_a_rate_comes_first(
    source: str, value: float, name: str
) -> None:
    first = rate_literals({FILE: source})[0]
    assert (first.value, first.name) == (value, name)
    assert rate_literals(edited({FILE: source}, [first.replaced(0.125)]))[0].value == 0.125


def test_data_are_no_rates_and_neither_are_indices_and_counts() -> None:
    source = "X = [[0.1, 0.2], [0.3, 0.4]]\nn = 12\ny = X[1]\nn_hidden = 3\n"
    assert rate_literals({FILE: source}) == []


@pytest.mark.parametrize(
    "loop",
    [
        "for i in range(4):",
        "for i in range(0, 4):",
        "for i in range(N):",
        "for i in range(2, N + 2):",
        "for k, i in enumerate(range(int(N))):",
    ],
)
def test_a_loop_over_a_range_takes_as_many_times_more_turns(loop: str) -> None:
    source = f"N = 4\ncount = 0\n{loop}\n    count += 1\n"
    assert run(source)["count"] == 4
    assert run(turned(source, 3, 5))["count"] == 20


def test_a_while_loop_with_a_bound_takes_as_many_times_more_turns() -> None:
    source = "i = 0\nwhile i < 4:\n    i += 1\n"
    assert run(turned(source, 2, 5))["i"] == 20


def test_a_loop_over_data_is_not_lengthened_but_done_again() -> None:
    source = "count = 0\nfor x in [1, 2, 3]:\n    count += x\n\n    # ü\nlast = count\n"
    assert lengthened(FILE, source, 2, 5) == ()
    edits = repeated(FILE, source, 2, 5)
    assert edits is not None
    again = edited({FILE: source}, edits)[FILE]
    assert run(again)["last"] == 30
    assert again.splitlines()[2].strip() == "for x in [1, 2, 3]:"


@pytest.mark.parametrize(
    ("source", "over_data"),
    [
        ("for i in range(X.shape[0]):\n    pass\n", True),
        ("for i in range(len(X)):\n    pass\n", True),
        ("for x, y in zip(X, Y):\n    pass\n", True),
        ("for i, x in enumerate(X):\n    pass\n", True),
        ("for x in X:\n    pass\n", True),
        ("for i in range(m):\n    pass\nm = len(X)\n", True),
        ("for i in range(1000):\n    pass\n", False),
        ("for i in range(epochs):\n    pass\nepochs = 50\n", False),
        ("while True:\n    pass\n", False),
        ("for i in count():\n    pass\n", False),
    ],
)
def test_a_loop_over_data_is_told_from_one_that_counts(source: str, over_data: bool) -> None:
    assert goes_over_data(source, 1) == over_data


def test_a_loop_with_a_text_over_several_lines_is_left_alone() -> None:
    assert repeated(FILE, "for x in [1]:\n    t = '''a\nb'''\n", 1, 2) is None
