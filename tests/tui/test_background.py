"""Work in the background: told as it goes on, also where no process may be started."""

import asyncio
from collections.abc import Callable
from threading import Event
from unittest.mock import Mock

import pytest

from nntui.sweeps import processes
from nntui.tui.workbench import background
from nntui.tui.workbench.background import in_process


def refuse(*ignored: object) -> None:
    raise PermissionError(13, "nothing is started here")


def count(tell: Callable[[int], bool]) -> int:
    for number in range(3):
        assert tell(number)
    return 3


def fail(tell: Callable[[int], bool]) -> int:
    tell(0)
    raise ValueError("no")


@pytest.mark.parametrize("may_start", [True, False])
async def test_work_tells_how_far_it_is_and_returns_the_last(
    may_start: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not may_start:
        monkeypatch.setattr(background, "start_python", refuse)
    assert [each async for each in in_process(count)] == [0, 1, 2, 3]
    with pytest.raises(ChildProcessError, match="ValueError: no"):
        [each async for each in in_process(fail)]


@pytest.mark.parametrize("error", [EOFError(), ConnectionResetError(104, "reset by peer")])
async def test_a_process_that_is_killed_says_that_it_ended(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, pipe = Mock(), Mock()
    pipe.recv.side_effect = error
    monkeypatch.setattr(background, "start_python", lambda *_: (process, pipe))
    with pytest.raises(ChildProcessError, match="the process ended"):
        [each async for each in in_process(count)]
    process.terminate.assert_called_once()


async def test_work_in_a_thread_that_is_given_up_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "start_python", refuse)
    heard = Event()

    def endless(tell: Callable[[int], bool]) -> int:
        while tell(1):
            pass
        heard.set()
        return 2

    told = in_process(endless)
    assert await anext(told) == 1
    await told.aclose()
    assert await asyncio.to_thread(heard.wait, 60)


def test_where_no_process_may_be_started_there_is_no_executor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "start_python", refuse)
    with processes.local_processes(2) as pool:
        assert pool is None
