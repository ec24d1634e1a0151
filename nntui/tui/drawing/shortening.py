"""Text in too little room."""


def shortened(text: str, width: int) -> str:
    """``text`` in ``width`` columns; a number cut short would be another, so dots say so."""
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."
