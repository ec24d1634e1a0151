"""Python source in pieces, each with the role that colours it."""

from functools import lru_cache

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Literal, Name, Operator, String, _TokenType

from nntui.tui.drawing.printed_text import CONTROLS

Piece = tuple[str, str]
"""A text and its role."""
ROLES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "comment"),
    (String, "string"),
    (Literal.Number, "number"),
    (Operator.Word, "keyword"),
    (Keyword, "keyword"),
    (Name.Function, "name"),
    (Name.Class, "name"),
    (Name.Builtin, "builtin"),
    (Name.Decorator, "builtin"),
)
"""The first that a token belongs to decides."""
CODE = "code"


@lru_cache(maxsize=16)
def coloured(source: tuple[str, ...]) -> tuple[tuple[Piece, ...], ...]:
    """The lines of ``source`` in pieces; tabs are four columns."""
    lines: list[list[Piece]] = [[]]
    text = "\n".join(CONTROLS.sub("?", line.expandtabs(4)) for line in source)
    for token, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        role = next((role for kind, role in ROLES if token in kind), CODE)
        for at, part in enumerate(value.split("\n")):
            if at:
                lines.append([])
            if part:
                lines[-1].append((part, role))
    lines += [[] for _ in range(len(source) - len(lines))]
    return tuple(tuple(line) for line in lines[: len(source)])


def cut(pieces: tuple[Piece, ...], width: int) -> list[Piece]:
    """At most ``width`` columns of a line, with dots where it was cut."""
    if sum(len(text) for text, _ in pieces) <= width:
        return list(pieces)
    kept: list[Piece] = []
    room = width - 1
    for text, role in pieces:
        if len(text) > room:
            break
        kept.append((text, role))
        room -= len(text)
    if width > 0:
        kept.append((f"{text[:room]}…", role))
    return kept
