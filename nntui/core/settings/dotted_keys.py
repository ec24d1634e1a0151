"""What a dotted key names: a part of a preset that decides update 0, or a parameter of a run."""

FIRST = ("data", "layers", "draws")
"""The sections that determine update 0, together with the seed."""
STRUCTURAL = (*FIRST, "seed")
"""The parts of a preset that determine update 0."""
PARAMETERS = "parameters"


def is_structural(key: str) -> bool:
    """Whether the dotted ``key`` belongs to a part of a preset that determines update 0."""
    return key.split(".")[0] in STRUCTURAL


def is_parameter(key: str) -> bool:
    """Whether the dotted ``key`` addresses a weight or a bias, not an entry of a preset."""
    return key.split(".")[0] == PARAMETERS
