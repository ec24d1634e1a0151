"""The compiler computes what NumPy computes, for every call that can be recorded."""

import ctypes
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nntui.compiler.calls.array_operations import ELEMENTWISE
from nntui.compiler.calls.regions import NotCompilableError
from nntui.compiler.machine import Machine
from nntui.compiler.object_cache import ObjectCache
from nntui.compiler.recorded_program import Program, Written, with_entries

Array = NDArray[np.float64]
NOTHING = ObjectCache(None)
ULPS = 8
"""Units in the last place by which a function may differ from NumPy's, which has its own."""
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, 1e-300, -1e-300, 1e300, -1e300, 709.7, 709.9, -744.0]
EDGES += [-746.0, 20.0, -20.0, 1e-9, -1e-9, np.inf, -np.inf, np.nan]


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine()


def run(machine: Machine, written: Written, name: str = "all") -> None:
    """Call a function of a program."""
    function = machine.compiled(with_entries(written), NOTHING).function(
        f"run.{name}", ctypes.c_void_p
    )
    function((ctypes.c_void_p * len(written.buffers))(*(x.ctypes.data for x in written.buffers)))


def played(machine: Machine, calls: list[Any], kept: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """What compiled ``calls`` leave in the buffers ``kept``, which NumPy then gets back."""
    before = [each.copy() for each in kept]
    program = Program(kept)
    program.add("all", program.translator.steps(calls))
    run(machine, program.written(kept))
    found = [each.copy() for each in kept]
    for each, values in zip(kept, before, strict=True):
        each[...] = values
    return found


def test_every_function_is_that_of_numpy_to_the_last_digits(machine: Machine) -> None:
    random = np.random.RandomState(0)
    x = np.concatenate(
        [EDGES, random.randn(500), 10 * random.randn(500), np.exp(30 * random.randn(500))]
    )
    y = np.concatenate([x[::-1][: len(EDGES)], random.randn(len(x) - len(EDGES))])
    calls, outs, kept = [], {}, [x, y]
    for ufunc, name in ELEMENTWISE.items():
        if ufunc.types[0].endswith("?"):
            continue  # a comparison, which has its own test
        # Other code is made for whole vectors and for a single number.
        for part in (slice(0, len(x) // 8 * 8), slice(len(x) - 1, None)):
            out = np.zeros(len(x[part]))
            operands = (x[part],) if ufunc.nin == 1 else (x[part], y[part])
            calls.append(partial(ufunc, *operands, out=out))
            outs[name, part.start] = out
            kept.append(out)
    found = dict(zip(outs, played(machine, calls, kept)[2:], strict=True))
    with np.errstate(all="ignore"):
        for call in calls:
            call()
    for name, out in outs.items():
        finite = np.isfinite(out)
        np.testing.assert_array_equal(found[name][~finite], out[~finite], err_msg=str(name))
        error = np.abs(found[name][finite] - out[finite])
        # The logarithm of a sum near 1 is a difference of larger numbers, for both.
        size = np.maximum(np.abs(out[finite]), 1.0 if name[0] == "logaddexp" else 0.0)
        assert (error <= ULPS * np.spacing(size)).all(), name


def test_sums_products_choices_and_copies_are_those_of_numpy(machine: Machine) -> None:
    random = np.random.RandomState(1)
    W, x, delta = random.randn(5, 70), random.randn(70, 37), random.randn(5, 37)
    z, gW, gb, up = np.zeros((5, 37)), np.zeros((5, 70)), np.zeros((5, 1)), np.zeros((70, 37))
    row, top, all_of = np.zeros((1, 37)), np.zeros((1, 37)), np.zeros((1, 1))
    mask, chosen, filled = np.zeros((5, 37), dtype=bool), np.zeros((5, 37)), np.zeros((3, 2))
    many, narrow, wide = random.randn(4, 3, 6), random.randn(3, 2, 1), np.zeros((4, 2, 6))
    vector, into = random.randn(70, 1), np.zeros((5, 1))
    calls = [
        partial(W.dot, x, z),
        partial(delta.dot, x.T, gW),
        partial(delta.dot, np.ones((37, 1)), gb),
        partial(W.T.dot, delta, up),
        partial(W.dot, vector, into),
        partial(np.add.reduce, z, 0, None, row, True),
        partial(np.maximum.reduce, z, 0, None, top, True),
        partial(np.add.reduce, row, 1, None, all_of, True),
        partial(np.greater, z, delta, mask),
        partial(np.copyto, chosen, delta),
        partial(np.copyto, chosen, z, where=mask),
        partial(np.subtract, chosen, row, chosen),
        partial(filled.fill, 2.5),
        partial(np.einsum, "oir,ibr->obr", many, narrow, out=wide),
    ]
    kept = [z, gW, gb, up, into, row, top, all_of, chosen, filled, wide]
    found = played(machine, calls, [*kept, W, x, delta, vector, many, narrow])
    for call in calls:
        call()
    for mine, theirs in zip(found, kept, strict=False):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13)


def test_a_buffer_that_is_changed_in_place_is_read_before(machine: Machine) -> None:
    a = np.arange(12.0).reshape(3, 4)
    scratch = np.zeros((3, 4))
    calls = [
        partial(np.add, a, a, scratch),
        partial(np.multiply, scratch, a, a),
        partial(np.add, a[:1], a[1:2], a[:1]),
    ]
    (found,) = played(machine, calls, [a])
    for call in calls:
        call()
    np.testing.assert_array_equal(found, a)


def test_what_depends_on_a_sign_alone_is_that_of_numpy(machine: Machine) -> None:
    x = np.array(EDGES)
    sign, scaled, made = (np.zeros(len(x)) for _ in range(3))
    for factor in (0.01, -3.0, 0.0):
        for extreme in (np.maximum, np.minimum):
            calls = [
                partial(np.sign, x, sign),
                partial(np.multiply, sign, factor, scaled),
                partial(extreme, sign, scaled, out=made),
                partial(np.multiply, 2.0, made, scaled),
                partial(extreme, scaled, made, out=made),
            ]
            (found, _) = played(machine, calls, [made, x])
            for call in calls:
                call()
            np.testing.assert_array_equal(found, made)


@pytest.mark.parametrize("width", [201, 600, 47])
def test_large_buffers_between_operations_have_rows_of_their_own(
    machine: Machine, width: int
) -> None:
    random = np.random.RandomState(2)
    x, W, out = random.randn(1, width), random.randn(30, 1), np.zeros((30, 3))
    z, h, turned = np.zeros((30, width)), np.zeros((30, width)), np.zeros((width, 30))
    column, corner, one_row = np.zeros((30, 1)), np.zeros((4, 9)), np.zeros((1, width))
    across, part = np.zeros((30, width)), np.zeros(700)
    calls = [
        partial(np.multiply, W, x, z),
        partial(np.maximum, z, 0.5, out=h),
        partial(np.add, h[3:9], 1.0, h[3:9]),
        partial(np.multiply, h[:, 5:], 2.0, h[:, 5:]),
        partial(np.positive, z.T, turned),
        partial(np.add, turned[7:11, 2:11], h[2:6, 8:17], corner),
        partial(np.add.reduce, h, 1, None, column, True),
        partial(np.add.reduce, z, 0, None, one_row, True),
        partial(h.dot, turned[:, :3], out),
        partial(np.multiply, W, x, across),
        partial(np.positive, across.reshape(-1)[100:800], part),
    ]
    kept = [out, column, corner, one_row, part]
    found = played(machine, calls, [*kept, x, W])
    for call in calls:
        call()
    for mine, theirs in zip(found, kept, strict=False):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


SQUARE = np.zeros((3, 3))


@pytest.mark.parametrize(
    "call",
    [
        partial(np.arctan, np.zeros(3), np.zeros(3)),
        partial(np.add.accumulate, np.zeros(3)),
        partial(np.add, np.zeros(3, dtype=np.float32), 1.0, np.zeros(3)),
        partial(np.add, np.zeros(3)[::-1], 1.0, np.zeros(3)),
        partial(np.multiply.reduce, np.zeros((3, 3)), 0, None, np.zeros((1, 3)), True),
        partial(np.subtract, SQUARE.T, SQUARE, SQUARE),
        partial(SQUARE.dot, np.eye(3), SQUARE),
        lambda: None,
    ],
)
def test_a_call_that_is_not_known_is_refused(call: Any) -> None:
    with pytest.raises(NotCompilableError):
        Program([]).translator.steps([call])


TEXT = """define i64 @it() {
entry:
  ret i64 7
}"""


def test_code_is_kept_and_what_is_damaged_is_made_again(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path / "folder")
    assert Machine().compiled(TEXT, cache).function("it")() == 7
    (path,) = (tmp_path / "folder").iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[:20] + b"x" + whole[21:], whole + b"x", b"\0" * 200):
        path.write_bytes(damaged)
        assert Machine().compiled(TEXT, cache).function("it")() == 7
        assert path.read_bytes() == whole


def test_a_folder_that_cannot_be_written_keeps_nothing_and_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    cache = ObjectCache(tmp_path / "file" / "folder")
    assert Machine().compiled(TEXT, cache).function("it")() == 7
    assert not cache.write("key", b"code")
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ObjectCache(tmp_path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert not cache.write("key", b"code")
    assert list(tmp_path.iterdir()) == []


def test_the_files_that_were_used_least_recently_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    from nntui.compiler import object_cache

    cache = ObjectCache(tmp_path)
    for at, key in enumerate("abc"):
        cache.write(key, b"x" * 1000)
        os.utime(tmp_path / key, (at, at))
    monkeypatch.setattr(object_cache, "MOST_BYTES", 2500)
    assert cache.read("a") is not None
    cache.write("d", b"x" * 1000)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "d"]
