"""Imports go downwards only, start-up is cheap, and the core knows NumPy alone."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import nntui

ROOT = Path(nntui.__file__).parents[1]
CORE = sorted((ROOT / "nntui" / "core").rglob("*.py"))


def run_python(program: str) -> str:
    """What ``program`` prints in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_contracts_of_the_layers_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("statement", ["import nntui", "import nntui; nntui.__version__"])
def test_importing_the_package_loads_nothing_that_is_slow(statement: str) -> None:
    slow = ("numpy", "textual", "rich", "plotext", "click")
    loaded = run_python(f"import sys; {statement}; print([x for x in {slow} if x in sys.modules])")
    assert loaded == "[]"


def test_the_library_loads_no_terminal() -> None:
    program = "import sys, nntui; nntui.Run(nntui.load_preset('add-relu')).step(); "
    program += "print([x for x in ('textual', 'rich', 'plotext', 'click') if x in sys.modules])"
    assert run_python(program) == "[]"


def test_every_public_name_is_there() -> None:
    assert set(nntui.__all__) <= set(dir(nntui))
    assert all(getattr(nntui, name) is not None for name in nntui.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = nntui.nothing


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_imports_numpy_the_standard_library_and_itself(path: Path) -> None:
    wanted = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            wanted += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            wanted.append(str(node.module))
    for name in wanted:
        top = name.partition(".")[0]
        assert top in sys.stdlib_module_names or top == "numpy" or name.startswith("nntui.core")


def test_no_two_modules_share_a_file_name() -> None:
    names = Counter(path.name for path in (ROOT / "nntui").rglob("*.py"))
    assert [name for name, count in names.items() if count > 1] == ["__init__.py"]
