"""Faults in a script's comments: what is wrong there and how to mend it, told in full once."""

from nntui.core.configuration import Configuration
from nntui.core.faults import FAULTS
from nntui.core.network import has_effect
from nntui.export.text import comment


class Remarks:
    """The comments of one script."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def fault(self, name: str) -> list[str]:
        """The comment above a line that is wrong."""
        if name in self._told:
            return [f"# FAULT {name}"]
        self._told.add(name)
        kind = FAULTS[name]
        said = comment(f"{name}: {kind.what}", "# FAULT ", "#   ")
        return [*said, *comment(kind.mend, "#   mend: ", "#   ")]


def idle_faults(configuration: Configuration) -> list[str]:
    """Comments on faults that the preset lists and that change nothing in this network."""
    return [
        f"# The fault {each.name} is listed in the preset, and changes nothing here."
        for each in configuration.faults
        if not has_effect(configuration, each)
    ]
