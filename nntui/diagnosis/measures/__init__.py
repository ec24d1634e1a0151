"""Quantities computed from a run: floors of the loss, curvature, progress."""
