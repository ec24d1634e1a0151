"""Records one update of a person's program, and differentiates what was recorded."""
