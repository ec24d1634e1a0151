"""Writes the syntax tree of a program anew, in a plain and a recorded copy."""
