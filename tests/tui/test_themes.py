"""Every theme can be chosen, and what it shows can be read."""

import pytest
from textual.color import Color
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES

from nntui import load_preset
from nntui.tui.app import NNTUI
from nntui.tui.drawing.themes import HIGH_CONTRAST

pytestmark = pytest.mark.slow

WALK = ("m n m j 3 0 enter t up o k", "K", "K", "v v v", "P P", "i", "home")
"""Keys to most of what is drawn in colours."""
DRAWN = {*"─│╭╮╰╯▀█▁▂▃▄▅▆▇━╸╺ ", *map(chr, range(0x2800, 0x2900))}


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2."""

    def luminance(colour: Color) -> float:
        parts = [
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
            for part in colour.normalized
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def texts(pilot: Pilot[None]) -> list[tuple[str, Color, Color]]:
    """What is on the screen, with the colours of its ink and of its ground."""
    found = []
    for strip in pilot.app.screen._compositor.render_strips():
        for segment in strip:
            style = segment.style
            if style is None or style.color is None or style.bgcolor is None:
                continue
            if set(segment.text) <= DRAWN:
                continue
            ink, ground = (Color.from_rich_color(each) for each in (style.color, style.bgcolor))
            found.append((segment.text, ink.blend(ground, 0.5) if style.dim else ink, ground))
    return found


@pytest.mark.parametrize(
    ("theme", "least"), [("textual-dark", 4.5), ("textual-light", 3.0), (HIGH_CONTRAST.name, 7.0)]
)
async def test_what_is_written_stands_out_from_its_ground(theme: str, least: float) -> None:
    async with NNTUI(load_preset("xor-sigmoid")).run_test(size=(120, 40)) as pilot:
        pilot.app.theme = theme
        for keys in WALK:
            await pilot.press(*keys.split())
            await pilot.pause()
            seen = texts(pilot)
            assert len(seen) > 20
            faint = [each for each in seen if contrast(each[1], each[2]) < least]
            assert not faint


async def test_every_theme_can_be_chosen_while_everything_is_shown() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "n", "e", "t", "up", "o", "k")
        for theme in (*BUILTIN_THEMES, HIGH_CONTRAST.name):
            pilot.app.theme = theme
            await pilot.pause()
            assert pilot.app.current_theme.name == theme
            await pilot.press("u")
            await pilot.pause()
            assert len(pilot.app.screen._compositor.render_strips()) == 40


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_the_terminals_own_colours_are_the_sixteen_and_tell_signs_in_glyphs(
    theme: str,
) -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        pilot.app.theme = theme
        await pilot.press("m", "n", "m", "t", "up", "o", "k")
        await pilot.pause()
        strips = pilot.app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        colours = {each for style in styles for each in (style.color, style.bgcolor) if each}
        assert all(each.is_default or (each.number or 0) < 16 for each in colours)
        assert all(each.triplet is None for each in colours)
        text = "\n".join("".join(segment.text for segment in strip) for strip in strips)
        assert "▀" not in text
        assert "below 0 -=≡" in text
