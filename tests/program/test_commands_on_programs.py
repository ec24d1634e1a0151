"""The command line where it takes a program: options, arguments behind --, exit codes."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from commands import command, parsed, printed, refused
from program_answers import RIGHT, UNTOLD, WRONG

from nntui.presets import load_preset, to_toml
from nntui.program import ProgramCheck, ProgramError, check
from nntui.program.answer_in_words import render_program_check
from nntui.program.recognise.recognised import Recognised

Asked = list[tuple[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A program in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text("x = 1.0\nfor i in range(9):\n    x -= 0.1 * x\n")
    return "net.py"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What is asked of a judge that finds every program wrong."""
    return judged(monkeypatch, WRONG)


def judged(
    monkeypatch: pytest.MonkeyPatch, answer: ProgramCheck | ProgramError | signal.Signals
) -> Asked:
    """Let every check end with ``answer``: a verdict, an error or a signal."""
    calls: Asked = []

    def check(*arguments: Any, **options: Any) -> ProgramCheck:
        calls.append((arguments, options))
        if isinstance(answer, ProgramError):
            raise answer
        if isinstance(answer, signal.Signals):
            signal.raise_signal(answer)
            pytest.fail("the signal did not end it")
        return answer

    monkeypatch.setattr("nntui.program.checking.check", check)
    return calls


PLAIN = {
    "seed": None,
    "loop": None,
    "loss": None,
    "parameters": None,
    "time": 10.0,
    "allow_effects": False,
    "python": None,
    "diff": False,
}


def test_every_option_reaches_the_check(asked: Asked) -> None:
    command("check", "net.py")
    assert asked.pop() == (("net.py", ()), PLAIN)
    command(
        *("check", "--seed", "3", "net.py", "--loop=44", "--loss", "np.mean((y - a)**2)"),
        *("--parameters", "W1, b1,net.W[0, 1],p['W2']", "--time", "2.5", "--allow-effects"),
        *("--python", "python3.12", "--diff", "--json"),
    )
    (arguments, options) = asked.pop()
    assert arguments == ("net.py", ())
    assert options == {
        "seed": 3,
        "loop": 44,
        "loss": "np.mean((y - a)**2)",
        "parameters": ("W1", "b1", "net.W[0, 1]", "p['W2']"),
        "time": 2.5,
        "allow_effects": True,
        "python": "python3.12",
        "diff": True,
    }


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        ("check net.py --", ""),
        ("check net.py -- --json --seed 7", "--json --seed 7"),
        ("check net.py -- a -- b", "a -- b"),
        ("check --seed 1 net.py -- a.py", "a.py"),
        ("check -- net.py -- a", "a"),
        ("check --loss x.py net.py -- a", "a"),
        ("check net.py --seed 2 -- -h", "-h"),
    ],
)
def test_what_stands_behind_two_dashes_is_the_program_s(
    asked: Asked, line: str, behind: str
) -> None:
    assert command(*line.split()).returncode == 1
    assert asked == [(("net.py", tuple(behind.split())), asked[0][1])]


@pytest.mark.parametrize(
    ("answer", "code"), [(RIGHT, 0), (WRONG, 1), (UNTOLD, 3)], ids=["right", "wrong", "untold"]
)
def test_the_exit_code_is_the_verdict(
    monkeypatch: pytest.MonkeyPatch, answer: ProgramCheck, code: int
) -> None:
    judged(monkeypatch, answer)
    done = command("check", "net.py")
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == render_program_check(answer) + "\n"
    done = command("check", "net.py", "--json")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (code, "", 1)
    assert parsed(done.stdout) == answer.as_json()


def test_a_diff_is_printed_where_it_is_asked_for(asked: Asked) -> None:
    assert WRONG.diff is not None
    assert WRONG.diff not in command("check", "net.py").stdout
    assert WRONG.diff in command("check", "net.py", "--diff").stdout
    assert parsed(command("check", "net.py", "--diff", "--json").stdout)["diff"] == WRONG.diff


def test_numbers_that_are_not_finite_are_null(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *rest) = RIGHT.parameters
    odd = replace(first, factor=float("nan"), residual=float("inf"))
    judged(monkeypatch, replace(RIGHT, parameters=(odd, *rest)))
    (told, *_) = printed("check", "net.py", "--json")["parameters"]
    assert (told["factor"], told["residual"]) == (None, None)


def test_what_cannot_be_looked_at_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "net.py:3: it stopped before its first update: ZeroDivisionError: division by zero"
    judged(monkeypatch, ProgramError(said))
    assert refused("check", "net.py") == f"nntui: {said}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_check_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    judged(monkeypatch, number)
    done = command("check", "net.py", "--json")
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("check net.py more", "unexpected extra argument (more)"),
        ("check add-relu -- more", "unexpected extra argument (more)"),
        ("check net.py --set a=b", "--set belongs to a preset"),
        ("check net.py --at-update 0", "--at-update belongs to a preset"),
        ("why net.py --set a=b", "--set belongs to a preset"),
        ("check add-relu --loop 3", "--loop belongs to a program"),
        ("check add-relu --loss x", "--loss belongs to a program"),
        ("check add-relu --parameters W", "--parameters belongs to a program"),
        ("check add-relu --time 3", "--time belongs to a program"),
        ("check add-relu --diff", "--diff belongs to a program"),
        ("check add-relu --allow-effects", "--allow-effects belongs to a program"),
        ("why add-relu --python x", "--python belongs to a program"),
        ("show add-relu --python x", "--python belongs to a program"),
        ("check net.py --seed -1", "seed -1 is not allowed"),
        ("check net.py --seed 4294967296", "seed 4294967296 is not allowed"),
        ("check net.py --loop 0", "lines count from 1"),
        ("check net.py --time 0", "above 0, not 0"),
        ("check net.py --time nan", "above 0, not nan"),
        ("check net.py --time inf", "above 0, not inf"),
        ("check net.py --parameters W1,,b1", "name of a parameter is empty"),
        ("check net.py --loss=", "the loss is empty"),
        ("check net.py --python /nowhere/python", "there is no interpreter /nowhere/python"),
        ("check net.py --loop", "--loop"),
        ("check x.ipynb", "jupyter nbconvert --to script x.ipynb"),
        ("run x.ipynb", "is a notebook"),
        ("run net.py", "nntui run takes a preset, not a program; nntui show net.py > my.toml"),
        ("run net.py -- 3", "nntui show net.py > my.toml"),
        ("sweep net.py", "nntui show net.py > my.toml"),
        ("export net.py --as numpy", "nntui show net.py > my.toml"),
        ("net.py", "the app needs a terminal"),
        ("--ascii --fps 9 net.py -- a", "the app needs a terminal"),
        ("net.py --seed -1", "seed -1 is not allowed"),
        ("add-relu --seed 3", "--seed belongs to a program (FILE.py)"),
    ],
)
def test_what_does_not_go_together_is_one_line(program: str, line: str, told: str) -> None:
    assert told in refused(*line.split())


def shown(monkeypatch: pytest.MonkeyPatch, answer: Recognised) -> Asked:
    """Let every program be recognised as ``answer``."""
    calls: Asked = []

    def show(*arguments: Any, **options: Any) -> Recognised:
        calls.append((arguments, options))
        return answer

    monkeypatch.setattr("nntui.program.recognise.showing.show", show)
    return calls


def test_the_preset_of_a_program_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = to_toml(load_preset("xor-sigmoid"))
    asked = shown(monkeypatch, Recognised(text, None, None))
    done = command("show", "net.py", "--python", "python3.12", "--", "7")
    assert (done.returncode, done.stdout, done.stderr) == (0, text, "")
    assert asked == [(("net.py", ("7",)), {"allow_effects": False, "python": "python3.12"})]
    string = command("show", "net.py", "--string").stdout
    assert load_preset(string.strip()).configuration == load_preset("xor-sigmoid").configuration


def test_a_program_without_a_preset_says_which_part_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown(monkeypatch, Recognised(None, "a convolution has no counterpart", 31))
    done = command("show", "net.py")
    said = "nntui: no preset computes the same as net.py:31: a convolution has no counterpart\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", said)


@dataclass
class Explained:
    """An answer of why, as far as the command line knows it."""

    text: str = "slow.py: 50 updates: it does not learn."

    def as_json(self) -> dict[str, Any]:
        return {"program": "slow.py", "headline": None}


def explained(monkeypatch: pytest.MonkeyPatch, *signals: signal.Signals) -> Asked:
    """Let every program be explained, after ``signals`` arrive one by one."""
    calls: Asked = []

    def why(*arguments: Any, progress: Callable[[str, float], bool], **options: Any) -> Explained:
        calls.append((arguments, options))
        assert progress("checking", 0.1)
        for each in signals:
            signal.raise_signal(each)
        assert progress("trying", 0.2) is not bool(signals)
        return Explained()

    monkeypatch.setattr("nntui.program.why.explaining.why", why)
    return calls


def test_why_of_a_program_takes_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = explained(monkeypatch)
    done = command("why", "net.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{Explained.text}\n", "")
    arguments, options = asked.pop()
    assert options.pop("started") <= time.perf_counter()
    assert (arguments, options) == (("net.py", ()), {"time": 20.0, "allow_effects": False})
    line = "why net.py --seed 3 --seeds 7 --time 5 --allow-effects --python p --json -- --json"
    done = command(*line.split())
    assert parsed(done.stdout) == Explained().as_json()
    given = {"seed": 3, "seeds": 7, "time": 5.0, "allow_effects": True, "python": "p"}
    arguments, options = asked.pop()
    assert options.pop("started") <= time.perf_counter()
    assert (arguments, options) == (("net.py", ("--json",)), given)


def test_why_prints_what_was_found_when_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    explained(monkeypatch, signal.SIGINT)
    done = command("why", "net.py")
    assert (done.returncode, done.stdout) == (130, f"{Explained.text}\n")
    explained(monkeypatch, signal.SIGINT, signal.SIGTERM)
    done = command("why", "net.py")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_file_that_is_written_to_is_no_program(program: str) -> None:
    done = command("export", "--as", "numpy", "-o", "out.py", "--", "add-tanh")
    assert done.returncode == 0
    assert Path("out.py").is_file()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": -1}, "seed -1"),
        ({"loop": 0}, "lines count from 1"),
        ({"time": float("nan")}, "seconds above 0"),
        ({"time": 1e7}, "at most 86400 seconds"),
        ({"parameters": ["W", " "]}, "parameter is empty"),
        ({"loss": " "}, "loss is empty"),
    ],
)
def test_the_library_refuses_the_same(program: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ProgramError, match=told):
        check(program, **options)
    with pytest.raises(ProgramError, match=r"must end in \.py"):
        check("add-relu")
