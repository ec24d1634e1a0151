"""A program under control does what ``python FILE.py`` does, and its end is told."""

import os
import sys
from pathlib import Path

import pytest
from controlled import alone, at_iteration, inside, to_the_end, written

from nntui.program.control.execution import Execution
from nntui.program.control.forks import Reply
from nntui.program.control.world import captured_output

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded")

PROGRAMS = {
    "surroundings": """
        import os, sys
        print(__name__, __file__, sys.argv, os.getcwd(), sys.path[0], __doc__, __spec__)
        print(sys.modules["__main__"].__dict__ is globals())
        print(sorted(k for k in globals() if "nn" in k))
        """,
    "main guard": """
        def main():
            print("trained")
        if __name__ == "__main__":
            main()
        """,
    "streams": """
        import sys
        sys.stdout.write("a\\n"); sys.stdout.buffer.write(b"\\xc3\\xa9\\n"); sys.stdout.flush()
        print("b", end=""); print("c", flush=True); print("é", file=sys.stderr)
        print(sys.stdout.isatty(), sys.stdout.writable())
        """,
    "own streams": """
        import contextlib, io, sys
        class Tee:
            def __init__(self, to): self.to, self.lines = to, []
            def write(self, text): self.to.write(text.upper()); self.lines.append(text)
            def flush(self): self.to.write("flushed "); self.to.flush()
        print("plain")
        with contextlib.redirect_stdout(io.StringIO()) as text:
            print("hidden")
        sys.stdout = Tee(sys.stdout)
        for i in range(2): print("tee", i)
        sys.__stdout__.flush()  # else Python itself loses it
        sys.stdout = io.TextIOWrapper(sys.__stdout__.buffer, encoding="utf-8")
        print("wrapped", repr(text.getvalue()))
        """,
    "at exit": """
        import atexit, threading
        atexit.register(print, "bye")
        threading.Thread(target=print, args=("thread",)).start()
        """,
    "pickled classes": """
        import pickle
        class Net:
            def __init__(self): self.W = [1.5]
        print(pickle.loads(pickle.dumps(Net())).W, Net.__module__)
        """,
    "dataclasses and annotations": """
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass
        class Layer:
            units: int = 3
        print(Layer(), __annotations__ if "__annotations__" in globals() else {})
        """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_prints_what_it_prints_alone(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, PROGRAMS[name])
    plain = alone(path, "--epochs", "3")
    seen = to_the_end(path, "--epochs", "3")
    assert seen["output"] == plain.stdout
    assert seen["errors"] == plain.stderr
    assert seen["ending"]["code"] == plain.returncode == 0


ENDINGS = {
    "raise SystemExit": (None, ""),
    "import sys; sys.exit(3)": (None, ""),
    "import sys; sys.exit('no data')": (None, "no data"),
    "import sys; sys.exit(-1)": (None, ""),
    "exit()": (None, ""),
    "def f():\n    return 1 / 0\n\nf()": (2, "ZeroDivisionError: division by zero"),
    "x = [1]\nx[\n  3]": (2, "IndexError: list index out of range"),
    "raise KeyboardInterrupt": (1, "KeyboardInterrupt"),
    "raise ValueError('two\\nlines')": (1, "ValueError: two"),
    "class Odd(Exception):\n    def __str__(self): return 1 / 0\nraise Odd": (3, ""),
    "def f(): f()\nf()": (1, "RecursionError: maximum recursion depth exceeded"),
    "assert False, 'shapes'": (1, "AssertionError: shapes"),
    "import sys\nsys.excepthook = lambda *_: print('mine')\nraise TypeError('x')": (
        3,
        "TypeError: x",
    ),
}


@pytest.mark.parametrize("text", ENDINGS)
def test_its_end_is_told_with_the_line_and_the_exit_code(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    plain, seen = alone(path), to_the_end(path)
    line, message = ENDINGS[text]
    ending = seen["ending"]
    assert ending["code"] == plain.returncode % 256 or text.startswith("raise Keyboard")
    assert ending["line"] == line
    assert ending["message"].startswith(message)
    assert ending["file"] == (None if line is None else path)
    assert seen["output"] == plain.stdout
    assert seen["errors"].strip().splitlines()[-1:] == plain.stderr.strip().splitlines()[-1:]


def test_a_traceback_is_the_one_that_python_prints(tmp_path: Path) -> None:
    text = """
        import numpy as np
        class Net:
            def forward(self, x):
                return self.W @ x
        def train():
            net = Net()
            net.W = np.zeros((2, 3))
            for i in range(2):
                net.forward(np.zeros(2))
        train()
        """
    path = written(tmp_path, text)
    assert to_the_end(path)["errors"] == alone(path).stderr


def test_a_second_file_beside_it_is_watched_too(tmp_path: Path) -> None:
    written(
        tmp_path, "import helper\ndef f(n):\n    for i in range(n):\n        yield i\n", "sub.py"
    )
    written(tmp_path, "rate = 0.5\n", "helper.py")
    text = "import sub\nfrom sub import f\nprint(list(f(3)), sub.helper.rate)\n"
    path = written(tmp_path, text)
    assert to_the_end(path)["output"] == alone(path).stdout

    def look(execution: object) -> object:
        return sorted(Path(file).name for file in execution.files)  # type: ignore[attr-defined]

    assert at_iteration(path, 0, look) == ["helper.py", "mynet.py", "sub.py"]
    assert not list(tmp_path.glob("__pycache__/*mynet*"))


def test_an_error_beside_it_names_that_file(tmp_path: Path) -> None:
    other = written(tmp_path, "def f():\n    return {}['W']\n", "sub.py")
    path = written(tmp_path, "import sub\nsub.f()\n")
    ending = to_the_end(path)["ending"]
    assert (ending["file"], ending["line"]) == (other, 2)
    written(tmp_path, "x = (\n", "sub.py")
    ending = to_the_end(path)["ending"]
    assert (ending["file"], ending["kind"]) == (other, "crash")
    assert "SyntaxError" in ending["message"] or "was never closed" in ending["message"]


def test_questions_are_answered_with_an_empty_line(tmp_path: Path) -> None:
    text = """
        import sys
        print(repr(input("rate? ")), repr(input()))
        print(repr(sys.stdin.readline()), repr(sys.stdin.read()))
        """
    assert to_the_end(written(tmp_path, text))["output"] == "rate? '' ''\n'\\n' ''\n"


def test_plots_show_nothing(tmp_path: Path) -> None:
    text = """
        import numpy as np
        import matplotlib.pyplot as plt, seaborn as sns
        from matplotlib import cm, animation
        from matplotlib.colors import ListedColormap
        from mpl_toolkits.mplot3d import Axes3D
        from pylab import *
        plt.style.use("ggplot")
        fig, ax = plt.subplots()
        ax.plot([1, 2], "r-", label="x"); ax[0].set(title="t")
        fig, axes = plt.subplots(2, 3)
        print(axes.shape, len(plt.subplots(1, 2)[1]), len(axes.flatten()))
        for a in axes.flat: a.imshow(np.eye(2), cmap=cm.gray)
        counts, edges, _ = plt.hist([1, 1, 2], bins=2)
        print(counts, edges)
        with plt.ion(): plt.pause(0.1)
        line, = plt.plot([0]),
        class A(animation.FuncAnimation): pass
        plt.savefig("loss.png"); plt.show()
        print(isinstance(3, plt.Axes), float(plt.ylim()[1]), array([1.0]).sum())
        """
    seen = to_the_end(written(tmp_path, text))
    assert seen["ending"]["kind"] == "end", seen
    assert seen["output"] == "(2, 3) 2 6\n[2. 1.] [1.  1.5 2. ]\nFalse 0.0 1.0\n"
    assert os.listdir(tmp_path) == ["mynet.py"]


def test_plots_are_left_out_where_they_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "installed" / "site-packages" / "matplotlib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('loaded')")
    (package.parent / "other.py").write_text("for i in range(2): pass\n")
    monkeypatch.syspath_prepend(str(package.parent))
    (tmp_path / "mine").mkdir()
    path = written(tmp_path / "mine", "import matplotlib.pyplot as plt, other\nplt.show()\n")
    assert to_the_end(path)["ending"]["kind"] == "end"

    def job(execution: Execution, reply: Reply) -> None:
        execution.on_iteration = lambda _: reply({"watched": True})

    assert inside(path, job)["error"] == "ended"  # loops of what is installed are not watched


def test_a_link_to_a_program_finds_what_is_beside_the_program(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    written(tmp_path / "mine", "rate = 0.5\n", "helper.py")
    path = written(tmp_path / "mine", "import helper, sys\nprint(helper.rate, sys.path[0])\n")
    link = tmp_path / "link.py"
    link.symlink_to(path)
    assert to_the_end(str(link))["output"] == alone(str(link)).stdout != ""


def test_a_progress_bar_that_is_missing_passes_on_what_it_counts(tmp_path: Path) -> None:
    text = """
        from tqdm import tqdm, trange
        bar = tqdm(range(3), desc="epoch")
        print([i for i in bar], [i for i in trange(2)], len(bar))
        bar.set_postfix(loss=1.0); bar.update(2); tqdm.write("done"); bar.close()
        """
    assert to_the_end(written(tmp_path, text))["output"] == "[0, 1, 2] [0, 1] 3\ndone\n"


def test_a_missing_module_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    ending = to_the_end(written(tmp_path, "import numpy\nimport skimage.color\n"))["ending"]
    assert ending["message"] == "ModuleNotFoundError: No module named 'skimage'"
    assert ending["hint"] == f"install it with: {sys.executable} -m pip install scikit-image"
    assert ending["line"] == 2


def test_a_module_that_is_tried_may_be_missing(tmp_path: Path) -> None:
    text = (
        "try:\n    import cupy as np\nexcept ImportError:\n    import numpy as np\nprint(np.pi)\n"
    )
    assert to_the_end(written(tmp_path, text))["output"].startswith("3.14")


@pytest.mark.parametrize(
    "read",
    [
        "np.loadtxt('data.csv', delimiter=',')",
        "open('data.csv').read()",
        "Path('data.csv').read_text()",
    ],
)
def test_data_beside_the_program_and_not_in_the_working_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    folder, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "data.csv").write_text("1,2\n")
    path = written(folder, f"import numpy as np\nfrom pathlib import Path\nprint({read})\n")
    monkeypatch.chdir(folder)
    assert to_the_end("mynet.py")["output"] == alone("mynet.py").stdout != ""
    monkeypatch.chdir(elsewhere)
    ending = to_the_end(path)["ending"]
    assert ending["line"] == 3
    assert ending["hint"] == (
        f"data.csv is in the program's folder: run it from there, with cd {folder}"
    )


def test_many_lines_are_kept_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(
        tmp_path, "for i in range(300000):\n    print('epoch', i, 'loss', 1 / (i + 1))\n"
    )
    seen = to_the_end(path, loops=())
    assert seen["output"].count("\n") == 300000
    assert seen["output"].endswith(f"epoch 299999 loss {1 / 300000}\n")
    monkeypatch.setattr(captured_output, "MOST", 1000)
    seen = to_the_end(path, loops=())
    assert len(seen["output"]) == 1000
    assert seen["ending"]["code"] == 0


def test_a_program_that_ends_its_own_process_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "import os\nprint('x')\nos._exit(5)\n")
    ending = to_the_end(path)["ending"]
    assert (ending["kind"], ending["code"], ending["message"]) == ("exit", 5, "x")
    answer = to_the_end(path, allow_effects=True)
    assert answer == {"error": "died", "message": "its process ended with exit code 5"}


def test_a_program_is_read_once(tmp_path: Path) -> None:
    path = written(tmp_path, "x = 1\n")
    execution = Execution(path)
    Path(path).unlink()
    assert execution.varied(3, {}).source.text == "x = 1\n"
    again = execution.varied(3, {path: "x = 2\n"})
    assert (again.source.text, again.varied(4, {}).source.text) == ("x = 2\n", "x = 2\n")
