"""What a program would do to the world is stopped before it happens, and its line is named."""

from pathlib import Path

import pytest
from controlled import to_the_end, written

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded")

REFUSED = {
    "os.remove('data.csv')": "deletes data.csv",
    "os.unlink('data.csv')": "deletes data.csv",
    "Path('data.csv').unlink()": "deletes data.csv",
    "os.rename('data.csv', 'old.csv')": "renames data.csv",
    "os.replace('data.csv', 'old.csv')": "renames data.csv",
    "shutil.move('data.csv', 'old.csv')": "renames data.csv",
    "shutil.rmtree('models')": "deletes the folder models",
    "os.rmdir('models')": "deletes the folder models",
    "os.chmod('data.csv', 0)": "changes the mode of data.csv",
    "os.truncate('data.csv', 0)": "cuts off data.csv",
    "os.symlink('data.csv', 'link')": "links link",
    "io.FileIO('new.csv', 'w')": "writes new.csv",
    "os.system('touch new.csv')": "starts the process touch new.csv",
    "os.popen('touch new.csv').read()": "starts the process",
    "subprocess.run(['touch', 'new.csv'])": "starts the process touch new.csv",
    "subprocess.check_output('touch new.csv', shell=True)": "starts the process",
    "os.execv('/bin/touch', ['touch', 'new.csv'])": "starts the process /bin/touch",
    "os.fork()": "starts a process",
    "multiprocessing.Pool(2)": "starts a process",
    "multiprocessing.get_context('spawn').Process(target=print).start()": "starts the process",
    "os.kill(os.getppid(), 0)": "sends a signal to",
    "socket.create_connection(('192.0.2.1', 9))": "connects to 192.0.2.1",
    "socket.socket().connect(('127.0.0.1', 9))": "connects to 127.0.0.1:9",
    "socket.socket().bind(('127.0.0.1', 0))": "listens at 127.0.0.1:0",
    "urllib.request.urlopen('http://example.org/mnist.gz')": "connects to http://example.org",
    "urllib.request.urlretrieve('http://example.org/a', 'a')": "connects to http://example.org",
    "http.client.HTTPConnection('example.org').request('GET', '/')": "connects to example.org",
    "sqlite3.connect('runs.db')": "opens the database runs.db",
    "ctypes.CDLL(None).system(b'touch new.csv')": "loads the library None",
}
IMPORTS = """
import ctypes, http.client, io, multiprocessing, os, shutil, socket, sqlite3, subprocess
import urllib.request
from pathlib import Path
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of the program, with something to lose."""
    (tmp_path / "data.csv").write_text("1,2\n")
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(folder: Path) -> list[tuple[str, int, int]]:
    return sorted(
        (each.name, each.stat().st_mode, each.stat().st_size)
        for each in folder.iterdir()
        if each.name != "mynet.py"
    )


@pytest.mark.parametrize("effect", REFUSED)
def test_an_effect_is_refused_before_it_happens(folder: Path, effect: str) -> None:
    before = content(folder)
    text = f"{IMPORTS}try:\n    {effect}\nexcept:\n    pass\nprint('went on')\n"
    refused = to_the_end(written(folder, text))["refused"]
    assert refused["what"].startswith(REFUSED[effect])
    assert (refused["file"], refused["line"]) == (str(folder / "mynet.py"), 6)
    assert content(folder) == before


def test_an_effect_in_a_fork_ends_the_whole_analysis(folder: Path) -> None:
    from controlled import inside

    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

    path = written(folder, "import os\nfor i in range(2):\n    os.remove('data.csv')\n")

    def job(execution: Execution, reply: Reply) -> None:
        def turn(_: int) -> None:
            if execution.fork(lambda _: None, 10) is None:
                return  # the fork goes on, and into the refusal
            reply({"went": "on"})

        execution.on_iteration = turn

    answer = inside(path, job)
    assert answer["refused"]["line"] == 3
    assert (folder / "data.csv").exists()


def test_with_leave_the_program_acts(folder: Path) -> None:
    text = "import os, subprocess\nos.remove('data.csv')\nsubprocess.run(['touch', 'new'])\n"
    assert to_the_end(written(folder, text), allow_effects=True)["ending"]["kind"] == "end"
    assert [name for name, _, _ in content(folder)] == ["models", "new"]


def test_what_does_no_harm_is_let_through(folder: Path) -> None:
    text = """
        import asyncio, ctypes, logging, os, platform, signal, socket, sqlite3, tempfile, threading
        import numpy as np
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.kill(os.getpid(), 0)
        os.environ["A"] = "1"; os.putenv("B", "2")
        sqlite3.connect(":memory:").execute("select 1")
        open(os.devnull, "w").write("x")
        asyncio.run(asyncio.sleep(0))
        socket.socket().close()
        with tempfile.NamedTemporaryFile() as f: f.write(b"x")
        with tempfile.TemporaryDirectory() as d: open(d + "/x", "w").close()
        print(platform.system() != "", np.show_config is not None, open("data.csv").read())
        """
    seen = to_the_end(written(folder, text))
    assert seen["ending"]["kind"] == "end", seen
    assert seen["output"] == "True True 1,2\n\n"
