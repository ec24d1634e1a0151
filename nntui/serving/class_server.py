"""The web server: a page with a terminal, and behind each page a visitor's process.

Pages, scripts and fonts come from this server alone.  A browser is let in from the server's own
pages only: any other page that the visitor has open could else steer a visit of its own.
"""

import asyncio
import json
import logging
import re
import signal
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, Literal
from urllib.parse import urlsplit

import jinja2
import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager
from textual_serve.server import to_int

from nntui.tui.screens.sized import LEAST_HEIGHT, LEAST_WIDTH

MOST_COLUMNS, MOST_ROWS = 400, 200
"""Of the terminal in a browser; a larger one is drawn in its corner."""
FONT, SMALLEST, LARGEST = 16, 6, 60
"""Pixels of the characters: unless ?fontsize= says otherwise, and within these."""
MOST_BYTES = 1 << 20
"""Of one message of a browser; a pasted preset is far smaller."""
KEYS, BURST = 100.0, 1000.0
"""Keys and movements of the mouse that are taken in a second, and at once after a rest."""
EVENT = re.compile(r"\x1b\[200~.*?(?:\x1b\[201~|$)|\x1b\[[0-9;<?]*[A-Za-z~]|.", re.DOTALL)
"""What a terminal sends for one key, one movement or one pasted text."""
MOST_WAITING = 1 << 20
"""Bytes that a visitor's process has not taken yet; what comes then is dropped."""
STATIC = Path(str(textual_serve.__file__)).parent / "static"
"""Script, styles and fonts of the terminal in the page."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE, FAREWELL = 5.0, 1.0
"""Seconds in which a visitor's process that is to end may do so, and a browser may answer."""


class Visit(AppService):
    """One visitor's process, started without a shell and ended with the visit."""

    async def _open_app_process(
        self, width: int = 80, height: int = 24
    ) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "nntui.serving.visitor"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._build_environment(width, height),
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._stdin = self._process.stdin
        return self._process

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        of_server = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "NO_COLOR", "TEXTUAL_FPS")
        built: dict[str, str] = super()._build_environment(width, height)
        return {name: value for name, value in built.items() if name not in of_server} | {
            "PYTHONSAFEPATH": "1",
            "TERM": "xterm-256color",
        }

    async def send_bytes(self, data: bytes) -> bool:
        """Hand on ``data`` without waiting; False where it is dropped, as too much waits."""
        return self._send(b"D", data)

    async def send_meta(self, data: dict[str, str | int | bool | None]) -> bool:
        """The same for what is said beside the keys."""
        return self._send(b"M", json.dumps(data).encode())

    def _send(self, kind: Literal[b"D", b"M"], data: bytes) -> bool:
        if self.stdin.is_closing():
            return False
        if self.stdin.transport.get_write_buffer_size() + len(data) > MOST_WAITING:
            return False
        self.stdin.write(self.encode_packet(kind, data))
        return True

    async def end(self) -> None:
        """End the process, by force if it takes long."""
        process = self._process
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop(), PATIENCE)
        finally:
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


class Allowance:
    """How many keys a visitor may still press: `KEYS` a second, `BURST` after a rest."""

    def __init__(self) -> None:
        self._left, self._counted = BURST, monotonic()

    def of(self, data: str) -> str:
        """As much of ``data`` as is allowed now."""
        now = monotonic()
        self._left = min(self._left + KEYS * (now - self._counted), BURST)
        self._counted = now
        taken = [found[0] for found in islice(EVENT.finditer(data), int(self._left))]
        self._left -= len(taken)
        return "".join(taken)


class ClassServer:
    """Serves the app to at most ``visitors`` at once on ``host`` and ``port``."""

    def __init__(self, host: str, port: int, visitors: int) -> None:
        self.host, self.port, self.visitors = host, port, visitors
        self._present = 0
        self._sockets: set[web.WebSocketResponse] = set()
        self._page = jinja2.Template(
            Path(__file__).with_name("page.html").read_text(encoding="utf-8"), autoescape=True
        )
        self._downloads = DownloadManager()

    def serve(self) -> None:
        """Serve until SIGINT or SIGTERM; raises OSError if nothing can be served there."""
        logging.basicConfig(level="ERROR", format="nntui: %(message)s")
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        app = web.Application()
        app.add_routes(
            [web.get("/", self.page), web.get("/ws", self.visit), web.static("/static", STATIC)]
        )
        app.on_shutdown.append(self._send_away)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            whom = "this machine" if self.host in LOOPBACK else "the network"
            shown = f"[{self.host}]" if ":" in self.host else self.host
            print(f"nntui is open to {whom} at http://{shown}:{self.port}", flush=True)
            print(f"at most {self.visitors} visitors; Ctrl+C ends it", flush=True)
            ended = asyncio.Event()
            for name in ("SIGINT", "SIGTERM"):
                with suppress(NotImplementedError):  # on Windows Ctrl+C ends it by itself
                    asyncio.get_running_loop().add_signal_handler(getattr(signal, name), ended.set)
            await ended.wait()
        finally:
            await runner.cleanup()

    async def _send_away(self, app: web.Application) -> None:
        """End all visits."""
        closing = (each.close(code=WSCloseCode.GOING_AWAY) for each in tuple(self._sockets))
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*closing, return_exceptions=True), FAREWELL)

    async def page(self, request: web.Request) -> web.Response:
        """The page, whose terminal asks the server that it came from."""
        scheme = "wss" if request.secure else "ws"
        size = to_int(request.query.get("fontsize", ""), FONT)
        text = self._page.render(
            title="nntui",
            socket=f"{scheme}://{request.host}/ws",
            font_size=min(max(size, SMALLEST), LARGEST),
        )
        policy = "default-src 'self' data:; script-src 'self' 'unsafe-inline'; "
        policy += f"style-src 'self' 'unsafe-inline'; connect-src {scheme}://{request.host}"
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def visit(self, request: web.Request) -> web.StreamResponse:
        """A visit, from the first to the last byte."""
        origin = urlsplit(request.headers.get("Origin", "")).netloc
        if origin != request.host or not self._is_own(request.host):
            return web.Response(status=403, text="only pages of this server may visit")
        if self._present >= self.visitors:
            return web.Response(status=503, text=f"{self.visitors} visitors are here already")
        self._present += 1
        try:
            return await self._visit(request)
        finally:
            self._present -= 1

    def _is_own(self, host: str) -> bool:
        """Whether ``host`` can be this server's name.

        A name of somebody else's can be made to lead to this machine; who serves the network knows
        under which names.
        """
        return self.host not in LOOPBACK or urlsplit(f"//{host}").hostname in LOOPBACK

    async def _visit(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=MOST_BYTES)
        await socket.prepare(request)

        async def close() -> None:
            await socket.close()

        visit = Visit(
            "nntui",
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=self._downloads,
        )
        self._sockets.add(socket)
        allowance = Allowance()
        try:
            await visit.start(*_size(request.query.get("width"), request.query.get("height")))
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    await _obey(visit, allowance, message.data)
        finally:
            self._sockets.discard(socket)
            await visit.end()
        return socket


async def _obey(visit: Visit, allowance: Allowance, text: str) -> None:
    """Hand on what a browser says; what it should not say is ignored."""
    with suppress(ValueError, RecursionError, OSError):
        match json.loads(text):
            case ["stdin", str(data)]:
                await visit.send_bytes(allowance.of(data).encode("utf-8", "replace"))
            case ["resize", {"width": width, "height": height}]:
                await visit.set_terminal_size(*_size(width, height))
            case ["blur", *_]:
                await visit.blur()
            case ["focus", *_]:
                await visit.focus()
            case ["ping", str(data)]:
                await visit.remote_write_str(json.dumps(["pong", data]))


def _size(width: Any, height: Any) -> tuple[int, int]:
    """Columns and rows that a browser asks for, within what is drawn."""
    columns, rows = to_int(str(width), 80), to_int(str(height), 24)
    return min(max(columns, LEAST_WIDTH), MOST_COLUMNS), min(max(rows, LEAST_HEIGHT), MOST_ROWS)
