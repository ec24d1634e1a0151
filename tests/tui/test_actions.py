"""The registry of actions: a key means one thing in all places that look alike."""

from collections import defaultdict

import pytest

from nntui.tui.actions import ACTIONS, FIRST, GROUPS, Action

WITHIN = {
    *("left", "right", "up", "down", "pageup", "pagedown", "home", "end", "enter", "escape"),
    *("delete", "backspace", "left_square_bracket", "right_square_bracket"),
    *("left_curly_bracket", "right_curly_bracket"),
}
"""Keys that move, choose, take and delete in whatever has the focus."""
PANELS = [place for place in ACTIONS if place not in ("library", "microscope")]
"""What stands on the screen together, or looks as if it did: a program has the same panels."""


def different(one: Action, other: Action) -> bool:
    """Whether the actions are neither the same nor told to be by their label."""
    return one.name != other.name and one.label != other.label


def doubles(places: list[str]) -> list[str]:
    """The keys that mean two things in ``places``."""
    meanings = defaultdict(list)
    for place in places:
        for action in ACTIONS[place]:
            for key in action.keys.split(","):
                if key not in WITHIN and not key.startswith(("shift+", "ctrl+")):
                    meanings[key].append((place, action))
    return [
        f"{key}: {one.label} ({where}), {other.label} ({there})"
        for key, found in meanings.items()
        for at, (where, one) in enumerate(found)
        for there, other in found[:at]
        if different(one, other)
    ]


def test_no_key_means_two_things_in_panels_that_look_alike() -> None:
    assert doubles(PANELS) == []


def test_the_letters_of_the_microscope_are_those_of_the_workbench() -> None:
    # Its space, tab and arrows walk through the update; `i` leaves it as it led there.
    walking = ("space", "tab", "i")
    found = doubles(["workbench", "microscope"])
    assert [each for each in found if each.partition(":")[0] not in walking] == []


@pytest.mark.parametrize("place", ACTIONS)
def test_a_key_is_one_action_where_it_is_pressed(place: str) -> None:
    keys = [key for action in ACTIONS[place] for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_the_groups_of_the_help_name_actions_that_exist() -> None:
    known = {action.name for place in ("workbench", "program") for action in ACTIONS[place]}
    assert {*FIRST, *(name for _, names in GROUPS for name in names)} <= known
