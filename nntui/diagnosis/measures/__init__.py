"""Numbers computed from a run: floors of its loss, its loss landscape, its progress."""
