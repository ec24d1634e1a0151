"""The comments on faults in a script: what is wrong in a line, and how to fix it."""

from nntui.core.parts.faults import Fault
from nntui.core.settings.configuration import Configuration
from nntui.export.formatting import comment


class FaultComments:
    """The comments of one script."""

    def __init__(self) -> None:
        self._explained: set[str] = set()

    def fault(self, fault: Fault) -> list[str]:
        """The comment above a faulty line: in full the first time, then only the name."""
        if fault.name in self._explained:
            return [f"# FAULT {fault.name}"]
        self._explained.add(fault.name)
        said = comment(f"{fault.name}: {fault.what}", "# FAULT ", "#   ")
        return [*said, *comment(fault.fix, "#   fix: ", "#   ")]

    def idle(self, configuration: Configuration) -> list[str]:
        """Comments on faults of the preset that have no effect in its script."""
        listed = dict.fromkeys(each.name for each in configuration.faults)
        return [
            f"# The fault {name} of the preset changes nothing in this network."
            for name in listed
            if name not in self._explained
        ]
