"""The app under keys struck at random, at every size: it takes them, and does not end."""

import os
import random
from pathlib import Path

import pytest
from textual.app import App
from textual.events import Key, Resize
from textual.geometry import Size
from textual.pilot import Pilot

from nntui.presets import load_preset
from nntui.tui.app import NNTUI

TIMES = int(os.environ.get("NNTUI_FUZZ", "1"))
KEYS = 60
LETTERS = [chr(code) for code in range(33, 127) if chr(code) not in "qQ"]
OTHERS = (
    *("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "shift+tab"),
    *("enter", "escape", "space", "backspace", "f1", "f2", "ctrl+p", "ctrl+s", "ctrl+u"),
)
SIZES = ((80, 24), (120, 40), (200, 60), (60, 16), (10, 3), (1, 1))
PRESETS: tuple[str | None, ...] = ("add-relu", "xor-relu", None)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3 * TIMES))
async def test_keys_struck_at_random_do_not_end_the_app(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some keys write a file
    draw = random.Random(number)
    name = PRESETS[number % len(PRESETS)]
    app = NNTUI(None if name is None else load_preset(name))
    async with app.run_test(size=draw.choice(SIZES[:4])) as pilot:
        await pilot.pause()
        for _ in range(KEYS):
            key = draw.choice(OTHERS if draw.random() < 0.5 else LETTERS)
            await _struck(app, pilot, key, draw)
            if app.return_code is not None:  # "quit" was found in the palette
                break
            assert app.screen_stack[1:], "there is nothing on the screen"
        await pilot.pause()
    assert app.return_code in (None, 0)


async def _struck(app: App[None], pilot: Pilot[None], key: str, draw: random.Random) -> None:
    for _ in range(draw.choice((1, 1, 2))):  # one that bounces comes twice
        app.post_message(Key(key, key if len(key) == 1 else {"enter": "\r", "space": " "}.get(key)))
    if draw.random() < 0.1:
        size = Size(*draw.choice(SIZES))
        app.post_message(Resize(size, size))
    if draw.random() < 0.3:
        await pilot.pause()
