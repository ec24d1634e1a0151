# ruff: noqa: E501, W291 -- the programs within are as persons write them
"""A program under control prints what it prints alone, recorded or not."""

import sys
import textwrap
from pathlib import Path

import pytest
from instrumented import Run, run_instrumented, run_plain, written

PROGRAMS = {
    "f-strings": """
        x = 1 / 3
        w = {"a": [0.5, 2]}
        for i in range(2):
            print(f"{x:.3f} {x!r:>12} {w['a'][0] * 2 = } {'%d' % i} {x:{5 + i}.2f} {{}}")
    """,
    "percent formats": """
        import numpy as np
        for a in (1.5, np.float64(2.5)):
            print("%f" % a, "%s %5.2f" % ("x", a), "%(k)s" % {"k": a}, b"%d" % 3, 7 % 4, -7.5 % 2)
        text = "%.1f and %d"
        print(text % (0.25, 3))
    """,
    "names seen by the program": """
        def f(a, b=2, *c, d=4, **e):
            x = a * 2.0
            for i in range(2):
                y = x + i
            z: float = y
            return sorted(locals()), list(locals()), z
        print(f(1), f(1, 2, 3, d=5, g=6))
        for n in list(globals()):
            if not n.startswith("__"):
                print(n)
        print(__name__, __file__.endswith("program.py"), __doc__)
        print(sorted(vars()) == sorted(globals()), dir() == sorted(globals()))
        class C:
            x = 1.0 * 2
            for k in range(2):
                x += k
            print(sorted(locals()))
    """,
    "super, classes and mangled names": """
        class Base:
            def __init__(self, w):
                self.__w = w
                self.v = [1.0, 2.0]
            def step(self, by=0.5):
                self.__w -= by * self.__w
                self.v[0] += by
                self.v[-1] *= 2
                return self.__w
            @property
            def size(self):
                return self.__size() * 2
            def __size(self):
                return 3
        class _Net(Base):
            def __init__(self, w):
                super().__init__(w)
                self.__w = w * 10
            def step(self, *a, **k):
                self.__w += 1
                return super(_Net, self).step(*a, **k) + self.__w + super().size
            @classmethod
            def make(cls):
                return cls(2.0)
            @staticmethod
            def twice(x): return x * 2
        for i in range(3):
            n = _Net.make()
            print(n.step(), n.step(by=0.1), sorted(vars(n)), _Net.twice(2.0), n.v)
    """,
    "closures": """
        def counter():
            total = 0.0
            def add(x):
                nonlocal total
                total += x
                return total
            return add
        count = 0
        def bump():
            global count
            for _ in range(2):
                count += 1
                global other
                other = count * 2.0
        add = counter()
        for i in range(3):
            bump()
            print(add(i * 0.5), count, other)
        fs = [lambda x, i=i: x * i for i in range(3)]
        print([f(2.0) for f in fs], [g() for g in [lambda: i * 1.5 for i in range(3)]])
        print((lambda *a, k=2.0, **o: sum(a) * k)(1, 2, k=3.0))
    """,
    "generators": """
        def squares(n):
            received = None
            for i in range(n):
                received = yield i * i * 1.0
                if received: yield received * 2
            return n * 1.5
        def outer(n):
            result = yield from squares(n)
            print("result", result)
        g = squares(5)
        print(next(g), g.send(2.5), next(g), list(g))
        print(list(outer(3)), sum(x * 2.0 for x in squares(3)))
        g.close()
        class It:
            def __init__(self): self.n = 0
            def __iter__(self): return self
            def __next__(self):
                self.n += 1
                if self.n > 3: raise StopIteration
                return self.n * 0.5
        print(list(It()), [a + b for a, b in zip(It(), It())], max(x for x in It()))
    """,
    "try and finally": """
        def f(x):
            for i in range(3):
                try:
                    if i == x: return i * 2.0
                    y = 1 / (i - 1)
                    print("y", y)
                except ZeroDivisionError as e:
                    print("caught", e)
                    continue
                else:
                    print("else")
                finally:
                    print("finally", i)
            else:
                print("no return")
            return None
        for x in (0, 2, 5): print(f(x))
        def g():
            while True:
                try:
                    break
                finally:
                    print("left")
        g()
        def deep(n):
            if n == 0: raise ValueError("deep")
            return deep(n - 1) * 2.0
        for _ in range(2):
            try: deep(3)
            except (ValueError, TypeError) as e: print(repr(e))
        try:
            raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
        except* ValueError as e: print("values", len(e.exceptions))
        except* TypeError as e: print("types", len(e.exceptions))
        from contextlib import suppress, contextmanager
        @contextmanager
        def entered(x):
            print("in", x)
            try: yield x * 2.0
            finally: print("out")
        with suppress(KeyError), entered(1.5) as (a), entered(a) as b:
            print(a, b)
            {}["k"]
        print("after")
    """,
    "break, else, return in loops": """
        def find(rows, wanted):
            for i, row in enumerate(rows):
                for j, x in enumerate(row):
                    if x * 2 == wanted:
                        return i, j
                    if x > 100: break
                else:
                    print("row done", i)
                    continue
                print("broken", i)
            else:
                print("all done")
        print(find([[1, 2], [101, 5], [4]], 8), find([[1.5]], 7))
        n = 0
        while n < 3:
            n += 1
            if n == 2: continue
            print(n)
        else:
            print("while else")
        def bare():
            for i in range(2):
                if i: return
        print(bare())
    """,
    "comparisons and conditions": """
        a, b, c = 1.0, 2.0, 3.0
        for _ in range(2):
            print(a < b < c, a < b > c, a == 1.0 != b, not a < b, a in [1.0], a is not None)
            print(a if a > b else b, a and b * 2, 0.0 or c, (a < b) + (b < c))
    """,
    "assignments": """
        import numpy as np
        for k in range(2):
            a, *b, c = [1.0, 2, 3, 4]
            (d, e), [f] = (1.0, 2.0), [3]
            x = y = z = [0.5] * 3
            x[0], y[1:] = 9.0, [7.0]
            print(a, b, c, d, e, f, x, y is z, [*b, *x], {**{"k": 1.0}, "l": k}, (*b,))
            w = np.zeros((2, 3))
            w[0], w[1, 1:] = 1.0, [2.0, 3.0]
            w[:, 0] += 0.5
            w[w > 2] *= 2
            w[..., -1] -= w[..., 0]
            w[[0, 1], [1, 2]] = w[[1, 0], [0, 0]]
            print(w.tolist())
            q: float = 2.0
            r: int
            s = {}
            s["p"] = q
            s["p"] **= 2
            s["l"] = s["m"] = [1.0]
            s["l"] += [2.0]
            print(s)
            for x[0], n in [(1.5, 2)]: print(x, n)
            i = 0
            i, x[i] = 1, 4.5
            print(i, x)
            del x[0], s["p"]
            t = 1.0; del t
            print(x, s, "t" in globals())
            print((h := 3.0) * 2, h, [p := v * 2 for v in (1.0, 2.0)], p)
    """,
    "objects that answer everything": """
        import copy
        class Any:
            def __init__(self): self.__dict__["x"] = 1.0
            def __getattr__(self, name):
                if name.startswith("__"): raise AttributeError(name)
                print("asked for", name); return lambda *a: 2.0
            def __eq__(self, other): print("compared"); raise ValueError
            def __call__(self, *a): print("called", len(a)); return 3.0
            __hash__ = None
        class Slots:
            __slots__ = ("w",)
            def __getattr__(self, name): print("slot", name); raise AttributeError(name)
        for i in range(2):
            o = Any(); s = Slots(); s.w = 2.0
            print(o(1.0), o.anything(2.0), o.x * 2, copy.copy(s).w, [o].append(o), len([o, s]))
            print(sum([o(), 1.0]), max(o(), o.x), isinstance(o, Any), type(o).__name__)
    """,
    "order of evaluation": """
        class Loud:
            def __init__(self, name): self.__dict__["name"], self.__dict__["d"] = name, {"x": 1.0}
            def __getattr__(self, k): print("get", self.name, k); return self.d[k]
            def __setattr__(self, k, v): print("set", self.name, k, v); self.d[k] = v
            def __getitem__(self, k): print("item", self.name, k); return self.d.get(k, 0.5)
            def __setitem__(self, k, v): print("set item", self.name, k, v); self.d[str(k)] = v
            def __repr__(self): return self.name
            def change(self): self.d["x"] = 100.0; return 1.0
        def say(x): print("say", x); return x
        o, p = Loud("o"), Loud("p")
        for _ in range(2):
            o.x += o.change()
            o[say("k")] -= say(2.0)
            say(o).x, say(p)[say("j")] = say(1.0), say(2.0)
            say(o)[say(1):say(2)] = say(5.0) if False else 3
            print(o.d["x"], p.d)
            say(say)(say(1) + say(2) * say(3), k=say(4)) if False else say(1) - say(2)
    """,
    "comprehension scopes": """
        x = "outer"
        rows = [[1.0, 2.0], [3.0, 4.0]]
        for _ in range(2):
            print([x * 2 for row in rows for x in row if x > 1], x, {x: x + 1 for x in (1.0, 2.0)})
            print({y * 2 for y in [1.5]}, list(v * w for v, w in zip(*rows)), [[a * b for a in rows[0]]
                  for b in rows[1]], sum([r[0] for r in rows]), any(v > 3 for v in rows[1]))
        class C:
            n = 2.0
            m = [n * 1 for n in (1.0, 2.0)]
        print(C.n, C.m)
    """,
    "decorators and dataclasses": """
        from dataclasses import dataclass, field
        from functools import wraps, lru_cache, partial, reduce
        import functools
        def twice(f):
            @wraps(f)
            def inner(*a, **k):
                return f(*a, **k) * 2.0
            return inner
        @dataclass(order=True)
        class Layer:
            n: int
            w: list = field(default_factory=lambda: [0.5, 1.5])
            lr: float = 0.1
            def out(self, x: "float") -> float:
                '''Doc of out.'''
                return sum(w * x for w in self.w)
        @twice
        def f(x): 
            "Doc of f."
            return x + 1
        @lru_cache(maxsize=None)
        def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
        for _ in range(2):
            print(f(1.0), f.__name__, f.__doc__, Layer(2), Layer.out.__doc__, Layer(1).out(2.0), fib(10))
            print(Layer.__annotations__, Layer.out.__annotations__, Layer(1) < Layer(2))
            print(partial(f, 2.0)(), reduce(lambda a, b: a * b, [1.0, 2.0, 3.0]), fib.cache_info().hits > 5)
        from typing import NamedTuple
        from collections import namedtuple
        from enum import Enum
        class P(NamedTuple):
            x: float
            y: float = 2.0
        class Kind(Enum):
            A = 1
            B = 2.5
        def make():
            Q = namedtuple("Q", "a b")
            return Q(1.0, b=2.0), Q.__module__
        print(P(1.0), P(1.0).y * 2, Kind.B, Kind(1), make())
    """,
    "match": """
        def kind(v):
            match v:
                case 0.5: return "half"
                case -1.5 | 2: return "number"
                case [x, *rest] if x * 2 > 3: return f"list {x * 2} {rest}"
                case {"w": w, **o}: return w * 2.0, o
                case complex(real=r): return r
                case str() as s: return s * 2
                case _: return None
        for v in (0.5, -1.5, 2, [2.0, 1], [1], {"w": 1.5, "b": 0}, 2j, "ab"):
            print(kind(v))
    """,
    "async": """
        import asyncio
        async def half(x):
            await asyncio.sleep(0)
            return x * 0.5
        async def numbers(n):
            for i in range(n):
                yield i * 1.5
        class Manager:
            async def __aenter__(self): return 2.5
            async def __aexit__(self, *a): print("exit")
        async def main():
            async with Manager() as m:
                async for x in numbers(2):
                    print(x, await half(x), m)
            print([y async for y in numbers(2)], await asyncio.gather(half(1.0), half(2.0)))
            return [await half(z) for z in (1.0, 2.0)]
        print(asyncio.run(main()))
    """,
    "inspection": """
        import inspect, sys, traceback, warnings
        def where():
            frame = inspect.currentframe()
            return frame.f_lineno, frame.f_back.f_lineno, frame.f_back.f_code.co_name
        def who():
            return sys._getframe(1).f_code.co_name, [f.function for f in inspect.stack()][:3]
        def f(w, *, b=0.5):
            '''Doc.'''
            v = [w * k for k in (1.0, 2.0)]
            def g(x): return x + w
            return where(), who(), g(1.0)
        for _ in range(2):
            print(f(1.0), f.__doc__, inspect.signature(f), f.__code__.co_varnames, f.__qualname__)
            print(inspect.getsource(where).strip().splitlines()[0], f.__code__.co_firstlineno)
            print(sorted(f.__code__.co_freevars), f.__kwdefaults__, f.__defaults__)
            try:
                f(None)
            except TypeError:
                for line in traceback.format_exc().splitlines():
                    if "program.py" in line and "nntui" not in line: print(line.split(", ", 1)[1])
    """,
    "an own number class": """
        class Value:
            def __init__(self, data): self.data = data
            def __add__(self, o): return Value(self.data + (o.data if isinstance(o, Value) else o))
            __radd__ = __add__
            def __mul__(self, o): return Value(self.data * (o.data if isinstance(o, Value) else o))
            def __rmul__(self, o): return self * o
            def __neg__(self): return self * -1.0
            def __pow__(self, k): return Value(self.data ** k)
            def __lt__(self, o): return self.data < o.data
            def __iadd__(self, o): self.data += 1; return self
            def __matmul__(self, o): return "matmul"
            def __mod__(self, o): return "mod"
            def __getitem__(self, k): return self.data * k
            def __call__(self, x): return self.data * x
            def __bool__(self): return self.data > 0
            def __eq__(self, o): return NotImplemented
            def __len__(self): return 3
            def __repr__(self): return f"Value({self.data})"
            def __format__(self, s): return format(self.data, s)
        for i in range(2):
            a, b = Value(2.0), Value(i + 0.5)
            a += b
            print(a + b, 1.0 + a, 2 * a, -a, a ** 2, a < b, a @ b, a % b, a[2], a(1.5), sum([a, b], b))
            print(f"{a:.2f} {a!r}", "%s" % a, not a, a == b, a != b, len(a), max(a, b), sorted([b, a]))
    """,
    "numbers stay what they are": """
        import numpy as np, math
        for i in range(2):
            x = np.float32(1.5); y = np.float64(2); z = True; n = 3
            print(type(x * 2), type(x * 2.0), type(y + 1), type(z + 1), type(n / 2), type(abs(-n)))
            print(type(sum([1, 2])), type(max(1, 2.0)), type(round(2.5)), type(round(2.567, 1)), pow(2, 3))
            print(int(2.7), float("1.5"), float(3), bool(0.0), str(0.1 * 3), repr(x), divmod(7.5, 2))
            print(np.array([1, 2]) * 2, (np.arange(3) / 2).dtype, np.ones(2, np.float32) * 2.0)
            print(math.exp(1), math.floor(2.5), math.fsum([0.1] * 10), math.prod([1.5, 2]), -0.0 * 1)
            a = np.ones(3); b = a; a += 1; print(b, a is b); a = a + 1; print(b, a is b)
            c = np.arange(6.0).reshape(2, 3).T; d = c[1]; d *= 2; print(c.tolist(), d.base is not None)
            print(np.sum(a), a.mean(), a.max(), a.argmax(), a.tolist(), a.item(0), list(a), [*a])
            s = np.asarray(a); print(s is a, np.array(a) is a, a.reshape(3) is a, a.T is a)
            print(np.matrix([[1.0, 2], [3, 4]]) * np.matrix([[1.0], [1]]), 3 // 2, -7 // 2.0, 1 << 3, 6 & 3)
            print(sorted([0.3, 0.1]), min([2.0, 1.0], key=lambda v: -v), list(map(lambda v: v * 2, [1.5])))
            print(list(zip([1.0], a)), dict(enumerate(a)), list(reversed([1.0, 2.0])), sum(a, 0.5))
            print(np.vectorize(lambda v: v * 2)(a), np.apply_along_axis(lambda r: r.sum(), 0, c), str(a))
    """,
    "errors of NumPy": """
        import numpy as np, warnings, math
        tried = [lambda: np.dot(np.ones((2, 3)), np.ones((2, 3))), lambda: np.ones(3) + np.ones(4),
                 lambda: np.linalg.inv(np.zeros((2, 2))), lambda: math.log(0), lambda: 1.0 / 0,
                 lambda: np.ones(3)[5], lambda: np.ones(3)["a"], lambda: {}["k"], lambda: [].pop(),
                 lambda: np.random.rand(-1), lambda: float("x"), lambda: math.exp(1000), lambda: None + 1.0,
                 lambda: np.reshape(np.ones(3), (2, 2)), lambda: undefined, lambda: np.no_such, lambda: max([]),
                 lambda: np.add(1, 2, 3, 4), lambda: np.sum(1, no=2), lambda: np.array([[1], [1, 2.0]]), lambda: next(iter([]))]
        np.random.seed(3)
        for f in tried:
            try: print("worked", f())
            except Exception as e: print(type(e).__name__, str(e)[:60], e.__traceback__.tb_next is not None)
        x = np.ones(2)
        try: x[5] = 1.0
        except IndexError as e: print(e)
        try: x += np.ones(3)
        except ValueError as e: print(e, x)
        with np.errstate(all="raise"):
            try: np.log(np.zeros(2)) + 1
            except FloatingPointError as e: print(e)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            np.log(np.zeros(2)); np.exp(np.array([1000.0])); 1 / np.zeros(1)
            warnings.warn("mine")
            print([str(each.message) for each in seen], np.random.rand())
        def late():
            try: return np.ones(2) @ np.ones(3)
            except ValueError: return "late"
            finally: print("finally")
        print(late(), [late() for _ in range(1)])
        assert x.sum() == 2.0, "not reached"
        try: assert x.sum() == 3.0, f"sum {x.sum()}"
        except AssertionError as e: print(e)
    """,
    "long recursion": """
        import sys
        def depth(n): return 0.0 if n == 0 else depth(n - 1) + 1.0
        for _ in range(2):
            print(depth(int(sys.getrecursionlimit() * 0.8)))
    """,
    "a future import": '''
        """Doc of the module."""
        from __future__ import annotations
        def f(x: Undefined = 2.0) -> "Also": return x * 2
        print(__doc__, f(), f.__annotations__)
        for i in range(2): print(f(i * 0.5))
    ''',
    "names that shadow": """
        def slice(a): return a * 2
        def sum(xs): return "mine"
        list_ = [1.0, 2.0, 3.0]
        len = lambda x: 99
        for i in range(2):
            print(list_[0:2], slice(2.0), sum([1.0]), len(list_), list_[::-1], list_[i])
        print = (lambda p: lambda *a: p("!", *a))(print)
        print(1.0 * 2)
    """,
    "a long sum": "for i in range(2): print("
    + " + ".join(["i"] * 1_200)
    + ", len("
    + " + ".join(["'a'"] * 900)
    + "))",
    "nested definitions": """
        def a(x):
            def b(y):
                def c(z):
                    def d(w):
                        class K:
                            v = w * 2
                            def m(self): return self.v + x + y + z
                        return K().m()
                    return d(z * 2) + (lambda q: (lambda r: r * q * x)(2.0))(3.0)
                return c(y + 1)
            for k in range(2):
                def e(t=k): return t * 1.5
                class L:
                    def n(self): return [e(k) for _ in range(2)]
                print(e(), L().n())
            return b(x * 0.5)
        for i in range(2): print(a(i + 1.0))
    """,
}


def as_written(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def alternating(recorder: object, number: int) -> None:
    """On in one turn of a loop, off in the next."""
    turns = recorder.__dict__.setdefault("turns", {})
    turns[number] = turns.get(number, 0) + 1
    recorder.on = turns[number] % 2 == 0


def run_as(text: str, file: str, way: str) -> Run:
    if way == "instrumented":
        return run_instrumented(text, file, on=False)
    if way == "recorded":
        return run_instrumented(text, file, on=True)
    if way == "without loops":
        return run_instrumented(text, file, on=False, loops=())
    if way == "recorded without loops":
        return run_instrumented(text, file, on=True, loops=())
    return run_instrumented(text, file, on=False, hook=alternating)


pytestmark = pytest.mark.filterwarnings("ignore")

WAYS = ("instrumented", "recorded", "without loops", "recorded without loops", "alternating")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_prints_what_it_prints_alone(name: str, way: str, tmp_path: Path) -> None:
    text = as_written(PROGRAMS[name])
    file = written(tmp_path, text)
    assert run_as(text, file, way).output == run_plain(text, file).output


GENERIC = """
    def first[T](xs: list[T]) -> T: return xs[0]
    class Box[T]:
        def __init__(self, x: T): self.x = x * 2
    type Pair = tuple[float, float]
    for i in range(2): print(first([1.5, 2.0]), Box(2.0).x, Pair.__name__, f"{'a' + "b"}")
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is that of Python 3.12")
@pytest.mark.parametrize("way", WAYS)
def test_it_prints_what_it_prints_alone_in_newer_syntax(way: str, tmp_path: Path) -> None:
    text = as_written(GENERIC)
    file = written(tmp_path, text)
    assert run_as(text, file, way).output == run_plain(text, file).output


def test_an_array_of_one_passes_as_a_number_in_formats() -> None:
    text = "import numpy as np\nfor x in np.ones((2, 1)): print('%.1f %d' % (x, 3), '%f' % x)"
    for on in (False, True):
        assert run_instrumented(text, on=on).output == "1.0 3 1.000000\n" * 2


def test_lines_in_tracebacks_are_those_of_the_program(tmp_path: Path) -> None:
    text = as_written("""
        def f(x):
            y = x * 2
            for i in range(2):
                z = [v / i
                     for v in (y,)]
            return z
        f(1.0)
    """)
    for on in (False, True):
        with pytest.raises(ZeroDivisionError) as error:
            run_instrumented(text, written(tmp_path, text), on=on)
        lines = [entry.lineno + 1 for entry in error.traceback if "program.py" in str(entry.path)]
        assert lines[:2] == [7, 4]
