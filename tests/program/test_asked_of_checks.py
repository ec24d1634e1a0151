"""What `--parameters` and `--loss` of a check mean, and what is told where they mean nothing."""

from pathlib import Path

import pytest
from commands import command, refused

from nntui.program import ProgramCheck, check

DECAYING = """\
import numpy as np
rng = np.random.RandomState(0)
X = rng.randn(8, 2)
y = X @ np.array([[1.0], [2.0]])
class Net:
    def __init__(self):
        self.W = rng.randn(2, 1)
        self.b = np.zeros((1, 1))
    def forward(self, x):
        return x @ self.W + self.b
    def train(self, x, y, rate):
        out = self.forward(x)
        d = 2 * (out - y) / len(x)
        self.W -= rate * (x.T @ d + 0.5 * self.W)
        self.b += rate * d.sum()
net = Net()
for epoch in range(30):
    net.train(X, y, 0.05)
"""
"""Of two parameters one decays, and the other goes uphill."""
ONE_BY_ONE = """\
import numpy as np
def main():
    rng = np.random.RandomState(0)
    X, y = rng.randn(8, 2), rng.randn(8)
    w1, w2, rate = 0.3, -0.2, 0.05
    for epoch in range(30):
        for i in range(8):
            p = w1 * X[i, 0] + w2 * X[i, 1]
            e = p - y[i]
            w1 = w1 - rate * e * X[i, 0]
            w2 = w2 - rate * e * X[i, 1]
main()
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A program in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(DECAYING)
    return "net.py"


def verdicts(answer: ProgramCheck) -> dict[str, str]:
    return {each.name: each.verdict for each in answer.parameters}


@pytest.mark.parametrize("name", ["W", "net.W", "self.W"])
def test_the_parameters_named_are_the_only_ones(program: str, name: str) -> None:
    answer = check(program, parameters=[name], loss="np.mean((out-y)**2) + 0.25 * np.sum(net.W**2)")
    assert (answer.ok, verdicts(answer)) == (True, {"net.W": "right"})


def test_the_name_of_an_object_means_what_learns_in_it(program: str) -> None:
    assert set(verdicts(check(program, parameters=["net"]))) == {"net.W", "net.b"}


def test_a_parameter_that_is_named_and_never_updated_is_wrong(program: str) -> None:
    answer = check(program, parameters=["net.W", "X"])
    assert answer.ok is False
    assert verdicts(answer)["X"] == "never updated"


def test_a_name_that_means_no_parameter_is_refused_with_those_that_do(program: str) -> None:
    said = refused("check", program, "--parameters", "net.W,Q1")
    assert "no Q1 in the loop in line 17; its updates change net.W, net.b" in said


def test_a_parameter_that_no_update_changes_could_not_be_told(program: str) -> None:
    answer = check(program, parameters=["y"])
    assert answer.ok is None
    assert "no update changes y" in answer.reason


def test_a_loss_of_names_is_differentiated_at_the_weights_before_the_update(program: str) -> None:
    answer = check(program, loss="np.mean((net.forward(X) - y)**2) + 0.25 * np.sum(net.W**2)")
    assert verdicts(answer) == {"net.W": "right", "net.b": "wrong"}
    assert answer.confirmed
    factors = {each.name: each.factor for each in answer.parameters}
    assert factors["net.W"] == pytest.approx(0.05, rel=1e-6)
    assert factors["net.b"] is not None
    assert factors["net.b"] < 0
    assert answer.loss is not None
    assert (answer.loss.kind, answer.loss.line) == ("own", None)
    assert "as you asked" in command("check", program, "--loss", "np.mean((out - y)**2)").stdout


@pytest.mark.parametrize("loss", ["e**2 / 2", "(w1 * X[i, 0] + w2 * X[i, 1] - y[i])**2 / 2"])
def test_a_loss_means_the_turn_whose_update_it_belongs_to(program: str, loss: str) -> None:
    Path(program).write_text(ONE_BY_ONE)
    answer = check(program, loss=loss)
    assert (answer.ok, answer.confirmed) == (True, True)
    assert verdicts(answer) == {"w1": "right", "w2": "right"}


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        ("((", "--loss ((: '(' was never closed; it is an expression in the names of the program"),
        ("cross entropy", "invalid syntax"),
        (
            "np.sum(foo)",
            "there is no foo at the end of an update; there is X, y, net.W, net.b, out, d",
        ),
        ("net.foo", "'Net' object has no attribute 'foo'"),
        ("out - y", "is an array of shape (8, 1), not a number; take its sum or mean"),
        ("net", "is no number, but of type Net"),
    ],
)
def test_a_loss_that_means_nothing_is_refused(program: str, loss: str, told: str) -> None:
    assert told in refused("check", program, "--loss", loss)


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        ("3.5", "the loss 3.5 does not depend on what the updates change (net.W, net.b)"),
        ("categorical-cross-entropy", None),
    ],
)
def test_a_loss_is_never_replaced_by_another(program: str, loss: str, told: str | None) -> None:
    answer = check(program, loss=loss)
    assert answer.ok is not True
    if told is None:
        assert answer.loss is not None
        assert answer.loss.kind == loss
    else:
        assert answer.reason == told
