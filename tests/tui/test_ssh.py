"""The app over SSH: a real OpenSSH server on loopback, and its client on a terminal of ours."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from process_groups import at_work
from terminals import (
    LEFT_ALTERNATE_SCREEN,
    PATIENCE,
    Terminal,
    resize,
    saved,
    straight,
    terminal,
)

from nntui.timeline.sessions import session_folder

pytestmark = [pytest.mark.system("sshd", "ssh"), pytest.mark.slow]

APP = f"{shlex.quote(sys.executable)} -m nntui"


@dataclass
class Server:
    """An OpenSSH server, and what a client needs to log in."""

    port: int
    folder: Path
    data: Path

    @contextmanager
    def session(self, command: str, **variables: str) -> Iterator[Terminal]:
        """Run ``command`` at the other end, on a terminal; its process tells its number first."""
        user = subprocess.check_output(["id", "-un"], text=True).strip()
        path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
        # By compiled code a training would be over before it can be paused.
        settings = {"NNTUI_DATA_DIR": str(self.data), "PYTHONPATH": path, "NNTUI_PLAYER": "numpy"}
        # What chooses the linear algebra chooses its last bits.
        settings |= {name: value for name, value in os.environ.items() if "BLAS_" in name}
        settings |= {name: value for name, value in variables.items() if name != "TERM"}
        exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
        client = [
            *("ssh", "-F", "none", "-tt", "-p", str(self.port), "-i", str(self.folder / "user")),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR", f"{user}@127.0.0.1"),
            f"export {exports}; echo number $$; {command}",
        ]
        term = variables.get("TERM", "xterm-256color")
        with terminal(program=tuple(client), TERM=term) as shown:
            yield shown


def _key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server that lets one key in."""
    folder = tmp_path_factory.mktemp("sshd")
    folder.chmod(0o700)
    _key(folder / "host")
    _key(folder / "user")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPasswordAuthentication no\n"
        "StrictModes no\nUsePAM no\nPrintMotd no\nPrintLastLog no\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # what a service manager makes elsewhere
    with (folder / "log").open("wb") as log:
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "config"]
        server = subprocess.Popen(command, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while b"listening" not in (folder / "log").read_bytes():
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port, folder
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def server(sshd: tuple[int, Path], data_folder: Path) -> Server:
    """The server, with the folder that this test's sessions go to."""
    return Server(*sshd, data_folder)


def number(app: Terminal) -> int:
    """The process at the other end."""
    app.wait_for(b"\n")
    found = re.search(rb"number (\d+)", app.written)
    assert found is not None, app.written
    return int(found[1])


def ends(process: int) -> None:
    """Wait until ``process`` is no more."""
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "variables",
    [
        {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        {"TERM": "xterm"},
        {"TERM": "xterm-256color", "NO_COLOR": "1"},
    ],
    ids=["256", "xterm", "no-color"],
)
def test_the_app_starts_steps_runs_pauses_and_leaves(
    server: Server, variables: dict[str, str]
) -> None:
    with server.session(f"exec {APP} add-tanh", **variables) as app:
        before = termios.tcgetattr(app.master)
        process = number(app)
        app.wait_for(b"ssh: 5 frames/s")
        app.wait_for(b"update 0")
        drawn = app.written
        app.answers(b"u", b"update 1 ")
        app.answers(b" ", b"running")
        app.answers(b" ", b"paused")
        app.answers(b"?", b"as it was asked in public")
        app.answers(b"\x1b", b"Activations")
        app.press(b"q")
        assert app.ended() == 0
        assert LEFT_ALTERNATE_SCREEN in app.written
        assert termios.tcgetattr(app.master) == before
        ends(process)
    assert b"Traceback" not in drawn
    assert not re.search(rb"[\[;]38;2;", drawn)
    assert (b"38;5;" in drawn) is variables["TERM"].endswith("256color")


def test_a_killed_client_leaves_a_session_and_no_process(server: Server) -> None:
    with server.session(f"exec {APP} add-tanh") as app:
        process = number(app)
        app.wait_for(b"update 0")
        app.answers(b"n", b"seed 1")
        app.answers(b" ", b"running")
        at_work(process)
        app.process.kill()
        ends(process)
    (run,) = saved()
    assert run.seed == 1
    assert run.update > 0
    assert run.state_hash == straight(run)
    with server.session(f"exec {APP} open {session_folder.entries()[0].name}") as app:
        app.wait_for(run.state_hash.encode())
        app.press(b"q")
        assert app.ended() == 0


def test_a_termination_restores_the_terminal(server: Server) -> None:
    with server.session(f"exec {APP} add-tanh") as app:
        process = number(app)
        app.wait_for(b"update 0")
        app.answers(b"m", b"epoch 100")
        os.kill(process, signal.SIGTERM)
        assert app.ended() == 128 + signal.SIGTERM
        assert LEFT_ALTERNATE_SCREEN in app.written
        assert b"nntui open add-tanh" in app.written
    (run,) = saved()
    assert (run.update, run.state_hash) == (600, straight(run))


def test_ctrl_z_gives_the_shell_and_fg_the_whole_screen_again(server: Server) -> None:
    with server.session("PS1='ready>' exec bash --norc --noprofile -i") as app:
        app.wait_for(b"ready>")
        app.answers(f"{APP} add-tanh\r".encode(), b"update 0")
        app.answers(b"m", b"epoch 100")
        app.answers(b"\x1a", LEFT_ALTERNATE_SCREEN)
        app.wait_for(b"Stopped")
        app.wait_for(b"ready>")
        app.answers(b"stty -a\r", b" echo ")
        assert b" icanon" in app.written
        app.answers(b"fg\r", b"FAULT")
        for part in (b"update 600", b"Loss", b"Activations", b"Story", b"quit"):
            app.wait_for(part)
        app.answers(b"u", b"update 601")
        app.answers(b"q", b"ready>")
        assert LEFT_ALTERNATE_SCREEN in app.written
        app.answers(b"echo status $?\r", b"status 0")
        app.press(b"exit\r")
        assert app.ended() == 0


def test_a_storm_of_sizes_ends_in_a_whole_picture(server: Server) -> None:
    with server.session(f"exec {APP} add-tanh") as app:
        app.wait_for(b"update 0")
        app.answers(b" ", b"running")
        for step in range(60):
            resize(app.master, 5 + 295 * (step * 37 % 60) // 59, 2 + 88 * (step * 23 % 60) // 59)
            app.read(0.02)
        resize(app.master, 300, 90)
        app.read(0.5)
        app.answers(b" ", b"paused")
        app.written = b""
        resize(app.master, 80, 24)
        for part in (b"update ", b"Loss", b"Activations", b"Story", b"quit"):
            app.wait_for(part)
        app.press(b"q")
        assert app.ended() == 0
        assert b"Traceback" not in app.written
    (run,) = saved()
    assert run.state_hash == straight(run)


def test_a_redirected_error_stream_is_refused_in_one_line(server: Server, tmp_path: Path) -> None:
    with server.session(f"exec {APP} add-relu 2>{tmp_path}/said") as app:
        assert app.ended() == 2
    said = (tmp_path / "said").read_text()
    assert said.count("\n") == 1
    assert "standard error" in said


@pytest.mark.parametrize("mode", ["", "0"], ids=["utf8-mode", "ascii"])
def test_in_the_c_locale_all_is_ascii(server: Server, mode: str) -> None:
    """Without UTF-8 mode Python itself could write nothing else."""
    variables = {"LC_ALL": "C"} | ({"PYTHONUTF8": mode} if mode else {})
    with server.session(f"unset PYTHONUTF8; {APP} add-relu", **variables) as app:
        app.wait_for(b"update 0")
        app.answers(b"m", b"epoch 100")
        app.read(0.3)
        assert app.written.isascii()
        app.press(b"q")
        assert app.ended() == 0
        assert app.written.isascii()
