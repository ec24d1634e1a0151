"""Reads the layers of a network off the recording of one update."""
