"""The command line: what it prints, its exit codes, and one line for bad input."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from commands import command, printed, process, refusal, refused
from process_groups import at_work
from sessions_of_processes import members

import nntui
from nntui.cli import main
from nntui.cli_training import interruptible

PRESETS = 16


def test_presets_lists_the_library() -> None:
    rows = printed("presets", "--json")["presets"]
    assert len(rows) == PRESETS
    assert all(list(row) == ["name", "question", "goal", "epochs"] for row in rows)
    assert {"name": "add-relu", "goal": 1e-3, "epochs": 5000}.items() <= rows[0].items()
    text = command("presets").stdout
    assert all(row["name"] in text and row["question"] in text for row in rows)


def test_show_prints_a_preset_that_loads_again(tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_text(command("show", "xor-relu").stdout, encoding="utf-8")
    again, original = nntui.load_preset(str(copy)), nntui.load_preset("xor-relu")
    assert again.configuration == original.configuration
    assert nntui.Run(again, seed=3).state_hash == nntui.Run(original, seed=3).state_hash


def test_a_string_is_taken_wherever_a_preset_is(tmp_path: Path) -> None:
    text = command("show", "add-relu", "--string").stdout
    assert text.count("\n") == 1
    text = text.strip()
    run = ("--seed", "3", "--epochs", "2", "--json")
    assert printed("run", text, *run) == printed("run", "add-relu", *run)
    sweep = printed("sweep", text, "--seeds", "2", "--epochs", "2", "--json")
    assert sweep["preset"] == "add-relu"
    copy = tmp_path / "copy.toml"
    copy.write_text(command("show", text).stdout, encoding="utf-8")
    again = nntui.load_preset(str(copy))
    assert again.configuration == nntui.load_preset("add-relu").configuration
    assert "terminal" in refused(text)  # the app would open


def test_an_exported_script_prints_the_losses(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    how = ("--seed", "4", "--set", "training.momentum=0.5")
    done = command("export", "add-tanh", "--as", "numpy", *how, "-o", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert command("export", "add-tanh", "--as", "numpy", *how).stdout == file.read_text()
    script = subprocess.run([sys.executable, file, "5"], capture_output=True, text=True)
    told = [line.split() for line in script.stdout.splitlines() if not line.startswith("#")]
    expected = printed("run", "add-tanh", *how, "--epochs", "5", "--json")["losses"]
    # JSON has the index of an epoch; a text says how many are done.
    losses = [[int(epoch) - 1, float(loss)] for epoch, loss in told]
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-9)
    torch = command("export", "add-tanh", "--as", "pytorch")
    assert "import torch" in torch.stdout


def test_what_cannot_be_meant_is_said_in_one_line_and_trained() -> None:
    how = (
        "--set",
        "training.loss=binary-cross-entropy",
        "--set",
        "data.targets=[[-1],[1],[1],[2]]",
    )
    done = command("run", "xor-sigmoid", *how, "--epochs", "3")
    assert done.returncode == 0
    said = (
        "training.loss: binary-cross-entropy needs targets between 0 and 1, and these are -1 to 2"
    )
    assert done.stderr == f"nntui: warning: {said}\n"
    checked = command("check", "xor-sigmoid", *how)
    assert checked.stderr == done.stderr


def test_run_json_keeps_the_contract() -> None:
    result = printed("run", "add-relu", "--seed", "1", "--epochs", "7", "--json")
    assert list(result) == [
        "preset",
        "seed",
        "updates",
        "epochs",
        "status",
        "solved",
        "final_loss",
        "losses",
        "initial",
        "parameters",
        "outputs",
        "predictions",
        "diverged_at",
        "state_hash",
    ]
    run = nntui.Run(nntui.load_preset("add-relu"), seed=1)
    start = run.parameters
    run.step(42)
    assert (result["updates"], result["epochs"], result["status"]) == (42, 7, "budget")
    assert result["losses"] == [[epoch, loss] for epoch, loss in enumerate(run.losses.tolist())]
    assert result["final_loss"] == run.losses[-1]
    assert result["solved"] is False
    assert result["state_hash"] == run.state_hash
    assert result["predictions"] == []
    assert result["diverged_at"] is None
    assert np.array_equal(np.array(result["outputs"]).T, run.outputs)
    for layer, (W, b) in zip(result["initial"], start, strict=True):
        assert b is not None
        assert layer == {"W": W.tolist(), "b": b.tolist()}


def test_a_network_without_bias_says_null() -> None:
    result = printed("run", "xor-relu", "--epochs", "1", "--json")
    assert [layer["b"] for layer in result["parameters"]] == [None, None]
    assert np.array(result["parameters"][0]["W"]).shape == (10, 4)


def test_the_stop_rule_ends_a_run() -> None:
    result = printed("run", "line-leaky-relu-bias", "--json")
    assert (result["status"], result["solved"], result["epochs"]) == ("target", True, 2596)
    assert result["final_loss"] <= 1e-4 < result["losses"][-2][1]


def test_a_run_may_stop_inside_an_epoch() -> None:
    result = printed("run", "add-relu", "--updates", "8", "--json")
    assert (result["updates"], result["epochs"]) == (8, 1)
    nothing = printed("run", "add-relu", "--epochs", "0", "--json")
    assert (nothing["losses"], nothing["final_loss"]) == ([], None)


def test_predictions_take_constants_or_leave_them_out() -> None:
    result = printed(
        "run", "xor-relu", "--epochs", "2", "--predict", "0,1", "--predict", "0,1,1,1", "--json"
    )
    short, long = result["predictions"]
    assert short == long == result["outputs"][1]


def test_divergence_is_an_answer() -> None:
    result = printed(
        "run", "xor-relu", "--set", "training.learning_rate=1e5", "--epochs", "50", "--json"
    )
    assert result["status"] == "diverged"
    assert result["solved"] is False
    assert result["diverged_at"]["update"] == result["updates"]
    assert "layer" in result["diverged_at"]["what"]


def test_set_changes_any_entry() -> None:
    changed = printed(
        "run",
        "add-relu",
        "--set",
        "layers.1.activation=tanh",
        "--set",
        "training.momentum=0.9",
        "--set",
        "faults=[]",
        "--seed",
        "2",
        "--epochs",
        "3",
        "--json",
    )
    plain = printed("run", "add-relu", "--seed", "2", "--epochs", "3", "--json")
    assert changed["initial"] == plain["initial"]
    assert changed["losses"] != plain["losses"]


def test_a_run_in_words_tells_the_outcome() -> None:
    text = command("run", "add-relu", "--epochs", "20", "--predict", "0.1,0.2").stdout
    for part in ("add-relu, seed 0", "120 updates", "not solved", "f(0.1, 0.2) = 0"):
        assert part in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "xor-rellu"), "did you mean xor-relu"),
        (("xor-rellu",), "did you mean xor-relu"),
        (("show", "qqq"), "nntui presets lists them"),
        (("run", "missing.toml"), "no such file"),
        (("run", "add-relu", "--set", "layers.1.activaton=tanh"), "layers.1.activaton"),
        (("run", "add-relu", "--set", "layers.1.activation=tan"), "tanh"),
        (("run", "add-relu", "--set", "layers.7.units=3"), "layers.7.units"),
        (("run", "add-relu", "--set", "layers.2.units=3"), "the targets have 1 column"),
        (("run", "add-relu", "--set", "layers.0.units=200000"), "at most"),
        (("run", "square-leaky-relu", "--set", "data.samples=999999"), "allowed"),
        (("run", "add-relu", "--set", "training.learning_rate=nan"), "finite"),
        (("run", "add-relu", "--set", "faults=['bias-decai']"), "bias-decay"),
        (("run", "add-relu", "--set", "nonsense"), "KEY=VALUE"),
        (("run", "add-relu", "--seed", "-1"), "seed"),
        (("run", "add-relu", "--epochs", "-1"), "epochs"),
        (("run", "add-relu", "--epochs", "1", "--updates", "1"), "exclude"),
        (("run", "add-relu", "--predict", "a,b"), "--predict"),
        (("run", "add-relu", "--predict", "1,2,3"), "2 inputs"),
        (("run", "add-relu", "--nonsense"), "nonsense"),
        (("run", "nntui1-abc"), "cut off or altered"),
        (("nntui1-abc",), "cut off or altered"),
        (("show", "nntui2-abc"), "version"),
        (("show", "qqq", "--string"), "nntui presets lists them"),
        (("run", "houses.csv"), "nntui houses.csv makes a preset for it"),
        (("no-such.csv",), "there is no such file"),
        (("export", "add-relu"), "--as"),
        (("export", "add-relu", "--as", "matlab"), "numpy, pytorch"),
        (("export", "add-rellu", "--as", "numpy"), "did you mean add-relu"),
        (("export", "add-relu", "--as", "numpy", "--seed", "-1"), "seed"),
        (("export", "add-relu", "--as", "numpy", "--set", "training.momentum=2"), "less than 1"),
        (("export", "add-relu", "--as", "numpy", "-o", "/nowhere/x.py"), "cannot be written"),
        (("export", "add-relu", "--as", "numpy", "-o", "/"), "nntui: /: is not a regular file"),
        (("run",), "PRESET"),
        (("--nonsense",), "nonsense"),
        (("--fps", "0"), "1<=x<=60"),
        (("add-relu", "--fps=fast"), "fast"),
        (("--color", "red", "add-relu"), "truecolor"),
        (("--ascii", "add-rellu"), "did you mean add-relu"),
        (("open", "--fps"), "argument"),
        (("open", "missing.nntui", "--ascii"), "missing.nntui"),
        (("run", "add-relu", "--ascii"), "--ascii"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(*arguments)


def test_broken_toml_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[data]\ninputs = [[1], [2]\ntargets = ]\n", encoding="utf-8")
    said = refused("run", str(file))
    assert "mine.toml" in said
    assert "line 3" in said


def test_the_app_needs_a_terminal_and_names_what_does_not() -> None:
    for arguments in ((), ("add-relu",)):
        said = refusal(process(*arguments))
        assert "terminal" in said
        assert "nntui run" in said


def test_version_and_help_import_nothing_heavy() -> None:
    assert process("--version").stdout.strip() == f"nntui, version {nntui.__version__}"
    probe = (
        "import sys; from nntui.cli import main; sys.argv = ['nntui', '--help']; main(); "
        "print(sorted({'numpy', 'textual', 'plotext'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "presets" in done.stdout


def test_what_is_refused_by_its_numbers_imports_nothing_that_trains() -> None:
    huge = "layers=[{units=99999},{units=99999},{units=1}]"
    said = refused("run", "add-relu", "--set", huge)
    assert "would create 10,000,199,997 parameters" in said
    probe = (
        "import sys; from nntui.cli import main\n"
        "for command in ('run', 'sweep', 'check', 'why', 'export'):\n"
        f"    sys.argv = ['nntui', command, 'add-relu', '--set', {huge!r}]\n"
        "    sys.argv += ['--as', 'numpy'] if command == 'export' else []\n"
        "    print(main())\n"
        "heavy = ('core.engine.trainer', 'compiler', 'timeline', 'sweeps', 'diagnosis', 'export')\n"
        "print([each for each in heavy if f'nntui.{each}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stdout.splitlines() == [*"22222", "[]"]
    assert done.stderr.splitlines() == said.splitlines() * 5


def test_headless_commands_import_no_textual() -> None:
    probe = (
        "import sys; from nntui.cli import main; "
        "sys.argv = ['nntui', 'run', 'add-relu', '--epochs', '1', '--json']; main(); "
        "print('textual' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stderr.strip() == "False"


def test_the_app_imports_no_parser_of_manuals_until_one_is_opened() -> None:
    probe = "import sys, nntui.tui.app; print('markdown_it' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    line = f"{sys.executable} -m nntui run add-relu --epochs 4000 --json | head -c 20"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.stdout == '{"preset": "add-relu'
    assert done.stderr == ""


@pytest.mark.slow
def test_interrupting_prints_what_was_done() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "nntui", "run", "add-tanh", "--epochs", "100000000", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    at_work(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    result = json.loads(out)
    assert result["status"] == "interrupted"
    assert result["updates"] > 0
    assert len(result["losses"]) == result["epochs"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "send"), [(signal.SIGINT, os.kill), (signal.SIGTERM, os.killpg)]
)
def test_a_sweep_that_is_ended_prints_what_was_done_and_leaves_no_process(
    number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    command = [sys.executable, "-m", "nntui", "sweep", "square-fixed", "--json"]
    process = subprocess.Popen(
        [*command, "--epochs", "3000", "--seeds", "5000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    at_work(process.pid, by_others=True)
    send(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert err == ""
    result = json.loads(out)
    assert len(result["seeds"]) == len(result["solved"]) < 5000
    assert members(process.pid) == []


def test_ctrl_c_while_modules_are_imported_ends_silently(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = subprocess.run(
        [sys.executable, "-m", "nntui", "presets"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible() as interrupted:
            os.kill(os.getpid(), signal.SIGHUP)
        assert interrupted == []
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_long_start_is_told_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "it.toml"
    file.write_text(command("show", "add-relu").stdout)
    assert command("check", str(file)).stderr == ""
    monkeypatch.setattr("nntui.cli_output.progress_is_seen", lambda: True)
    assert command("check", str(file)).stderr == ""
    monkeypatch.setattr("nntui.arguments.LARGE_FILE", 1)
    monkeypatch.setattr("nntui.arguments.MANY_NUMBERS", 1)
    monkeypatch.setattr("nntui.cli_answers.MANY_PARAMETERS", 1)
    monkeypatch.setattr("nntui.cli_answers.MANY_UPDATES", 1)
    told = command("check", str(file), "--at-update", "2").stderr
    for words in (
        *(f"reading {file}", "preparing 611 numbers"),
        *("training to update 2", "checking 37 parameters"),
    ):
        assert f"\r{words} ...\r" in told


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "there is not enough memory for this network and its data"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "there is not enough memory"),
        (OSError(errno.ENOSPC, "No space left"), "cannot write the output: No space left"),
        (OSError(errno.EAGAIN, "Try again"), "refused: Try again"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x"), "x: File name too long"),
        (OSError("no number"), "no number"),
        (RuntimeError("can't start new thread"), "no thread can be started: too many processes"),
        (
            ImportError("advice\n\nlib.so: cannot open shared object file\n"),
            "loaded: lib.so: cannot",
        ),
    ],
)
def test_what_the_system_lacks_is_one_line(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr("nntui.sweeps.sweep", fails)
    assert said in refused("sweep", "add-relu")


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("a defect")

    monkeypatch.setattr("nntui.sweeps.sweep", fails)
    with pytest.raises(RuntimeError, match="a defect"):
        command("sweep", "add-relu")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_refusal_that_cannot_be_written_keeps_its_exit_code() -> None:
    with Path("/dev/full").open("w") as full:
        code = [sys.executable, "-m", "nntui", "show", "no-such-preset"]
        assert subprocess.run(code, stderr=full).returncode == 2


def test_a_worker_that_is_killed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*given: object, **named: object) -> NoReturn:
        raise BrokenProcessPool

    monkeypatch.setattr("nntui.sweeps.sweep", killed)
    assert "a worker process was killed" in refused("sweep", "add-relu")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{nntui} presets | true; exit ${{PIPESTATUS[0]}}", 0),
        ("{nntui} presets >&-", 2),
        ("{nntui} run add-relu --updates 1 --json 2>&- | grep -q state_hash", 0),
        ("{nntui} run nope 2>&- | grep -q nope", 1),
        ("{nntui} presets > /dev/full", 2),
        (
            "PYTHONUTF8=1 PYTHONIOENCODING=ascii {nntui} run add-relu --updates 1"
            " --set story.question=$(printf '\\303\\274')",
            0,
        ),
    ],
)
def test_streams_that_are_closed_full_or_narrow(line: str, code: int) -> None:
    whole = line.format(nntui=f"{sys.executable} -m nntui")
    done = subprocess.run(["bash", "-c", whole], capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_too_little_memory_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("nntui.timeline.history.branch.trainer_of", fail)
    monkeypatch.setattr(sys, "argv", ["nntui", "run", "add-relu"])
    assert main() == 2
    assert capsys.readouterr().err == (
        "nntui: there is not enough memory for this network and its data\n"
    )


def test_outputs_and_predictions_are_printed_in_the_units_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text("area,price\n50,100\n100,200\n150,300\n")
    preset = tmp_path / "houses.toml"
    preset.write_text(
        'data = { csv = "houses.csv", input_columns = ["area"], target_columns = ["price"], '
        'scale_inputs = "standard", scale_targets = "standard" }\n'
        "layers = [{ units = 1 }]\n"
        'training = { loss = "squared-error", learning_rate = 0.3 }\n'
        'report = { loss = "squared-error" }\n'
        "goal = { loss = 1e-6, epochs = 200 }\n"
    )
    text = command("run", str(preset), "--predict", "75").stdout
    assert "1            200         200" in text
    assert text.endswith("prediction of price\nf(75) = 150\n")
    (scaled,) = printed("run", str(preset), "--predict", "75", "--json")["predictions"][0]
    assert scaled == pytest.approx(-0.5 / np.sqrt(2 / 3))
