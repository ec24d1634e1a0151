"""A repair in the words of the program: its line, its kind, its numbers."""
