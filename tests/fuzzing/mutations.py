"""Input that a hand, a program or an enemy has changed: texts, tables, bytes and command lines."""

import random
import re
from typing import Any

NUMBERS = (
    *("0", "-1", "1", "2", "0.5", "-0.0", "1e308", "-1e308", "1e-320", "1e999", "nan", "-inf"),
    *("1000000", "100000", "1000", "9" * 30, "1" * 5000, "0x10", "1_0", "2024-01-01", "07"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 64, 10**6, 10**9, 10**30, 0.5, -0.0, 1e308, 5e-324),
    *("", "relu", "z*z", "x", "nan", "\x00", "ü" * 300, [], {}, [[]], [0], [[0, 1]], [[1e308]]),
    *([[0]] * 5000, [0] * 20_000, {"a": {}}, ["bias-decay"] * 200, "exp(" * 60 + "z" + ")" * 60),
)
PIECES = (
    *('"', "'", "[", "]", "{", "}", "=", ",", ".", "#", "\n", "\r", "\t", "\0", "\\", " "),
    *("[[", "]]", "a.b", "[layers]", "[[layers]]", "\ufeff", "\u202e", "é", "'''", '"""'),
)


def of_text(text: str, draw: random.Random) -> str:
    """``text`` with a few of its numbers, words, lines or characters changed."""
    for _ in range(draw.randint(1, 4)):
        text = draw.choice((_number, _word, _line, _piece, _cut, _repeated))(text, draw)
    return text


def _replaced(pattern: str, text: str, by: str, draw: random.Random) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    one = draw.choice(found)
    return text[: one.start()] + by + text[one.end() :]


def _number(text: str, draw: random.Random) -> str:
    return _replaced(r"(?<![\w.-])-?\d[\d.e+-]*", text, draw.choice(NUMBERS), draw)


def _word(text: str, draw: random.Random) -> str:
    words = re.findall(r"[\w-]{2,}", text) or ["x"]
    return _replaced(r"[\w-]{2,}", text, draw.choice(words), draw)


def _line(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at, to = draw.randrange(len(lines)), draw.randrange(len(lines))
    if draw.random() < 0.5:
        del lines[at]
    else:
        lines.insert(to, lines[at])
    return "".join(lines)


def _piece(text: str, draw: random.Random) -> str:
    at = draw.randint(0, len(text))
    return text[:at] + draw.choice(PIECES) * draw.choice((1, 1, 1, 50)) + text[at:]


def _cut(text: str, draw: random.Random) -> str:
    at = draw.randint(0, len(text))
    return text[:at] + text[at + draw.choice((1, 1, 3, 20, len(text))) :]


def _repeated(text: str, draw: random.Random) -> str:
    at = draw.randint(0, len(text))
    part = text[at : at + draw.randint(1, 30)]
    return text[:at] + part * draw.choice((2, 3, 2000)) + text[at:]


def of_tree(tree: Any, draw: random.Random) -> Any:
    """A copy of ``tree``, of dictionaries and lists, with something changed somewhere in it."""
    if isinstance(tree, dict) and tree and draw.random() < 0.9:
        made, key = dict(tree), draw.choice(sorted(tree))
        fate = draw.random()
        if fate < 0.1:
            del made[key]
        elif fate < 0.15:
            made[draw.choice(("x", "", "seed", "layers"))] = draw.choice(VALUES)
        else:
            made[key] = of_tree(tree[key], draw)
        return made
    if isinstance(tree, list) and tree and draw.random() < 0.8:
        made_list, at = list(tree), draw.randrange(len(tree))
        fate = draw.random()
        if fate < 0.1:
            del made_list[at]
        elif fate < 0.2:
            made_list += [made_list[at]] * draw.choice((1, 100))
        else:
            made_list[at] = of_tree(tree[at], draw)
        return made_list
    return draw.choice(VALUES)


def of_bytes(content: bytes, draw: random.Random) -> bytes:
    """``content`` with some bytes changed, cut or repeated."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 20))):
        at = draw.randrange(max(len(changed), 1))
        fate = draw.random()
        if fate < 0.5:
            changed[at : at + 1] = bytes([draw.randrange(256)])
        elif fate < 0.7:
            del changed[at : at + draw.choice((1, 8, 1000, 10**6))]
        else:
            changed[at:at] = changed[at : at + draw.choice((1, 8, 64))]
    return bytes(changed)
