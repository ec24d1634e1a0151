"""The history of a run: branches, keyframes, exact replay, events."""
