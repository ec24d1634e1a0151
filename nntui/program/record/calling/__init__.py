"""The calls of a program: which are operations, and how they are recorded."""
