"""Read-only values that describe a run for a screen, a pipe or JSON."""
