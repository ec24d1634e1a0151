"""`nntui serve`: what a visitor gets, in a real browser, and what no visitor gets."""

import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import aiohttp
import pytest
from browsers import browser, free_port

from nntui.presets.compact_string import encode
from nntui.presets.lookup import load_preset
from nntui.serving import class_server
from nntui.tui.app import NNTUI


@contextmanager
def served(*options: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """A server, once it can be asked: its port, and its process."""
    port = free_port()
    command = [sys.executable, "-m", "nntui", "serve", "--port", str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert f":{port}" in server.stdout.readline()
            yield port, server
        finally:
            server.terminate()


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until ``holds``."""
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to hold")


@pytest.mark.system("chromium", "chromedriver")
def test_a_class_trains_in_the_browser_and_asks_nobody_else() -> None:
    with served() as (port, _), browser() as page:
        asked: list[str] = []
        seen = bytearray()

        def look() -> str:
            for method, parameters in page.events():
                if method == "Network.requestWillBeSent":
                    asked.append(parameters["request"]["url"])
                elif method == "Network.webSocketCreated":
                    asked.append(parameters["url"])
                elif method == "Network.webSocketFrameReceived":
                    frame = parameters["response"]
                    if frame["opcode"] == 2:
                        seen.extend(base64.b64decode(frame["payloadData"]))
            return seen.decode("utf-8", "replace")

        page.open(f"http://127.0.0.1:{port}/")
        wait_for(lambda: "add-relu" in look())
        assert "your program" not in look()
        page.press("enter")
        wait_for(lambda: "space runs" in look())
        page.press("e")
        wait_for(lambda: "331e5a0f2af7" in look())
        page.press("q")
        wait_for(lambda: any(x[0] == "Network.webSocketClosed" for x in page.events()))
        assert {urlsplit(url).netloc for url in asked} == {f"127.0.0.1:{port}"}
        assert any("/ws?" in url for url in asked)


async def _visit(
    session: aiohttp.ClientSession, port: int, **headers: str
) -> aiohttp.ClientWebSocketResponse:
    url = f"http://127.0.0.1:{port}/ws?width=100&height=30"
    return await session.ws_connect(url, headers=headers)


async def _until(socket: aiohttp.ClientWebSocketResponse, text: str) -> None:
    """Read until ``text`` was drawn."""
    seen = b""
    while text.encode() not in seen:
        message = await socket.receive(60)
        assert message.type == aiohttp.WSMsgType.BINARY, message
        seen += message.data


def _processes(parent: int) -> list[int]:
    """The processes that ``parent`` has started."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = each.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(each.parent.name))
    return found


async def _gone(processes: list[int]) -> None:
    """Wait until none of ``processes`` is alive."""
    for _ in range(1200):
        if not any(map(_is_alive, processes)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{processes} are alive")


def _is_alive(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def _admitted(
    session: aiohttp.ClientSession, port: int, own: str
) -> aiohttp.ClientWebSocketResponse:
    """A visit, once the server has seen that the one before has gone."""
    for _ in range(600):
        with suppress(aiohttp.WSServerHandshakeError):
            return await _visit(session, port, Origin=own)
        await asyncio.sleep(0.05)
    return await _visit(session, port, Origin=own)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
async def test_who_may_visit_and_that_no_visit_outlives_the_server(data_folder: Path) -> None:
    with served("--visitors", "1") as (port, server):
        own = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"Origin": "https://elsewhere.example"}):
                with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                    await _visit(session, port, **headers)
            there = {"Origin": f"http://elsewhere.example:{port}"}
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await _visit(session, port, Host=f"elsewhere.example:{port}", **there)
            first = await _visit(session, port, Origin=own)
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                await _visit(session, port, Origin=own)
            await _until(first, "add-relu")
            await first.close()
            second = await _admitted(session, port, own)
            await second.send_str("no JSON")
            await second.send_json(["resize", {"width": "1e99", "height": None}])
            await _until(second, "add-relu")
            string = encode(load_preset("add-fixed"))
            await second.send_json(["stdin", f"\x1b[200~{string}\x1b[201~"])
            await _until(second, "add-fixed")
            await second.send_json(["stdin", "eS"])
            await _until(second, "nothing of a visit is kept")
            flooded = _processes(server.pid)
            assert len(flooded) == 1
            for _ in range(4):
                await second.send_json(["stdin", "u" * 900_000])
            await second.send_json(["ping", "1"])
            while (await second.receive(60)).type != aiohttp.WSMsgType.TEXT:
                pass
            assert second._writer.transport is not None
            second._writer.transport.abort()
            await _gone(flooded)
            third = await _admitted(session, port, own)
            await _until(third, "add-relu")
            processes = _processes(server.pid)
            server.kill()
            await _gone(processes)
    assert not data_folder.exists()


async def test_the_palette_of_a_visitor_offers_nothing_of_the_owners() -> None:
    async with NNTUI(visitor=True).run_test() as pilot:
        await pilot.pause()
        titles = {each.title for each in pilot.app.get_system_commands(pilot.app.screen)}
    assert "tour (T)" in titles
    assert not {"resume (r)", "your program (p)", "screenshot"} & titles


def test_keys_are_taken_as_fast_as_somebody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(class_server, "monotonic", lambda: now)
    allowance = class_server.Allowance()
    assert allowance.of("u" * 5000) == "u" * int(class_server.BURST)
    assert allowance.of("uuu") == ""
    now = 1.0
    pasted = f"\x1b[200~{'x' * 900}\x1b[201~"
    moved = "\x1b[<35;10;4M" * 50
    assert allowance.of(pasted + moved + "\x1b[A") == pasted + moved + "\x1b[A"
    assert allowance.of("u" * 500) == "u" * int(class_server.KEYS - 52)


TRIES = """
    import os, sys
    from pathlib import Path
    import numpy as np
    from nntui.core.errors import ConfigError
    from nntui.presets.lookup import load_preset, preset_of_text
    from nntui.serving.confinement import confine

    folder, preset, up = Path(sys.argv[1]), load_preset("add-relu"), "/.." * 20
    confine()
    tries = {
        "read": lambda: open(folder / "there"),
        "read through a link": lambda: open(folder / "link"),
        "read by a way round": lambda: open(f"{Path(np.__file__).parent}{up}{folder}/there"),
        "write": lambda: open(folder / "new", "w"),
        "append": lambda: os.open(folder / "there", os.O_WRONLY | os.O_APPEND),
        "write beside numpy": lambda: open(np.__file__, "r+"),
        "make a folder": lambda: os.mkdir(folder / "new"),
        "remove": lambda: os.remove(folder / "there"),
        "rename": lambda: os.rename(folder / "there", folder / "else"),
        "list": lambda: os.listdir(folder),
        "run": lambda: os.system("true"),
        "connect": lambda: __import__("socket").create_connection(("127.0.0.1", 9)),
    }
    for name, attempt in tries.items():
        try:
            attempt()
        except PermissionError:
            continue
        print("not refused:", name)
    said = set()
    for path in (folder / "there", folder / "nothing", folder, "/proc/meminfo", np.__file__):
        text = f'data = {{ csv = "{path}", input_columns = ["a"], target_columns = ["b"] }}'
        loss = "loss = 'squared-error'"
        tables = f"layers = [{{ units = 1 }}]\\ntraining = {{ {loss}, learning_rate = 1 }}"
        more = f"report = {{ {loss} }}\\ngoal = {{ loss = 1, epochs = 1 }}"
        try:
            preset_of_text("\\n".join((text, tables, more)), "pasted")
        except ConfigError as error:
            said.add(str(error).replace(str(path), "PATH"))
    print(said)
    print(load_preset("xor-relu").name, open(np.__file__).read(3))
    """


def test_a_confined_process_reads_what_it_is_made_of_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    script = tmp_path / "tries.py"
    script.write_text(dedent(TRIES))
    answer = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True
    )
    said = "{'the text: data.csv: PATH: a visitor opens no files'}"
    assert (answer.stdout, answer.stderr) == (f'{said}\nxor-relu """\n', "")
    assert sorted(os.listdir(tmp_path)) == ["link", "there", "tries.py"]


def test_a_port_that_is_taken_is_said_in_a_line() -> None:
    with served() as (port, _):
        command = [sys.executable, "-m", "nntui", "serve", "--port", str(port)]
        answer = subprocess.run(command, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("\n") == 1
    assert f"127.0.0.1:{port} cannot be served" in answer.stderr


def test_without_the_extra_it_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['textual_serve'] = None; from nntui.cli import main; "
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(main())", "serve"], capture_output=True, text=True
    )
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "nntui: nntui serve needs the extra web: pip install 'nntui[web]'\n"
