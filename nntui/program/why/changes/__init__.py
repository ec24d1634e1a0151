"""Changes of a program: edits of its source, and other starts of its weights."""
