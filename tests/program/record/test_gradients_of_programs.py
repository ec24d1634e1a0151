# ruff: noqa: E501 -- the programs within are as persons write them
"""What is recorded of a program gives its true gradient: finite differences of the plain run."""

import textwrap
from typing import Any

import numpy as np
import pytest
from instrumented import run_instrumented, run_plain

from nntui.program.record.adjoints import adjoints
from nntui.program.record.recompute import replay

pytestmark = pytest.mark.filterwarnings("ignore")

# Each computes `y` from `w`, an array of shape (3, 4) between 0.5 and 1.5.
PROGRAMS = {
    "operators": "y = np.sum(2 * w - w / 3 + w ** 2 @ np.ones(4) [:, None] + -w * w % 7 + 1 / w)",
    "views": """
        a = w.T; b = a[1:, ::2]; c = w[0]; d = w[..., None]; e = w.reshape(2, 6); f = w.ravel()
        y = np.sum(a * 2) + np.sum(b ** 2) + c @ c + np.sum(d * d) + np.sum(e[1] * f[:6]) + w[::-1][0, 1]
    """,
    "writing through views": """
        v = w.copy()
        r = v[0]; r -= 0.1 * w[1]
        r[1:] *= w[2, 1:]
        v.T[0] += w[0, 0]
        v[:, 1] = w[:, 2] * v[:, 3]
        v[1, 2] = w[0, 1] ** 2
        v[2, 3] += w[1, 1] * 3
        v[2][0] = w[0, 0]
        y = np.sum(v ** 2) + r @ r
    """,
    "aliases": """
        class N: pass
        n = N(); n.W = [w * 1.0, w * 2.0]
        u = n.W[0]; u -= 0.5 * w
        n.W[1] += u
        n.W[1][0] -= u[1]
        for p in n.W: p *= 1.5
        for i, p in enumerate(n.W): n.W[i] = p - 0.1 * w
        y = np.sum(n.W[0] * n.W[1])
    """,
    "masks and fancy indices": """
        v = w * 1.0
        v[w > 1] = 0
        v[w <= 0.7] *= 3
        m = v[w < 1.2]
        u = v[[0, 2], [1, 3]]; t = w[np.arange(3), [1, 0, 2]]; s = v[:, [0, 0, 1]]
        v[[0, 1]] += w[[1, 2]]
        i = np.argmax(w, axis=1)
        y = np.sum(m ** 2) + u @ u + np.sum(np.log(t)) + np.sum(s * s) + np.sum(w[np.arange(3), i]) + np.sum(v**3)
    """,
    "out=": """
        a = w * 2; b = np.empty((3, 4))
        np.add(a, w, out=a)
        np.multiply(a, w, b)
        np.clip(b, 0.8, 4, out=b)
        np.exp(b[0], out=b[1])
        np.dot(w, w.T[:, :3], out=(c := np.zeros((3, 3))))
        w.sum(axis=0, out=(d := np.zeros(4)))
        np.divide(w, a, out=(e := np.ones((3, 4))), where=w > 1)
        np.dot(w, w.T[:, :3], f := np.zeros((3, 3))); np.clip(w, 0.8, 1.2, g := np.zeros((3, 4)))
        y = np.sum(e ** 2) + np.sum(f * c) + np.sum(g * w) + np.sum(a * b) + np.sum(c ** 2) + d @ d
    """,
    "add.at and others that change": """
        a = np.zeros(5); np.add.at(a, [0, 1, 0, 4], w[0])
        b = w.copy(); b.fill(2.0); np.fill_diagonal(b, w[0, 0]); b.put([1, 2], w[1, :2])
        c = np.zeros_like(w); np.copyto(c, w * 2); d = np.zeros((3, 4)); np.copyto(d, w, where=w > 1)
        e = w.copy(); e[:] = w[::-1]; e.sort(axis=1); np.put(e, [0], w[2, 2])
        np.subtract.at(e, (0, slice(None)), w[1])
        y = a @ a + np.sum(b ** 2) + np.sum(c * d) + np.sum(e ** 2 * np.arange(12).reshape(3, 4))
    """,
    "reductions": """
        y = (w.sum() + w.mean(axis=0).sum() * 2 + w.std() + w.var(axis=1, ddof=1).sum() + w.max(axis=1).sum() + np.min(w)
             + np.prod(w) + w.prod(axis=0) @ np.ones(4) + np.sum(w, axis=1, keepdims=True)[1, 0] ** 2 + np.mean(w, (0, 1))
             + np.linalg.norm(w) + np.linalg.norm(w, axis=1).sum() + np.linalg.norm(w, ord=1) + np.cumsum(w)[5]
             + np.cumsum(w, axis=1)[1] @ np.arange(4.0) + np.ptp(w) + np.median(w) + np.trace(w) + np.average(w)
             + np.average(w, axis=0, weights=[1, 2, 3.0]).sum() + np.add.reduce(w)[0] + np.maximum.reduce(w, axis=1).sum()
             + np.sum(w, where=w > 1) + np.add.accumulate(w, axis=1)[2, 3] + np.nansum(w) + np.diff(w).sum() * 2
             + np.sum(w, dtype=float) + w.sum(1)[0] + np.logaddexp.reduce(w[0]) + np.multiply.reduce(w[1]))
    """,
    "products": """
        a = w[0]; b = w[1]; c = w.T
        y = (np.dot(a, b) + w.dot(c).sum() + np.matmul(w, c)[0, 1] ** 2 + np.outer(a, b).sum() * 2 + np.inner(w, w)[0, 2]
             + np.tensordot(w, w, axes=([1], [1]))[0, 1] + np.tensordot(w, c, 1).sum() + np.einsum('ij,kj->ik', w, w)[1, 2]
             + np.einsum('ij,ij', w, w) + np.einsum('ij->', w) + np.einsum('ii->i', w[:, :3])[1] + np.vdot(a, b) + np.kron(a, b)[3]
             + np.multiply.outer(a, b)[1, 2] + np.cross(a[:3], b[:3])[0] + np.einsum('i,j->ij', a, b)[0, 1]
             + (w[None] @ c[None])[0, 1, 1] + np.dot(w, a)[2] + np.dot(2, w)[0, 0] + (np.ones((2, 3, 4)) @ a).sum()
             + np.linalg.inv(w[:, :3] + 3 * np.eye(3))[0, 1] + np.linalg.solve(w[:, :3] + np.eye(3), w[:, 3])[0]
             + np.convolve(a, b)[2] + np.linalg.det(w[:, :3]) + np.linalg.multi_dot([w, c, w])[0, 0])
    """,
    "pieces put together": """
        a, b = np.split(w, 2, axis=1); h = np.hstack([a, b]); v = np.vstack((w, 2 * w)); s = np.stack([a, b])
        c = np.concatenate([w, w], axis=1); q = np.c_[w, np.ones(3)]; r = np.r_[w[0], 1.0, w[1]]; z = np.column_stack((w[0], w[1]))
        i = np.insert(w, 0, 1.0, axis=1); p = np.append(w, w[0]); t = np.tile(w, 2); u = np.repeat(w, 2, axis=0); d = np.pad(w, 1)
        f = np.flip(w, 1); g = np.roll(w, 1); k = np.array([w[0], w[1] * 2]); l = np.array([[w[0, 0], 2.0], [w[1, 1], w[2, 2]]])
        m = np.diag(w[0]); n = np.block([[w, w]]); o = np.broadcast_to(w[0], (2, 4)); e = np.expand_dims(w, 0); j = np.delete(w, 0, 0)
        x = np.triu(w); aa = np.take(w, [0, 5]); bb = np.moveaxis(s, 0, 2); cc = np.atleast_2d(w[0]); dd = np.squeeze(e); ee = np.rot90(w)
        ff = np.meshgrid(w[0], w[1]); gg = np.diagonal(w); hh = np.lib.stride_tricks.sliding_window_view(w, (2, 2)); ii = np.where(w > 1)[0]
        k1 = np.array(list(w)); k2 = np.asarray([r for r in w]); k3 = np.array([list(r) for r in w]); k4 = np.concatenate(list(w))
        k5 = np.full((2, 2), w[0, 0]); k6 = np.array(w.tolist()); k7 = np.fromiter((q * 2 for q in w[0]), float); k8 = np.select([w > 1], [w], 0.5)
        y = sum(np.sum(each ** 2 * np.arange(each.size).reshape(each.shape)) for each in
            [h, v, s, c, q, r, z, i, p, t, u, d, f, g, k, l, m, n, o, e, j, x, aa, bb, cc, dd, ee, *ff, gg, hh, k1, k2, k3, k4, k5, k6, k7, k8])
    """,
    "functions": """
        u = w - 1
        y = np.sum(np.exp(u) + np.log(w) + np.tanh(u) + np.sqrt(w) + np.sin(u) + np.cos(u) + np.arctan(u) + np.log1p(w) + np.expm1(u)
            + np.square(u) + np.abs(u) + np.maximum(u, 0) + np.minimum(0.1, u) + np.where(u > 0, u, 0.01 * u) + np.clip(u, -0.2, 0.2)
            + np.power(w, 1.5) + np.logaddexp(0, u) + np.sign(u) * u + np.log2(w) + np.log10(w) + np.reciprocal(w) + np.cbrt(w)
            + np.hypot(u, w) + np.arctan2(u, w) + np.negative(u) + np.float_power(w, 2) + np.heaviside(u, 0) * u + np.exp2(u)
            + np.nan_to_num(u) + np.round(u) * u + np.real(u) + np.divide(u, w, where=w > 0, out=np.zeros_like(u)) + np.positive(u)
            + (u > 0) * u + (u > 0).astype(float) * w + w.clip(0.8, 1.2) + np.piecewise(u, [u < 0, u >= 0], [lambda x: 0.1 * x, lambda x: x * x])
            + np.sinh(u) + np.cosh(u) + np.arcsinh(u) + np.arctanh(u * 0.5) + np.sinc(u) + np.mod(w, 0.3) + np.fmax(u, 0) + np.interp(w, [0, 1, 2], [0, 1, 4])
            + np.select([u > 0, u <= 0], [u, 0.1 * u]) + np.choose((u > 0).astype(int), [u, 2 * u]) + np.ldexp(u, 2) + np.absolute(u) + w.round(1) * u)
    """,
    "functions of the program over elements": """
        def act(v): return v * v if v > 1 else 0.1 * v
        f = np.vectorize(act)
        a = f(w); b = np.apply_along_axis(lambda r: r / r.sum(), 1, w); c = list(map(act, w[0])); d = np.array([act(v) for v in w[1]])
        e = [act(v) for r in w for v in r]; g = np.vectorize(lambda p, q: p * q)(w, 2.0); h = np.array(list(map(lambda v: v * 3, w[2])))
        k = np.array([[act(w[i][j]) for j in range(4)] for i in range(3)]); z = np.zeros((3, 4))
        for i in range(3):
            for j in range(4): z[i][j] = act(w[i, j])
        y = np.sum(a * b) + sum(c) + d @ d + sum(e) + np.sum(g) + h @ h + np.sum(k ** 2) + np.sum(z ** 3)
    """,
    "lists of floats": """
        import math
        rows = w.tolist()
        total = 0
        for row in rows:
            s = 0.0
            for v, k in zip(row, range(4)): s += v * k
            total = total + 1.0 / (1.0 + math.exp(-s))
        out = [sum(a * b for a, b in zip(r, rows[0])) for r in rows]
        out[0] -= rows[1][1] * 0.5
        out[-1] = max(0.0, out[-1] - 1) + min(out) * 2 + max(rows[0][0], 0.1, rows[1][2]) + abs(-rows[0][0]) + pow(rows[0][1], 2)
        nested = [[math.tanh(v) for v in r] for r in rows]
        cols = list(zip(*nested)); d = {"w": [v * 2 for v in rows[1]]}
        d["w"][0] += d["w"][1]
        d["b"] = float(rows[2][3]); t = rows[0][0],; a, (b, *c) = rows[0][0], rows[1]
        i = 0
        while i < 3: total += rows[i][i] ** i; i += 1
        y = total + sum(out) + sum(map(sum, cols)) + sum(d["w"]) + d["b"] + t[0] * a * b * c[0] + math.sqrt(sum([v ** 2 for v in rows[0]]))
        y += math.fsum(rows[0]) + math.log(rows[0][0]) + round(rows[1][1]) * 0.5 + sum(rows[0], 1.5) + math.prod(rows[1]) + math.hypot(rows[0][0], rows[0][1]) + math.pow(rows[2][1], 1.5)
        y += (lambda p: p * 2)(rows[0][1]) + sum(sorted(rows[0])[:2]) + math.dist(rows[0], rows[1]) + rows[2].pop() * 2 + [*rows[0], 1.0][2] + divmod(rows[0][0], 0.3)[1]
    """,
    "elements taken apart": """
        a, b, c, d = w[0]; e, f = w[1, :2]; *g, = *w[2], 1.0
        y = a * b + c ** d + e * f + sum(g) + max(*w[1]) + sum([*w[2] * 2, 1.0])
        for p, q, *r in w: y += p * q + sum(r)
        for v in w.flat: y += v ** 3
        y += sum(p * q for p, q in w[:, :2]) + [s for s in reversed(w[0])][0] * 2 + sorted(w[1])[0] ** 2
        y += (lambda *k: k[0] * k[3])(*w[0]) + dict(zip("abcd", w[2]))["b"] ** 2 + set(w[0]).pop() * 0
        m, n = w[:2]; y += m @ n; u, = w[2:3]; y += u @ u; eval("y * 2")
        exec("w2 = w * 1.0; w2 *= 3"); x, z = (w2[0, 0], w2[1, 1]) if False else (w[0, 0], w[1, 1]); y += x * z
    """,
    "an own autodiff": """
        class V:
            def __init__(s, d): s.d, s.g, s.b = d, 0.0, lambda: None
            def __add__(s, o):
                o = o if isinstance(o, V) else V(o); r = V(s.d + o.d)
                def b(): s.g += r.g; o.g += r.g
                r.b = b
                return r
            def __mul__(s, o):
                o = o if isinstance(o, V) else V(o); r = V(s.d * o.d)
                def b(): s.g += o.d * r.g; o.g += s.d * r.g
                r.b = b
                return r
            __radd__, __rmul__ = __add__, __mul__
        vs = [V(v) for v in w[0]] + [V(float(v)) for v in w[1]] + [V(w[2])]
        out = sum((a * b for a, b in zip(vs[:4], vs[4:])), 2 * vs[0]) * V(0.5)
        out.g = 1.0; out.b(); r = (vs[-1] * vs[0] + 1).d
        y = out.d ** 2 + np.sum(r)
    """,
    "matrices": """
        m = np.matrix(w); a = np.asmatrix(np.ones((4, 1)))
        p = m * a; q = np.multiply(m, m); s = m[:, 0] - p; t = np.mat if False else m.T
        m2 = m.copy(); m2[0] = m2[0] - 0.1 * q.sum(axis=0); m2[1, 2] = m[0, 0] * 2
        b = np.power(s, 2).sum(axis=0) / 3 + (m[0] * t[:, 1]) + m.A1[2] + np.asarray(m).sum() + (t * m)[0, 0] + (m[:, :3] ** 2)[0, 1]
        m2 *= 2; m2 -= m
        y = float(b[0, 0]) + np.sum(np.asarray(m2) ** 2) + m.mean() + m.max(axis=1).sum() + np.dot(m, a).sum() + m.tolist()[0][1] + m.flatten()[0, 3]
    """,
    "arrays of arrays": """
        W = np.array([w, w[0]], dtype=object)
        b = np.empty(2, dtype=object); b[0], b[1] = w[1], w[2] * 2
        G = np.array([w * 0.1, w[0] * 0.2], dtype=object)
        W = W - 0.5 * G
        W -= G; b = -b; b *= 2
        y = np.sum(W[0] * W[1]) + b[0] @ b[1] + sum(np.sum(each ** 2) for each in W + b)
    """,
    "copies of structures": """
        import copy
        ps = {"W": [w * 1.0, w * 2], "b": w[0]}
        qs = copy.deepcopy(ps); rs = {k: np.copy(v) if k == "b" else [x.copy() for x in v] for k, v in ps.items()}
        ps["W"][0] *= 3; ts = copy.copy(ps["W"][1]); us = ps["W"][:]; us[0] += 1
        class P: pass
        p = P(); p.w = w[2] * 1.0; p2 = copy.deepcopy(p); p.w *= 5
        y = np.sum(ps["W"][0] * qs["W"][0]) + qs["b"] @ rs["b"] + np.sum(rs["W"][1] * ts) + p2.w @ p.w + sum(x.sum() for x in qs["W"])
    """,
    "functions that hand on": """
        from functools import reduce, partial
        import operator
        def split(v, n=2, *more, **other): return v[:n], v[n:], {"m": more[0] * 2 if more else v, **other}
        a, b, c = split(w[0], 2, w[1], k=w[2] * 3)
        d = partial(np.multiply, 2.0)(w); e = reduce(np.dot, [w, w.T, w]); f = reduce(lambda p, q: p + q, [w, w * 2])
        g = [f for f in (np.tanh, np.exp)][1](w); h = getattr(np, "sin")(w); k = getattr(w, "T") * 2; o = operator.mul(w, w)
        fs = {"relu": lambda z: np.maximum(0, z - 1), "id": lambda z: z}; u = fs["relu"](w) + fs["id"](w)
        def gen():
            for r in w: yield r * 2
        n = sum(gen()); s = next(gen()); t = (lambda *xs: sum(xs))(*w)
        def rec(i): return w[0] if i == 0 else np.tanh(rec(i - 1)) * w[i % 3]
        y = sum(np.sum(v ** 2) for v in (a, b, c["m"], c["k"], d, e * 0.1, f, g, h, k, o, u, n, s, t, rec(3)))
    """,
    "classes of arrays": """
        class A(np.ndarray): pass
        class B(np.ndarray):
            def __sub__(self, o): return np.subtract(np.asarray(self), o) * 2
        a, b = w.view(A), (w * 1.0).view(B)
        c = a * 2 + a; c -= 0.5 * w
        y = np.sum(np.asarray(c) ** 2) + np.sum(b - 1) + np.asarray(a @ w.T).sum()
    """,
    "float32 and ints": """
        a = w.astype(np.float64); n = np.arange(4); i = np.array([[1, 0, 2, 1]]); x = np.float64(w[0, 0]); t = np.float64(3)
        z = a * n + i @ np.ones((4, 4)) * a[0]; k = a[1][i]; c = 0
        for r in a:
            c += 1; z[0] += r / c
        y = np.sum(z) + np.sum(k ** 2) + x * t + x ** 2 + a[0].item(1) * 2 + float(a[0, 0]) + a.flat[5] ** 2 + int(a[0, 0] * 10) * x + np.float64(2.5) * a[2, 2]
    """,
    "control flow": """
        y = 0
        for r in w:
            for v in r:
                if v > 1.2: continue
                try:
                    if v < 0.6: raise ValueError
                    y += v * v
                except ValueError: y -= v
                finally: y = y * 1.1
            else: y = y + r[0] if r[0] > r[1] else y - r[1]
        with np.errstate(all="ignore"): y += np.sum(np.log(w))
        assert y is not None
        match y:
            case float() as q: y = q * 2
            case _: y = y * 2.0
        y += [v for v in w[0] if v > 0][0] + (w[1, 1] and w[1, 2]) + (q := w[2, 0] * 2) * q
    """,
    "globals and classes": """
        state = {"w": w}
        class Layer:
            lr = 0.1
            count = 0
            def __init__(self, w): self.w = w; self.__m = np.zeros_like(w); Layer.count += 1
            def forward(self, x): self.x = x; return np.dot(x, self.w)
            def update(self, g):
                self.__m = 0.9 * self.__m + g
                self.w -= self.lr * self.__m; self.b = self.w[0]; self.b += 1
            @property
            def norm(self): return np.sum(self.w ** 2)
            def __call__(self, x): return self.forward(x) * 2
        l = Layer(w * 1.0); ls = [l, Layer(w[:, :2] + 0)]
        def run():
            global total
            total = 0
            for each in ls:
                out = each(np.ones((2, 3))); each.update(each.w * out.sum()); total += each.norm
            return total
        y = run() + state["w"].sum()
    """,
}


def direction_of(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(1).standard_normal(shape)


def weights() -> Any:
    return 0.513 + np.random.default_rng(4).permutation(12).reshape(3, 4) / 11.3


def result(text: str, w: Any) -> float:
    return float(run_plain(text, names={"np": np, "w": w}).namespace["y"])


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    text = PROGRAMS[request.param]
    return textwrap.dedent(text).strip("\n")


def recorded(text: str) -> Any:
    return run_instrumented(text, names={"np": np, "w": weights()})


def test_the_adjoint_is_the_slope_of_the_plain_run(program: str) -> None:
    run = recorded(program)
    end, start = run.node("y"), run.nodes[0]
    assert start.name == "w"
    gradient = adjoints(run.nodes, {end: 1.0})[0]
    w, direction, step = weights(), direction_of((3, 4)), 1e-5
    slope = (result(program, w + step * direction) - result(program, w - step * direction)) / step
    assert np.sum(gradient * direction) == pytest.approx(slope / 2, rel=2e-7, abs=1e-7)
    assert float(run.namespace["y"]) == result(program, w)


def test_the_record_computed_again_gives_the_same_bits(program: str) -> None:
    run = recorded(program)
    leaves = {node.number: node.value for node in run.nodes if node.operation == "leaf"}
    values = replay(run.nodes, leaves)
    for node in run.nodes:
        again = np.asarray(values[node.number])
        assert again.tobytes() == np.asarray(node.value).tobytes(), node
        assert again.shape == np.shape(node.value)
        assert type(values[node.number]) is type(node.value), node


def test_the_record_computed_again_follows_other_weights(program: str) -> None:
    """But for what the program decides by `if`, which a record cannot change."""
    run = recorded(program)
    w = weights() + 1e-6 * direction_of((3, 4))
    end = run.node("y").number
    again = float(replay(run.nodes, {0: w})[end])
    assert again == pytest.approx(result(program, w), rel=1e-12)


def test_nothing_changes_unseen(program: str) -> None:
    run = recorded(program)
    assert [node for node in run.nodes if node.name == "changed unseen"] == []
    assert run.recorder.warnings == []
