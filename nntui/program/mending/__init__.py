"""Mends the wrong line of a program as source: changes that are tried, not guessed."""
