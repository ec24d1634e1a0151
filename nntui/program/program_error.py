"""ProgramError, the exception for a program that cannot be looked at."""


class ProgramError(ValueError):
    """A program, or an option for it, that nntui can do nothing with.

    The message is one line: what is wrong, where, and what would help.  The command line prints it
    and exits with code 2.
    """
