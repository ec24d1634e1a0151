"""What is sent to the terminal: what differs, in its turn, in characters that it can show."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from nntui.tui.terminal import link
from nntui.tui.terminal.ascii_glyphs import plain
from nntui.tui.terminal.link import ASK, WINDOW, Link
from nntui.tui.terminal.profile import Profile, choose, speaks_utf8
from nntui.tui.terminal.screen_diff import ScreenPicture

WIDTH, HEIGHT = 24, 3
STYLES = [
    None,
    Style(),
    Style(bold=True),
    Style(color="#ff0000", bgcolor="#000040"),
    Style(reverse=True),
]
TEXTS = ["loss 0.5", "⠉⠒⠤⣀", "████", "    ", "a", "─", " 12 "]
CONTROL = re.compile(r"\x1b\[([\d;]*)([A-Za-z])")


class Screen:
    """As much of a terminal as frames need: cursor, colours, characters."""

    def __init__(self) -> None:
        self.cells = [[("?", "?")] * WIDTH for _ in range(HEIGHT)]
        self.x, self.y, self.pen = 0, 0, ""

    def feed(self, text: str) -> None:
        while text:
            found = CONTROL.match(text)
            if found is None:
                self._write(text[0])
                text = text[1:]
                continue
            text = text[found.end() :]
            numbers, what = found.groups()
            if what == "H":
                self.y, self.x = (int(each) - 1 for each in numbers.split(";"))
            elif what == "C":
                self.x += int(numbers)
            else:
                assert what == "m"
                self.pen = numbers if numbers != "0" else ""
                self.pen = self.pen.removeprefix("0;")

    def _write(self, character: str) -> None:
        columns = cell_len(character)
        for column, part in zip(range(columns), [character, ""], strict=False):
            self.cells[self.y][self.x + column] = (part, self.pen)
        self.x += columns


class Wanted:
    """What a picture was told, kept apart from it."""

    def __init__(self, picture: ScreenPicture) -> None:
        self.picture = picture
        self.cells = [[(" ", "")] * WIDTH for _ in range(HEIGHT)]

    def put(self, x: int, y: int, text: str, style: Style | None) -> None:
        strip = Strip([Segment(text, style)]).crop(0, WIDTH - x)
        self.picture.put(x, y, strip)
        code = "" if style is None else Strip.render_ansi(style, ColorSystem.TRUECOLOR)
        for segment in strip:
            for character in segment.text:
                for part in [character, ""][: cell_len(character)]:
                    self.cells[y][x] = (part, code)
                    x += 1


def picture(ascii_only: bool = False) -> ScreenPicture:
    return ScreenPicture(WIDTH, HEIGHT, ColorSystem.TRUECOLOR, ascii_only=ascii_only)


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(0, WIDTH - 1),
                st.integers(0, HEIGHT - 1),
                st.sampled_from(TEXTS),
                st.sampled_from(STYLES),
            ),
            max_size=5,
        ),
        max_size=6,
    )
)
def test_the_pieces_make_the_picture(frames: list[list[Any]]) -> None:
    screen, wanted = Screen(), Wanted(picture())
    for frame in frames:
        for x, y, text, style in frame:
            wanted.put(x, y, text, style)
        screen.feed(wanted.picture.changes())
        assert screen.cells == wanted.cells
        assert wanted.picture.changes() == ""


FRAMES = st.lists(
    st.tuples(
        st.integers(0, WIDTH - 1),
        st.integers(0, HEIGHT - 1),
        st.sampled_from(TEXTS),
        st.sampled_from(STYLES),
    ),
    max_size=5,
)
REGIONS = st.builds(
    Region,
    st.integers(0, WIDTH - 1),
    st.integers(0, HEIGHT - 1),
    st.integers(1, WIDTH),
    st.integers(1, 1),
)


@given(st.lists(FRAMES, max_size=6), st.integers(1, 60), st.lists(REGIONS, max_size=2))
def test_what_is_sent_in_parts_makes_the_last_picture(
    frames: list[list[Any]], most: int, first: list[Region]
) -> None:
    screen, wanted = Screen(), Wanted(picture())
    for frame in frames:
        for x, y, text, style in frame:
            wanted.put(x, y, text, style)
        screen.feed(wanted.picture.changes(most, first))
    parts = 0
    while not wanted.picture.is_shown:
        screen.feed(wanted.picture.changes(most, first if parts % 2 else ()))
        parts += 1
        assert parts < 3 * HEIGHT + 3
    assert screen.cells == wanted.cells


def test_what_is_looked_at_comes_first_and_the_rest_after_it() -> None:
    screen, wanted = Screen(), Wanted(picture())
    screen.feed(wanted.picture.changes())
    for y in range(HEIGHT):
        wanted.put(0, y, f"left {y}", None)
        wanted.put(12, y, f"right {y}", Style(bold=True))
    sent = wanted.picture.changes(1, [Region(12, 2, 12, 1)])
    assert "right 2" in sent
    assert "left" not in sent
    assert not wanted.picture.is_shown
    rest = wanted.picture.changes()
    assert rest.index("left 0") < rest.index("right 1") < rest.index("left 2")
    assert "right 2" not in rest
    screen.feed(sent + rest)
    assert screen.cells == wanted.cells
    assert wanted.picture.is_shown


def test_lines_that_had_no_room_are_next() -> None:
    wanted = Wanted(picture())
    wanted.picture.changes()
    seen = []
    for number in range(2 * HEIGHT):
        for y in range(HEIGHT):  # all of it changes all the time
            wanted.put(0, y, f"{number}", None)
        sent = wanted.picture.changes(1)
        seen.append(int(CONTROL.findall(sent)[0][0].split(";")[0]))
    assert sorted(set(seen)) == [1, 2, 3]


def test_wide_characters_keep_their_columns() -> None:
    screen, wanted = Screen(), Wanted(picture())
    for text in ("漢字 loss", "漢漢 loss", "ab字 lose"):
        wanted.put(2, 1, text, Style(bold=True))
        screen.feed(wanted.picture.changes())
        assert screen.cells == wanted.cells


def test_one_cell_costs_one_cell_and_a_word_comes_whole() -> None:
    drawn = picture()
    drawn.put(0, 0, Strip([Segment("⠉" * WIDTH, Style(bold=True))]))
    drawn.put(0, 1, Strip([Segment("  update 19".ljust(WIDTH), Style(bold=True))]))
    drawn.changes()
    drawn.put(0, 0, Strip([Segment("⠉" * 9 + "⠒" + "⠉" * (WIDTH - 10), Style(bold=True))]))
    assert drawn.changes() == "\x1b[1;10H\x1b[1m⠒\x1b[0m"
    drawn.put(0, 1, Strip([Segment("  update 20".ljust(WIDTH), Style(bold=True))]))
    assert drawn.changes() == "\x1b[2;3H\x1b[1mupdate 20\x1b[0m"


def test_a_terminal_of_which_nothing_is_known_gets_everything() -> None:
    screen, wanted = Screen(), Wanted(picture())
    wanted.put(3, 1, "loss 0.5", Style(bold=True))
    wanted.picture.changes()
    wanted.picture.forget()
    screen.feed(wanted.picture.changes())
    assert screen.cells == wanted.cells


@given(st.text(max_size=12))
def test_ascii_takes_the_same_columns(text: str) -> None:
    assert plain(text).isascii()
    assert cell_len(plain(text)) == cell_len(text)


def test_ascii_tells_apart_what_glyphs_tell_apart() -> None:
    assert len({plain(each) for each in "░▒▓█"}) == 4
    assert not {plain(each) for each in "░▒▓█"} & {plain(each) for each in "-=≡"}
    assert len({plain(each) for each in "━─═█"}) == 4
    assert plain("⠉⠒⠤⣀⡇⢆⡜⢀ é") == "'--_|\\/. e"
    assert plain("╭─╮│") == "+-+|"
    assert plain("▀▀") == "  "  # half a cell would be a speck


class Clock:
    """The time, as a link reads it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stands still unless it is told otherwise."""
    made = Clock()
    monkeypatch.setattr(link, "monotonic", made)
    return made


def test_a_line_is_busy_until_everything_is_written(clock: Clock) -> None:
    line = Link(remote=False)
    assert not line.busy
    line.give("frame")
    assert line.busy
    line.take("frame", 0.0)
    assert not line.busy


def test_a_local_line_is_trusted_and_not_asked(clock: Clock) -> None:
    line = Link(remote=False)
    assert line.frame("x" * 10 * WINDOW) == "x" * 10 * WINDOW
    assert not line.busy


def test_a_write_that_blocked_is_followed_by_a_rest(clock: Clock) -> None:
    line = Link(remote=False)
    line.give("frame")
    line.take("frame", 0.5)
    assert line.busy
    clock.now += 0.6
    assert not line.busy


def test_a_frame_of_a_slow_line_has_room_for_a_tenth_of_a_second(clock: Clock) -> None:
    line = Link(remote=False)
    assert line.room is None
    line.measure(30_000)
    assert line.room == 3000
    line.give("x" * 3000)
    line.take("x" * 3000, 0.0)
    assert line.busy, "the line carries what buffers have taken"
    clock.now += 0.13
    assert not line.busy
    line.measure(100)
    assert line.room == link.SLOW_LINE * link.PIECE
    clock.now += link.FORGOTTEN
    assert line.room is None
    line.measure(10**7)
    assert line.room is None


def test_answers_tell_a_slow_line_from_a_long_one(clock: Clock) -> None:
    for extra, slow in ((0.0, False), (0.8, True)):
        line = Link(remote=True)
        line.frame("x")
        clock.now += 0.3
        line.answer()
        line.frame("x" * 20_000)
        clock.now += 0.3 + extra
        line.answer()
        assert (line.room is not None) == slow


def test_a_write_that_blocks_tells_the_speed_and_others_raise_it(clock: Clock) -> None:
    line = Link(remote=False)
    line.take("x" * 40_000, 0.05)
    assert line.room is None
    line.take("x" * 20_000, 0.5)
    assert line.room == 4000
    line.take("x" * 10, 0.0)
    assert line.room == 4000
    line.take("x" * 4000, 0.0)
    assert line.room == 4200
    line.take("x" * 4000, 0.5)
    assert line.room == link.SLOW_LINE * link.PIECE


def test_what_is_under_way_is_limited_by_the_answers(clock: Clock) -> None:
    line = Link(remote=True)
    assert line.frame("x").endswith(ASK)
    line.answer()
    line.frame("x" * (WINDOW // 2))
    assert not line.busy
    line.frame("x" * (WINDOW // 2))
    assert line.busy
    line.answer()
    assert not line.busy


def test_a_line_of_which_nothing_is_known_gets_what_a_slow_one_carries(clock: Clock) -> None:
    line, sent = Link(remote=True), 0
    for _ in range(1000):
        if not line.busy:
            sent += len(line.frame("x" * 500).removesuffix(ASK))
        clock.now += 0.01
    assert 0.9 * 10 * link.SLOW_LINE <= sent <= 10 * link.SLOW_LINE + 2 * WINDOW
    assert line.frame("x") == "x"


def test_after_the_shell_had_the_terminal_nothing_is_under_way(clock: Clock) -> None:
    line = Link(remote=True)
    line.frame("x")
    line.answer()
    line.give(line.frame("x" * WINDOW))
    assert line.busy
    line.renew()
    assert not line.busy


def test_one_lost_answer_does_not_end_the_asking(clock: Clock) -> None:
    line = Link(remote=True)
    line.frame("x")
    line.answer()
    line.frame("x" * WINDOW)
    assert line.busy
    clock.now += link.PATIENCE + 0.1
    assert not line.busy
    assert line.frame("x").endswith(ASK)


OVER_SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22", "COLORTERM": "truecolor"}


def test_a_local_terminal_has_everything_and_no_note() -> None:
    assert choose(environment={"COLORTERM": "truecolor"}) == Profile()


def test_over_ssh_there_is_less_and_it_is_said() -> None:
    profile = choose(environment=OVER_SSH)
    assert (profile.frames, profile.colours, profile.animated) == (5, "256", False)
    assert profile.note == "ssh: 5 frames/s, 256 colours"
    assert choose(environment={"SSH_TTY": "/dev/pts/1"}).note == "ssh: 5 frames/s"


def test_what_is_asked_for_is_not_chosen() -> None:
    profile = choose(fps=12, color="truecolor", ascii_only=True, mouse=False, environment=OVER_SSH)
    assert (profile.frames, profile.colours, profile.note) == (12, "truecolor", "")
    assert profile.ascii
    assert not profile.mouse


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("truecolor", {"TEXTUAL_COLOR_SYSTEM": "truecolor"}),
        ("16", {"TEXTUAL_COLOR_SYSTEM": "standard"}),
        ("none", {"NO_COLOR": "1"}),
    ],
)
def test_colours_are_told_to_textual(color: str, expected: dict[str, str]) -> None:
    environment = {} if color == "none" else {"NO_COLOR": "1"}
    choose(color=color, environment={}).prepare(environment)
    environment.pop("TEXTUAL_FPS")
    assert environment == expected


def test_frames_are_told_to_textual_unless_somebody_did() -> None:
    environment: dict[str, str] = {}
    choose(environment=OVER_SSH).prepare(environment)
    assert environment["TEXTUAL_FPS"] == "30"
    assert environment["TEXTUAL_ANIMATIONS"] == "none"
    environment = {"TEXTUAL_FPS": "7"}
    choose(fps=60, environment=OVER_SSH).prepare(environment)
    assert environment["TEXTUAL_FPS"] == "7"


@pytest.mark.parametrize(
    ("encoding", "environment", "expected"),
    [
        ("utf-8", {}, True),
        ("UTF-8", {"LC_ALL": "C.UTF-8"}, True),
        ("utf-8", {"LC_ALL": "C"}, False),
        ("utf-8", {"LC_ALL": "C", "PYTHONUTF8": "1"}, True),
        ("ascii", {}, False),
        ("iso8859-1", {"PYTHONUTF8": "1"}, False),
        (None, {}, False),
    ],
)
def test_utf8_is_drawn_where_the_locale_has_it(
    encoding: str | None, environment: dict[str, str], expected: bool
) -> None:
    assert speaks_utf8(encoding, environment) is expected


def test_without_utf8_ascii_is_chosen_and_said() -> None:
    profile = choose(utf8=False, environment={})
    assert profile.ascii
    assert profile.note == "no UTF-8 here: ASCII"
    assert choose(utf8=False, ascii_only=True, environment={}).note == ""
