"""Making a registered thing from its name and those parameters that it takes."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

Kind = TypeVar("Kind")


def make(registry: Mapping[str, type[Kind]], name: str, parameters: Mapping[str, Any]) -> Kind:
    """The dataclass called ``name``, with those of ``parameters`` that are its fields.

    A parameter that is None is left to its default.  Raises KeyError if there is no such name.
    """
    kind: Any = registry[name]
    known = {each.name for each in fields(kind)}
    given = {k: value for k, value in parameters.items() if k in known and value is not None}
    made: Kind = kind(**given)
    return made
