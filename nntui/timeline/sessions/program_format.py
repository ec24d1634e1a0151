"""The format of sessions of a person's own program, which another package reads and writes."""

PROGRAM_FORMAT, PROGRAM_VERSION = "nntui program session", 1
