"""The recording in README: its steps are still true of the app."""

import importlib.util
import re
from html import unescape
from pathlib import Path

import pytest

from nntui.tui.terminal.profile import Profile

GITHUB = Path(__file__).parents[1] / ".github"


@pytest.mark.slow
async def test_every_step_of_the_recording_is_still_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(GITHUB))
    spec = importlib.util.spec_from_file_location("recording", GITHUB / "recording.py")
    assert spec is not None
    assert spec.loader is not None
    recording = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recording)
    pictures = await recording.play(Profile())
    whole = recording.in_turn(pictures)
    assert whole.count('class="turn"') == len(recording.STEPS) == len(pictures)
    kept = (GITHUB / "five-minutes.svg").read_text(encoding="utf-8")
    titles = [
        unescape(each).replace("\xa0", " ") for each in re.findall(r'-title"[^>]*>([^<]*)', kept)
    ]
    assert titles == [step.caption for step in recording.STEPS], "draw it anew"
