"""Which files are programs, by their names; imports nothing, because every command asks it."""

from nntui.program.program_error import ProgramError


def is_program(path: str) -> bool:
    """Whether ``path`` names a person's own program: it ends in ``.py``."""
    return path.endswith(".py")


def refuse_notebook(path: str) -> None:
    """Raise ProgramError if ``path`` names a notebook, which is no program yet."""
    if path.endswith(".ipynb"):
        raise ProgramError(
            f"{path} is a notebook; make a program of it: jupyter nbconvert --to script {path}"
        )
