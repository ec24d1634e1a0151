"""Shortens text to a width."""


def shortened(text: str, width: int) -> str:
    """``text`` in ``width`` columns; a number cut short would be another, so dots say so."""
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."


def middled(name: str, width: int) -> str:
    """``name`` in ``width`` columns, without its middle: ``p['W1']`` is told at its end."""
    if len(name) <= width:
        return name
    behind = max((2 * width) // 3, 1)
    return f"{name[: max(width - behind - 1, 0)]}…{name[-behind:]}"[:width]
