"""The reference manual: one Markdown file per topic, shipped with the package.

A line ``<!-- table: NAME -->`` is a placeholder for a table, which
`nntui.manual.generated_tables` makes from the registries when a topic is shown.
"""

from importlib.resources import files

from nntui.core.errors import ConfigError, one_of

SUFFIX = ".md"


def topics() -> dict[str, str]:
    """Every topic with a one-line summary, in alphabetical order."""
    names = sorted(
        each.name.removesuffix(SUFFIX)
        for each in files(__name__).iterdir()
        if each.name.endswith(SUFFIX)
    )
    return {name: _text(name).splitlines()[2] for name in names}


def source(topic: str) -> str:
    """The stored Markdown of ``topic``; raises ConfigError if there is no such topic."""
    known = topics()
    if topic not in known:
        raise ConfigError("help", one_of(topic, known))
    return _text(topic)


def _text(name: str) -> str:
    return (files(__name__) / f"{name}{SUFFIX}").read_text(encoding="utf-8")
