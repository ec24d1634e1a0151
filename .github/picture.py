"""Draw `.github/nntui.svg`, the picture in README, by playing keys to the app."""

import asyncio
import os
import re
import tempfile
from pathlib import Path

from nntui import load_preset
from nntui.tui.terminal.profile import TRUECOLOR, Profile

PICTURE = Path(__file__).with_name("nntui.svg")
SIZE = (120, 40)
SCENE = (
    ("N", *"23", "enter"),  # a seed that starts dead and wakes
    ("j", *"1500", "enter"),
    ("j", *"300", "enter", "f", *"training.learning_rate=0.03", "enter"),
    ("j", *"1500", "enter"),
    ("j", *"640", "enter", "W"),
)
SECONDS = 4
"""How long each part may take: training and the diagnosis run beside the keys."""
FONTS = 'Menlo, Consolas, "DejaVu Sans Mono"'
"""In place of one from the network, which a picture in a page may not load."""


async def draw(profile: Profile) -> str:
    """The scene as SVG."""
    from nntui.tui.app import NNTUI  # Textual reads the profile when it is imported

    app = NNTUI(load_preset("add-relu"), profile=profile)
    async with app.run_test(size=SIZE) as pilot:
        for keys in SCENE:
            await pilot.press(*keys)
            await asyncio.sleep(SECONDS)
        svg = app.export_screenshot(title="nntui add-relu")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", FONTS)


if __name__ == "__main__":
    chosen = Profile(colours=TRUECOLOR)
    chosen.prepare(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NNTUI_DATA_DIR"] = folder
        PICTURE.write_text(asyncio.run(draw(chosen)), encoding="utf-8")
