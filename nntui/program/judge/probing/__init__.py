"""Runs updates of a program to record them, and watches the rest of its training."""
