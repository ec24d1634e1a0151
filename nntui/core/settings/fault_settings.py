"""Settings of a fault: which one, in which layers, and with which formula or factor."""

from dataclasses import dataclass

from nntui.core.errors import ConfigError, quoted
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.faults import FAULTS, check_of
from nntui.core.settings.section import Section, check_number, entry


@dataclass(frozen=True, kw_only=True)
class FaultEntry(Section):
    """A fault that is switched on, in all layers or in the listed ones."""

    name: str = entry(doc="which fault", choices=FAULTS)
    layers: tuple[int, ...] | None = entry(None, doc="the layers it affects; all if not given")
    of: str | None = entry(
        None,
        doc="derivative: of which activation (identity), or a formula; gradient: a formula",
        choices=ACTIVATIONS,
        formula=lambda key, text: None,  # what is valid depends on the fault; see `check_of`
    )
    factor: float | None = entry(None, doc="fault wrong-factor: the factor (2)")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers is not None:
            if not isinstance(self.layers, (list, tuple)):
                raise ConfigError("layers", f"must be a list of layers, not {quoted(self.layers)}")
            numbers = tuple(
                int(check_number(f"layers.{at}", number, True, {"low": 0}))
                for at, number in enumerate(self.layers)
            )
            object.__setattr__(self, "layers", numbers)
        for key in ("of", "factor"):
            if getattr(self, key) is not None and key not in FAULTS[self.name].parameters:
                takers = [name for name, kind in FAULTS.items() if key in kind.parameters]
                raise ConfigError(
                    key, f"belongs to the fault {' or '.join(takers)}, not to {self.name}"
                )
        if self.of is not None:
            check_of("of", FAULTS[self.name], self.of)

    def concerns(self, layer: int) -> bool:
        """Whether the fault is on in ``layer``."""
        return self.layers is None or layer in self.layers
