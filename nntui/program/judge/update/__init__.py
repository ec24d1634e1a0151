"""One recorded update of a program: its values, and what it carries on to the next."""
