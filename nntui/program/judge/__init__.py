"""Judges a program's update: its loop, parameters and loss, and whether each step is a gradient."""
