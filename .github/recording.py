"""Draw `.github/five-minutes.svg`, the first five minutes of README played to the app, in turn.

Each step presses the keys that README names and waits for what README says is seen then: where that
does not come, nothing is drawn and the script fails.
"""

import asyncio
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from picture import FONTS

from nntui import load_preset
from nntui.tui.terminal.profile import TRUECOLOR, Profile

if TYPE_CHECKING:
    from textual.pilot import Pilot

RECORDING = Path(__file__).with_name("five-minutes.svg")
SIZE = (100, 30)
READING = 5
"""Seconds that each picture is shown."""
PATIENCE = 30.0
"""Seconds in which what is said must have come."""


@dataclass(frozen=True)
class Step:
    """Keys, what they are for, and a text that is seen then."""

    keys: tuple[str, ...]
    caption: str
    seen: str


STEPS = (
    Step((), "nntui add-relu: the output unit, 2.0, is marked dead", "dead"),
    Step(("e",), "e: one epoch. The loss is 0.5967", "update 6  loss 0.596667"),
    Step(("W",), "W: why it does not learn, and since when", "proven"),
    Step(("N", *"23", "enter"), "N 23: other first weights", "seed 23"),
    Step(("e", "m"), "e, m: this network wakes, and learns", "epoch 101"),
    Step(("comma",), ", goes to the event before", "at the past"),
    Step(("i",), "i: this update in arithmetic", "sample"),
    Step(("escape", "j", *"300", "enter"), "j 300: back in time, exactly", "update 300"),
    Step(
        ("f", *"training.learning_rate=0.03", "enter"),
        "f training.learning_rate=0.03: a branch from here on",
        "forked at 300",
    ),
    Step(("m",), "m: both losses, and where they part", "epoch 150"),
)


async def play(profile: Profile) -> list[str]:
    """The pictures as SVG, one a step; ValueError where a step is no longer true."""
    from nntui.tui.app import NNTUI  # Textual reads the profile when it is imported

    app, pictures = NNTUI(load_preset("add-relu"), profile=profile), []
    async with app.run_test(size=SIZE) as pilot:
        for step in STEPS:
            await pilot.press(*step.keys)
            await _until(pilot, step)
            await pilot.pause(0.3)
            pictures.append(app.export_screenshot(title=step.caption))
    return pictures


async def _until(pilot: "Pilot[None]", step: Step) -> None:
    """Wait for what ``step`` says is seen; ValueError, with the picture, if it does not come."""
    ends = asyncio.get_running_loop().time() + PATIENCE
    while step.seen not in shown(pilot):
        if asyncio.get_running_loop().time() > ends:
            raise ValueError(f"{step.caption}: no {step.seen!r} is seen in\n{shown(pilot)}")
        await asyncio.sleep(0.05)


def shown(pilot: "Pilot[None]") -> str:
    """The characters on the screen."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def in_turn(pictures: list[str]) -> str:
    """One SVG that shows ``pictures`` one after the other, for ever."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', pictures[0])
    assert size is not None
    share = 100 / len(pictures)
    style = (
        f"@keyframes turn {{ 0%, {share:.4g}% {{ visibility: visible }} "
        f"{share + 0.001:.4g}%, 100% {{ visibility: hidden }} }}\n"
        f".turn {{ animation: turn {READING * len(pictures)}s step-end infinite; }}"
    )
    parts = []
    for at, picture in enumerate(pictures):
        inner = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
        inner = re.sub(r"<!--.*?-->", "", inner, flags=re.DOTALL).replace("Fira Code", FONTS)
        begun = f"animation-delay: {READING * (at - len(pictures))}s"
        parts.append(f'<g class="turn" style="{begun}">{inner}</g>')
    whole = f'viewBox="0 0 {size[1]} {size[2]}"'
    body = "\n".join(parts)
    return f'<svg {whole} xmlns="http://www.w3.org/2000/svg"><style>{style}</style>\n{body}</svg>\n'


if __name__ == "__main__":
    chosen = Profile(colours=TRUECOLOR)
    chosen.prepare(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NNTUI_DATA_DIR"] = folder
        RECORDING.write_text(in_turn(asyncio.run(play(chosen))), encoding="utf-8")
