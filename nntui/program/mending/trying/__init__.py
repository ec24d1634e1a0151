"""Runs changes of a program, and judges the updates that they make."""
