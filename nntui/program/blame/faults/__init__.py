"""Faults that are seen without a repair, such as signs, shapes and forgotten updates."""
