"""Reads the description of a network off its recording; runs inside the program's process."""
