"""The screen of a person's own program: its source with the values of each line, and its time."""
