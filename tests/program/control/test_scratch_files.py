"""Files that a program writes stay in a scratch folder, and are read back from there."""

import os
from pathlib import Path

import pytest
from controlled import alone, inside, to_the_end, written

from nntui.program.control.execution import Execution
from nntui.program.control.forks import Reply

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded")

WRITERS = {
    "open": "open('log.txt', 'w').write('a'); print(open('log.txt').read(), open('log.txt').name)",
    "append": "open('old.txt', 'a').write('more'); print(open('old.txt').read())",
    "update": """
with open('old.txt', 'r+') as f: f.read(1); f.seek(0); f.write('X')
print(open('old.txt').read())""",
    "exclusive": """
try: open('old.txt', 'x')
except FileExistsError as e: print(e)
open('new.txt', 'x').write('n'); print(open('new.txt').read())""",
    "pathlib": "p = Path('a.txt'); p.write_text('p'); print(p.read_text(), p.exists())",
    "np.save": "np.save('w.npy', np.arange(3.0)); print(np.load('w.npy'))",
    "np.savez": "np.savez('w.npz', W=np.eye(2)); print(np.load('w.npz')['W'])",
    "np.savetxt": "np.savetxt('w.csv', np.eye(2)); print(np.loadtxt('w.csv'))",
    "tofile": "np.arange(3).tofile('w.bin'); print(np.fromfile('w.bin', int))",
    "memmap": """
m = np.memmap('m.bin', float, 'w+', shape=(3,)); m[:] = 2.0; m.flush()
print(np.memmap('m.bin', float, 'r')[:].sum())""",
    "pickle": "pickle.dump([1], open('w.pkl', 'wb')); print(pickle.load(open('w.pkl', 'rb')))",
    "json": "json.dump({}, open('w.json', 'w')); print(json.load(open('w.json')))",
    "csv": "csv.writer(open('w.csv', 'w')).writerow([1, 2]); print(open('w.csv').read())",
    "gzip": "gzip.open('w.gz', 'wb').write(b'z'); print(gzip.open('w.gz').read())",
    "bz2": "bz2.open('w.bz2', 'wt').write('z'); print(bz2.open('w.bz2', 'rt').read())",
    "zipfile": "zipfile.ZipFile('w.zip', 'w').close(); print(zipfile.ZipFile('w.zip').namelist())",
    "logging": """
log = logging.getLogger('net'); log.addHandler(logging.FileHandler('run.log')); log.error('x %d', 1)
print(open('run.log').read())""",
    "os.open": """
d = os.open('raw.txt', os.O_WRONLY | os.O_CREAT); os.write(d, b'raw'); os.close(d)
print(open('raw.txt').read(), os.path.getsize('raw.txt'))""",
    "folders": """
os.makedirs('out/weights', exist_ok=True); open('out/weights/1.txt', 'w').write('1')
print(os.path.isdir('out'), os.listdir('out'), sorted(os.listdir('.')), glob.glob('out/**/*.txt'))
print([sorted(f) for _, _, f in os.walk('out')], [p.name for p in Path('out').rglob('*')])
shutil.rmtree('out'); print(os.path.exists('out'))""",
    "rename": """
open('w.tmp', 'w').write('w'); os.replace('w.tmp', 'w.txt'); print(open('w.txt').read())
os.remove('w.txt'); print(os.path.exists('w.txt'))""",
    "copy": "shutil.copy('old.txt', 'copy.txt'); print(open('copy.txt').read())",
    "no such folder": """
try: open('nowhere/a.txt', 'w')
except FileNotFoundError as e: print(e)""",
    "a folder": """
try: open('folder', 'w')
except IsADirectoryError as e: print(e)""",
}
IMPORTS = """import bz2, csv, glob, gzip, json, logging, os, pickle, shutil, zipfile
from pathlib import Path
import numpy as np
"""


def furnished(folder: Path) -> None:
    """What the programs find."""
    (folder / "folder").mkdir(parents=True)
    (folder / "old.txt").write_text("old")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each writer prints alone, in a folder of its own: all in one process."""
    folder = tmp_path_factory.mktemp("plain")
    lines = [IMPORTS]
    for number, text in enumerate(WRITERS.values()):
        furnished(folder / str(number))
        lines += [f"os.chdir({str(folder / str(number))!r})", "open('mynet.py', 'w').close()"]
        lines += [text, "print('----')"]
    done = alone(written(folder, "\n".join(lines)))
    assert done.returncode == 0, done.stderr
    return str(done.stdout).split("----\n")


@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_written_is_read_back_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str, plain: list[str]
) -> None:
    furnished(tmp_path)
    written(tmp_path, IMPORTS + WRITERS[writer])
    monkeypatch.chdir(tmp_path)
    answer = to_the_end("mynet.py")
    assert answer.get("output", answer) == plain[list(WRITERS).index(writer)]
    assert sorted(os.listdir(tmp_path)) == ["folder", "mynet.py", "old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"


def test_forks_have_files_and_offsets_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
        log, data = open('log.txt', 'w'), open('data.csv')
        for i in range(4):
            print(i, data.read(2), file=log, flush=True)
        print(open('log.txt').read())
        """
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("a\nb\nc\nd\n")
    path = written(tmp_path, text)

    def job(execution: Execution, reply: Reply) -> None:
        outputs = []

        def to_end(reply: Reply) -> None:
            execution.on_end = lambda: reply({"output": execution.world.output.text()})

        def turn(_: int) -> None:
            answer = execution.fork(to_end, 10)
            if answer is not None:
                outputs.append(answer["output"])

        execution.on_iteration = turn
        execution.on_end = lambda: reply({"all": [*outputs, execution.world.output.text()]})

    seen = inside(path, job)["all"]
    assert seen == ["0 a\n\n1 b\n\n2 c\n\n3 d\n\n\n"] * 5


def test_a_file_that_is_there_can_be_truncated_without_being_made(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("long ago")
    text = f"""
        import os
        path = {str(tmp_path / "kept.txt")!r}
        descriptor = os.open(path, os.O_RDWR | os.O_TRUNC)
        os.write(descriptor, b"now")
        os.close(descriptor)
        print(open(path).read())
    """
    assert to_the_end(written(tmp_path, text))["output"] == "now\n"
    assert (tmp_path / "kept.txt").read_text() == "long ago"
