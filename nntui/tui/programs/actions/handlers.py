"""What a group of actions offers: by the name of an action, what does it."""

from collections.abc import Callable, Mapping

Handlers = Mapping[str, Callable[..., None]]
"""Some take a number, without which they ask for it."""
