"""Sessions of a program: what is kept of its branches, in one file, and back."""
