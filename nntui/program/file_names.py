"""Which files are programs, by their names; imports little, because every command asks it."""

import re

from nntui.program.program_error import ProgramError

OTHER_NAMES = re.compile(r"\.pyw?(\.txt)?$", re.IGNORECASE)
"""Endings that browsers, editors and file systems make of ``.py``."""


def is_program(path: str) -> bool:
    """Whether ``path`` names a person's own program: it ends in ``.py``."""
    return path.endswith(".py")


def refuse_other_names(path: str) -> None:
    """Raise ProgramError if ``path`` names a program in another way, or a notebook."""
    if path.endswith(".ipynb"):
        raise ProgramError(
            f"{path} is a notebook; make a program of it: jupyter nbconvert --to script {path}"
        )
    if OTHER_NAMES.search(path) and not is_program(path):
        raise ProgramError(f"{path} is no program by its name, which must end in .py")
