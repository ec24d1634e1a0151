"""Fewer tests whether numbers are finite find the same updates."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import preset

from nntui.compiler.calls.array_operations import Step
from nntui.compiler.calls.regions import Memory, View
from nntui.compiler.calls.watching import is_test, with_tests, without_superfluous
from nntui.compiler.recorded_program import Program
from nntui.core.engine.algebra import Single
from nntui.core.engine.data import load_data
from nntui.core.engine.reported_loss import ReportedLoss
from nntui.core.engine.stepper import Stepper
from nntui.core.engine.trainer import initial_state
from nntui.players.compiled_updates import CompiledUpdates
from nntui.presets.schema import override

Array = NDArray[np.float64]
WILD = (np.inf, -np.inf, np.nan)

x, y, z, one = (np.ones((3, 4)) for _ in range(4))
total = np.ones((3, 1))
NAMES = {"x": x, "y": y, "total": total}
x_is_made, z_doubles_x = partial(np.add, one, one, x), partial(np.multiply, x, 2.0, z)


def kept_tests(steps: list[Step]) -> list[View]:
    return [step.out for step in without_superfluous(steps) if is_test(step)]


@pytest.mark.parametrize(
    ("calls", "watched", "kept"),
    [
        ([partial(np.multiply, x, 0.0, y)], "x y", "y"),
        ([partial(np.tanh, x, y)], "x y", "x y"),
        ([partial(np.divide, 1.0, x, y)], "x y", "x y"),
        ([partial(np.divide, x, one, y)], "x y", "y"),
        ([partial(np.maximum, x, 0.0, out=y)], "x y", "x y"),
        ([z_doubles_x, partial(np.maximum, x, z, out=y)], "x y", "y"),
        ([partial(np.add.reduce, x, 1, None, total, True)], "x total", "total"),
        ([partial(np.maximum.reduce, x, 1, None, total, True)], "x total", "x total"),
        ([partial(np.add.reduce, x[:, :3], 1, None, total, True)], "x total", "x total"),
        ([z_doubles_x, partial(np.add, one, one, z), partial(np.add, z, one, y)], "x y", "x y"),
        ([z_doubles_x, partial(np.add, z, one, y), partial(np.add, one, one, z)], "x y", "y"),
    ],
)
def test_a_number_that_enters_a_tested_sum_or_product_needs_no_test(
    calls: list[Any], watched: str, kept: str
) -> None:
    program = Program([])
    steps = program.translator.steps([x_is_made, *calls])
    of = {name: program.memory.view(NAMES[name]) for name in watched.split()}
    tested = with_tests(steps, [NAMES[name] for name in of], program.memory)
    assert [step.out for step in tested if is_test(step)] == list(of.values())
    assert kept_tests(tested) == [of[name] for name in kept.split()]


def seen(view: View, memory: Memory) -> Array:
    """The numbers of a view."""
    start = memory.regions[view.region].values[view.offset :]
    strides = [8 * stride for stride in view.strides]
    return np.lib.stride_tricks.as_strided(start, view.shape, strides)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("square-leaky-relu", {"data.samples": 5, "layers": [{"units": 3}, {"units": 1}]}),
        ("xor-relu", {}),
        ("xor-sigmoid", {"training.optimiser": "adam"}),
        ("add-tanh", {"training.optimiser": "rmsprop"}),
    ],
)
def test_whatever_number_becomes_infinite_the_tests_that_are_kept_find_it(
    name: str, changes: dict[str, Any]
) -> None:
    configuration = override(preset(name), changes).configuration
    stepper = Stepper(configuration)
    reported = ReportedLoss(configuration, stepper.theta, Single())
    program = CompiledUpdates(
        configuration, stepper, reported, ordered=False, watched=True
    ).translate()
    piece, memory = program.pieces[0], program.memory
    update, batch = stepper.batches(load_data(configuration).xy)[0]
    tested = with_tests(piece.steps, piece.watched, memory)
    every = [seen(step.out, memory) for step in tested if is_test(step)]
    kept = [seen(view, memory) for view in kept_tests(tested)]
    assert len(kept) < len(every)
    state, random = initial_state(configuration, 1), np.random.RandomState(0)
    found = 0
    for number, step in enumerate(piece.steps[: len(update.calls)]):
        for value in WILD:
            stepper.restore(state.theta)
            update.batch[...] = batch
            with np.errstate(all="ignore"):
                for at, call in enumerate(update.calls):
                    call()
                    if at == number:
                        out = seen(step.out, memory)
                        out[tuple(random.randint(size) for size in out.shape)] = value
            wild = not all(np.isfinite(each).all() for each in every)
            assert wild == (not all(np.isfinite(each).all() for each in kept)), (number, value)
            found += wild
    assert found > len(update.calls)
