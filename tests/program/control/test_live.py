"""Live values have the names that the program's author would write, and can be set."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from controlled import alone, at_iteration, inside, to_the_end, written

from nntui.program.control.execution import Execution
from nntui.program.control.forks import Reply

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded")


def names(execution: Execution) -> list[str]:
    return [each.name for each in execution.live()]


def first_names(execution: Execution) -> list[str]:
    return [each.name for each in execution.live() if each.alias_of is None]


PROGRAMS: dict[str, tuple[str, list[str]]] = {
    "globals": (
        "import numpy as np\nfrom math import pi\nW = np.eye(2); b = 0.5; n = 3; s = 'x'\n"
        "for i in range(2): pass\n",
        ["W", "b"],
    ),
    "star import": ("from numpy import *\nW = zeros(2)\nfor i in range(2): pass\n", ["W"]),
    "dictionary": (
        "p = {'W1': [0.5], 'n': 3, 2: 1.5, ('a', 1): 2.5}\nfor i in range(2): pass\n",
        ["p['W1'][0]", "p[2]", "p[('a', 1)]"],
    ),
    "locals": (
        "import numpy as np\ndef train(X, rate):\n    W = np.eye(2)\n    for i in range(2): pass\n"
        "Z = np.zeros(3)\ntrain(np.ones(2), 0.1)\n",
        ["X", "rate", "W", "Z"],
    ),
    "hidden names": (
        "def inner(w):\n    for i in range(2): pass\n"
        "def outer(w):\n    inner(w + 1)\nw = 1.5\nouter(2.5)\n",
        ["w", "outer:w", "<module>:w"],
    ),
    "recursion": (
        "def f(n, w):\n    if n: f(n - 1, w + 1)\n    for i in range(2): pass\nf(1, 0.5)\n",
        ["w", "f:w"],
    ),
    "objects": (
        "class Net:\n    rate = 0.1\n    def __init__(self): self.W = 0.5; self.name = 'n'\n"
        "    def fit(self):\n        for i in range(2): pass\nnetwork = Net()\nnetwork.fit()\n",
        ["Net.rate", "network.W"],
    ),
    "object without a global": (
        "class Net:\n    def __init__(self): self.W = 0.5\n"
        "    def fit(self):\n        for i in range(2): pass\n"
        "def main():\n    net = Net()\n    net.fit()\nmain()\n",
        ["net.W"],
    ),
    "object without a name": (
        "class Net:\n    def __init__(self): self.W = 0.5\n"
        "    def fit(self):\n        for i in range(2): pass\nNet().fit()\n",
        ["self.W"],
    ),
    "layers": (
        "class Layer:\n    __slots__ = ('W',)\n    def __init__(self, w): self.W = w\n"
        "    def go(self):\n        for i in range(2): pass\n"
        "net = {'layers': [Layer(0.5), Layer(1.5)]}\nfor layer in net['layers']: layer.go()\n",
        ["net['layers'][0].W", "net['layers'][1].W"],
    ),
    "tuples": (
        "from collections import namedtuple\nP = namedtuple('P', 'W b')\np = P(0.5, (1.5, 2))\n"
        "for i in range(2): pass\n",
        ["p.W", "p.b[0]"],
    ),
    "closure": (
        "def make():\n    w = 0.5\n    def step():\n        nonlocal w\n        w += 1\n"
        "    return step\nstep = make()\nfor i in range(2): step()\n",
        ["step:w"],
    ),
    "nested function": (
        "def train():\n    w = 0.5\n    def step():\n        nonlocal w\n        w += 1\n"
        "        for i in range(2): pass\n    step()\ntrain()\n",
        ["w"],
    ),
    "cycle": (
        "class Node:\n    def __init__(self): self.next = self; self.v = 0.5\na = Node()\n"
        "l = [1.5]; l.append(l)\nfor i in range(2): pass\n",
        ["l[0]", "a.v"],
    ),
    "object array": (
        "import numpy as np\nW = np.array([np.eye(2), 0.5, None], dtype=object)\n"
        "for i in range(2): pass\n",
        ["W[0]", "W[1]"],
    ),
    "inherited containers": (
        "class P(dict):\n    pass\np = P(W=0.5); p.rate = 0.1\nfor i in range(2): pass\n",
        ["p['W']", "p.rate"],
    ),
    "record of losses": ("losses = [0.5] * 1000; w = 0.5\nfor i in range(2): pass\n", ["w"]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_have_the_names_of_their_author(tmp_path: Path, name: str) -> None:
    text, expected = PROGRAMS[name]
    assert sorted(at_iteration(written(tmp_path, text), 1 if "layers" in name else 0, names)) == (
        sorted(expected)
    )


def test_a_second_module_has_its_name_in_front(tmp_path: Path) -> None:
    written(tmp_path, "rate = 0.1\nW = [0.5]\n", "net.py")
    path = written(tmp_path, "import net\nfrom net import W\nfor i in range(2): pass\n")
    assert at_iteration(path, 0, names) == ["W[0]", "net.rate", "net.W[0]"]
    assert at_iteration(path, 0, first_names) == ["W[0]", "net.rate"]


def test_what_only_points_elsewhere_is_named_last(tmp_path: Path) -> None:
    text = """
        import numpy as np
        weights = [np.eye(2), np.eye(3)]
        for W in weights: pass
        first = weights[0]
        V0 = np.eye(4)
        V = V0
        for i in range(2): pass
        """

    def look(execution: Execution) -> Any:
        return [(each.name, each.alias_of) for each in execution.live()]

    assert at_iteration(written(tmp_path, text), 2, look) == [
        ["weights[0]", None],
        ["weights[1]", None],
        ["V0", None],
        ["V", "V0"],
        ["W", "weights[1]"],
        ["first", "weights[0]"],
    ]


SETTING = """
import numpy as np
class Net:
    __slots__ = ("s", "__dict__")
    def __init__(self): self.w = 0.0; self.s = 0.0
net = Net()
g = 0.0
def make():
    c = 0.0
    return lambda: c
closure = make()
def outer(o):
    a, d, l = np.zeros(2), {"k": 0.0}, [0.0]
    cell = 0.0
    def inner(x, y):
        z = cell
        for i in range(2):
            print(x, y, o, a, d["k"], l[0], net.w, net.s, g, closure(), cell, z, i)
    inner(0.0, np.zeros(1)[0])
outer(0.0)
print(net.w, g)
"""


def test_every_kind_of_value_can_be_set(tmp_path: Path) -> None:
    def job(execution: Execution, reply: Reply) -> None:
        def turn(_: int) -> None:
            execution.on_iteration = None
            for number, each in enumerate(sorted(execution.live(), key=lambda x: x.name)):
                assert each.set is not None
                each.set(np.full(2, 9.0) if isinstance(each.value, np.ndarray) else number + 1.0)
            after = {x.name: x.value for x in execution.live()}
            execution.on_end = lambda: reply(
                {"after": after, "output": execution.world.output.text()}
            )

        execution.on_iteration = turn

    seen = inside(written(tmp_path, SETTING), job)
    after = seen["after"]
    assert sorted(after) == sorted(
        ["a", "cell", "closure:c", "d['k']", "g", "l[0]", "net.s", "net.w", "o", "x", "y", "z"]
    )
    order = [after[name] for name in ("x", "y", "o")]
    rest = [
        after[name] for name in ("d['k']", "l[0]", "net.w", "net.s", "g", "closure:c", "cell", "z")
    ]
    line = " ".join(map(str, [*order, "[9. 9.]", *rest]))
    assert seen["output"] == f"{line} 0\n{line} 1\n{after['net.w']} {after['g']}\n"


def test_the_state_has_a_hash_of_all_that_decides_the_future(tmp_path: Path) -> None:
    text = """
        import random
        import numpy as np
        W, n, text, losses = np.eye(2), 1, "a", [0.5] * 1000
        rng, own, old = np.random.default_rng(1), random.Random(1), np.random.RandomState(1)
        def set_w(): W[0, 0] = 2.0
        def set_n(): globals().update(n=2)
        def set_text(): globals().update(text="b")
        for change in (set_w, set_n, set_text, lambda: losses.append(0.5), rng.random, own.random,
                       old.rand, np.random.rand, random.random, int, int):
            change()
        """

    def job(execution: Execution, reply: Reply) -> None:
        hashes: list[str] = []

        def turn(_: int) -> None:
            hashes.append(execution.state_hash())

        execution.on_iteration = turn
        execution.on_end = lambda: reply({"hashes": hashes})

    hashes = inside(written(tmp_path, text), job)["hashes"]
    assert len(set(hashes[:10])) == 10
    assert len(set(hashes[9:])) == 1


def test_looking_changes_nothing(tmp_path: Path) -> None:
    text = """
        class Odd:
            def __init__(self): self.w = 0.5
            def __getattr__(self, name): print("asked for", name); raise AttributeError(name)
            def __eq__(self, other): print("compared"); return True
            def __repr__(self): print("shown"); return "odd"
            __hash__ = None
        odd, rows = Odd(), [Odd()]
        def numbers():
            for i in range(3):
                yield i
        for n in numbers():
            pass
        """
    path = written(tmp_path, text)

    def job(execution: Execution, reply: Reply) -> None:
        def turn(_: int) -> None:
            execution.live(whole=True)
            execution.state_hash()

        execution.on_iteration = turn
        execution.on_end = lambda: reply({"output": execution.world.output.text()})

    assert inside(path, job)["output"] == to_the_end(path)["output"] == ""


def test_without_sets_objects_keep_their_hash(tmp_path: Path) -> None:
    text = "class Node: pass\nn = Node()\nprint(hash(n) == object.__hash__(n), {n: 1}[n])\n"
    assert to_the_end(written(tmp_path, text))["output"] == "True 1\n"


def test_objects_are_hashed_by_their_order_unless_they_say_otherwise(tmp_path: Path) -> None:
    text = """
        import copy, pickle, weakref
        from dataclasses import dataclass
        from enum import Enum
        class Node: pass
        class Slotted: __slots__ = ()
        class Equal:
            def __eq__(self, other): return True
        class Own:
            def __hash__(self): return 7
        class Sub(Own): pass
        @dataclass(frozen=True)
        class Frozen:
            x: int
        @dataclass
        class Plain:
            x: int
        class Kind(Enum):
            A = 1
        class Fault(Exception): pass
        nodes = [Node() for _ in range(5)]
        print([hash(each) - hash(nodes[0]) for each in nodes], len({*nodes, *nodes}))
        print(hash(nodes[3]) == hash(nodes[3]), nodes[0] == nodes[1], nodes[0] in set(nodes))
        print(len({Slotted(), Slotted()}), hash(Own()), hash(Sub()), len({Frozen(1), Frozen(1)}))
        for kind in (Equal(), Plain(1)):
            try: hash(kind)
            except TypeError as error: print(error)
        print(len({Kind.A, Kind.A}), len({Fault(), Fault()}), vars(nodes[0]))
        seen = weakref.WeakSet(nodes); del nodes; print(len(seen))
        print(len({copy.copy(Node()), pickle.loads(pickle.dumps(Node()))}))
        """
    path = written(tmp_path, text)
    own, plain = to_the_end(path)["output"], alone(path).stdout
    assert own.splitlines()[0] == "[0, 1, 2, 3, 4] 5"
    assert own.splitlines()[1:] == plain.splitlines()[1:]
