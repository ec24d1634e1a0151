"""Set before any test: one BLAS thread (more only wait for each other here), and Hypothesis."""

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Compiling hundreds of small networks would take minutes; tests of compiled updates ask for them.
os.environ.setdefault("NNTUI_PLAYER", "numpy")

import pytest
import textual.app
import textual.pilot
from hypothesis import HealthCheck, settings
from piloted import drained, settled

# Whoever starts the tests in the background, or by nohup, has these ignored, in all processes.
for _name, _usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    if hasattr(signal, _name) and signal.getsignal(getattr(signal, _name)) == signal.SIG_IGN:
        signal.signal(getattr(signal, _name), _usual)

# Looking for garbage as often as usual takes a fifth of the time of the tests of the app.
gc.set_threshold(100_000, 50, 1000)

settings.register_profile("nntui", deadline=None, derandomize=True, max_examples=50)
settings.register_profile(
    "search", deadline=None, max_examples=2000, suppress_health_check=list(HealthCheck)
)
settings.load_profile("nntui")
# How a pilot waits after each key, and in `pause`.
textual.app.wait_for_idle = drained
textual.pilot.wait_for_idle = settled


@pytest.fixture(scope="module", autouse=True)
def frozen_memory() -> None:
    """What other modules have left is looked through for garbage no more.

    A program under test runs in a fork of the test, which would look through all of it.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors: tests wait for other processes a fifth of the time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test touches what the user saved; this is where sessions go instead."""
    monkeypatch.setenv("NNTUI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NNTUI_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def long_runs_are_compiled() -> Iterator[None]:
    """Long trainings by whatever player is chosen where nothing is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NNTUI_PLAYER")
        yield


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked ``system("program")`` needs it; where it must run, its lack is a failure."""
    for marker in item.iter_markers("system"):
        for program in marker.args:
            if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
                if os.environ.get("NNTUI_SYSTEM_TESTS") == "required":
                    pytest.fail(f"{program} is not installed")
                pytest.skip(f"{program} is not installed (see .github/CONTRIBUTING.md)")
