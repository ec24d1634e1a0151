"""Runs a person's program in a process of its own: forks, steps, rewinds, keeps its effects out."""
