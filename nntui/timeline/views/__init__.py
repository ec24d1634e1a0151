"""Views of a run: immutable values for the screen, for text and for JSON."""
