"""The loss that is read off the running program is that of the recorded update, of every kind."""

from pathlib import Path

import numpy as np
import pytest
from controlled import alone, written

from nntui.program.checking import CheckRequest
from nntui.program.control.travel.series import LossSite, Series
from nntui.program.debugging.program_run import ProgramRun
from nntui.program.debugging.snapshot_of_run import seen_of
from nntui.program.record.places import Site

START = """
    import numpy as np
    rng = np.random.RandomState(2)
    X, W = rng.randn(8, 3), 0.1 * rng.randn(3, 4)
    """
KINDS = {
    "squared-error": """
    Y = rng.randn(8, 4)
    for k in range(9):
        P = X @ W
        W = W - 0.05 * X.T @ (P - Y)
    print(W)
    """,
    "categorical-cross-entropy": """
    y = rng.randint(0, 4, 8)
    for k in range(9):
        E = np.exp(X @ W)
        P = E / E.sum(axis=1, keepdims=True)
        P[np.arange(8), y] -= 1
        W = W - 0.05 * X.T @ P
    print(W)
    """,
    "sum": """
    Y = rng.randn(8, 4)
    for k in range(9):
        loss, G = 0.0, np.zeros((3, 4))
        for x, y in zip(X, Y):
            e = x @ W - y
            loss += float(e @ e)
            G += 2 * np.outer(x, e)
        W = W - 0.02 * G
    print(W)
    """,
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_that_of_the_recorded_update(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, START + KINDS[kind])
    run = ProgramRun(CheckRequest(path))
    try:
        run.open()
        known = run.branch.insight
        assert known is not None
        assert known.loss_sites[0]["kind"] == kind
        recorded = []
        for update in (0, 3, 8):
            run.seek(update)
            recorded.append(run.look().loss)
        run.seek(1 << 60)
        losses = run.branch.record.by_update.read()
        assert len(losses) == 9
        assert losses[[0, 3, 8]] == pytest.approx(recorded)
        assert seen_of(run).output == alone(path).stdout
    finally:
        run.close()


def test_a_prediction_that_is_sure_and_right_costs_nothing() -> None:
    site = Site("net.py", 1, 0, 1, 5, paired=True)
    series = Series([LossSite(site, "binary-cross-entropy")])
    series.seen(0, np.array([1.0, 0.0, 0.5]), np.array([1.0, 0.0, 1.0]))
    series.begin(1)
    series.seen(0, np.array([0.0]), np.array([1.0]))
    series.begin(2)
    (taken,) = series.take()["read"]
    assert taken["updates"].tolist() == [0, 1]
    assert taken["losses"].tolist() == [np.log(2.0), np.inf]
    assert len(series.take()["read"][0]["losses"]) == 0


def test_of_several_values_in_an_update_one_counts() -> None:
    site = Site("net.py", 1, 0, 1, 5)
    series = Series([LossSite(site, "own", nth=1)])
    for value in (1.0, 2.0, 3.0):
        series.seen(0, value, None)
    series.begin(1)
    series.begin(2)  # an update that did not come by the site has no loss
    series.seen(0, 7.0, None)
    series.begin(3)
    (taken,) = series.take()["read"]
    assert taken["updates"].tolist() == [0, 2]
    assert taken["losses"].tolist() == [2.0, 7.0]
