"""Preset: a validated configuration with a goal, a seed and a story."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nntui.core.engine.data import target_warnings
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.section import Section, entry
from nntui.presets.csv_data import CsvSource

PANELS = ("loss", "activations", "network", "timeline")
"""The panels that a step can point to."""


@dataclass(frozen=True, kw_only=True)
class Goal(Section):
    """The loss that counts as solved, and the budget of a run."""

    loss: float = entry(doc="a reported loss at or below this is solved", low=-1e300, high=1e300)
    epochs: int = entry(doc="the budget in epochs", low=0, high=1_000_000_000)
    stop: bool = entry(False, doc="end the run as soon as the goal is reached")

    def reached(self, loss: float | None) -> bool:
        """Whether the reported ``loss`` counts as solved; False for None and NaN."""
        return loss is not None and loss <= self.loss and loss > float("-inf")


@dataclass(frozen=True, kw_only=True)
class Step(Section):
    """One step of a story: what to do, and what one will see.

    ``{action}`` in the texts names a registered action of the app, which prints its key instead.
    ``perform`` is the same for a machine: action names in order, with an argument if one is
    needed (``"one_epoch"``, ``"jump 30000"``, ``"choose_seed 3"``).  ``look`` names the panel to
    look at, and ``cell`` the place in the heatmap that belongs to the step.
    """

    do: str = entry(doc="what to do")
    see: str = entry(doc="what one will see")
    perform: tuple[str, ...] = entry((), doc="the step as registered actions, in order")
    look: str | None = entry(None, doc="the panel to look at", choices=PANELS)
    cell: str | None = entry(
        None, doc="where the heatmap's cursor is put: unit and, if it matters, sample (1.0 200)"
    )


@dataclass(frozen=True, kw_only=True)
class Story(Section):
    """The question behind a preset, its answer, and the steps to see it."""

    question: str = entry("", doc="the question in one line")
    happens: str = entry("", doc="what happens, in one line")
    asked: str = entry("", doc="what was asked")
    answer: str = entry("", doc="what the published answer says")
    shown: str = entry("", doc="what the experiment shows")
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Origin:
    """What was typed to name a preset, so that a command can name it again."""

    text: str
    """A name of the library, a path, a preset string, or the name or path of a session."""
    seed: int | None
    """The seed that it has unless another is asked for; None for a session, which goes on."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What was changed since, by dotted key."""


@dataclass(frozen=True)
class Preset:
    """A scenario: its configuration, goal, default seed and story.

    ``csv_source`` describes the file that the data rows were read from; the rows are in the
    configuration, and the file is not needed again.  A relative path of another file is relative
    to ``folder`` (None: the working directory).  ``origin`` is None for one made by a program.
    """

    name: str
    configuration: Configuration
    goal: Goal
    seed: int = 0
    story: Story = Story()
    csv_source: CsvSource = field(default=CsvSource(), compare=False, repr=False)
    folder: Path | None = field(default=None, compare=False, repr=False)
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # Another process prints no commands, and changes may be as large as the data.
        return {**self.__dict__, "origin": None}

    @property
    def network(self) -> str:
        """A short description of the network, such as ``2-4-4-1 relu``."""
        layers = self.configuration.layers
        sizes = "-".join(
            str(n) for n in (self.configuration.data.width, *(x.units for x in layers))
        )
        kinds = dict.fromkeys(layer.activation for layer in layers)
        return f"{sizes} {', '.join(kinds)}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What cannot be meant, though it can be trained: one line each, with its dotted key."""
        return target_warnings(self.configuration)

    @property
    def parameters(self) -> int:
        """How many parameters the network has."""
        return self.configuration.parameters
