"""A person's program, debugged: its branches, its cursor, and all that is seen of it; no screen."""
