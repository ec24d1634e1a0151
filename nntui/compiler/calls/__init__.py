"""Recorded calls as operations on regions of memory, and which of them share a loop."""
