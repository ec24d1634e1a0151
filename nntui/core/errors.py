"""The one exception for input that cannot be used."""


class ConfigError(ValueError):
    """A configuration that cannot be run: where it is wrong, and what would be right.

    ``key`` is the dotted path of the entry (``layers.1.units``), empty for the whole.
    ``str(error)`` is one line, ready to show.
    """

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        self.message = message
        super().__init__(f"{key}: {message}" if key else message)

    def under(self, prefix: str) -> "ConfigError":
        """The same error seen from one level up: ``prefix`` goes in front of the key."""
        key = f"{prefix}.{self.key}" if self.key else prefix
        return ConfigError(key, self.message)
