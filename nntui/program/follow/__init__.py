"""Follows a training from its start to its end, and measures its loss on the way."""
