"""A headless browser, driven over the WebDriver protocol, that tells what it has asked for."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

OFFLINE = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1200,700"),
)
KEYS = {"enter": "\ue007", "escape": "\ue00c", "tab": "\ue004"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Browser:
    """One session of a chromedriver at ``port``."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        options = {"args": [*OFFLINE], "binary": shutil.which("chromium")}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL"}}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._base += f"/session/{answer['sessionId']}"

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["value"]

    def open(self, url: str) -> None:
        """Go to ``url``."""
        self._ask("POST", "/url", {"url": url})

    def press(self, *keys: str) -> None:
        """Press ``keys``, in words or as characters, one after the other."""
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self._ask("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})

    def events(self) -> list[tuple[str, Any]]:
        """What the page did on the network since the last time: methods and their parameters."""
        logged = self._ask("POST", "/se/log", {"type": "performance"})
        events = [json.loads(each["message"])["message"] for each in logged]
        return [(each["method"], each["params"]) for each in events]

    def close(self) -> None:
        """End the session, and with it the browser."""
        self._ask("DELETE", "")


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser, until the end of the block."""
    port = free_port()
    driver = subprocess.Popen(
        ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    opened = None
    try:
        for _ in range(600):
            try:
                opened = Browser(port)
                break
            except urllib.error.URLError:
                assert driver.poll() is None, "chromedriver has ended"
                time.sleep(0.05)
        assert opened is not None, "chromedriver does not answer"
        yield opened
    finally:
        if opened is not None:
            opened.close()
        driver.terminate()
        driver.wait()
