"""Follows live values: which node each is, and where the program is."""
