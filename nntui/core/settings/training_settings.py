"""Settings of the updates: loss, optimiser, batches, clipping and penalties."""

from dataclasses import dataclass

from nntui.core.errors import ConfigError, quoted
from nntui.core.parts.losses import LOSSES, REDUCTIONS
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.data_settings import MOST_NUMBERS, MOST_ROWS
from nntui.core.settings.section import Section, check_number, entry

ORDERS = ("in-order", "shuffled", "random")
FULL = "full"


@dataclass(frozen=True, kw_only=True)
class Training(Section):
    """How an update is computed: loss, optimiser, batches and penalties."""

    loss: str = entry(doc="the loss that training minimises", choices=LOSSES)
    reduction: str = entry("mean", doc="over the samples of a batch", choices=REDUCTIONS)
    optimiser: str = entry("sgd", doc="the rule of the update", choices=OPTIMISERS)
    learning_rate: float = entry(doc="the step's factor", low=0.0)
    momentum: float = entry(0.0, doc="share of the last step that is kept", low=0.0, below=1.0)
    dampening: float = entry(
        0.0,
        doc="sgd: share of the gradient that the velocity leaves out",
        low=0.0,
        high=1.0,
        later=True,
    )
    rho: float = entry(0.9, doc="rmsprop: share of the running square", low=0.0, below=1.0)
    beta1: float = entry(0.9, doc="adam: share of the running mean", low=0.0, below=1.0)
    beta2: float = entry(0.999, doc="adam: share of the running square", low=0.0, below=1.0)
    epsilon: float = entry(1e-8, doc="rmsprop, adam: added to the root", low=0.0)
    schedule: str = entry("constant", doc="the rate's factor over the epochs", choices=SCHEDULES)
    schedule_decay: float = entry(0.5, doc="the schedule's decay", low=0.0, high=1e6)
    schedule_every: int = entry(100, doc="the schedule's period in epochs", low=1, high=10**9)
    batch: int | str = entry(FULL, doc="samples per update, at least 1; or full")
    order: str = entry("in-order", doc="the order of an epoch's rows", choices=ORDERS)
    draws: int | None = entry(
        None, doc="order random: samples an epoch (as many as rows)", low=1, high=MOST_ROWS
    )
    clip_value: float | None = entry(
        None, doc="each number of the gradient is cut to plus or minus this", above=0.0
    )
    clip_norm: float | None = entry(
        None, doc="a gradient whose norm is larger is shrunk to this norm", above=0.0
    )
    l1: float = entry(0.0, doc="penalty l1 * sum |w| on the weights", low=0.0)
    l2: float = entry(0.0, doc="penalty l2/2 * sum w^2 on the weights", low=0.0)
    l2_per_sample: bool = entry(False, doc="divide l1 and l2 by the number of training rows")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch != FULL:
            if isinstance(self.batch, str):
                raise ConfigError(
                    "batch", f'must be a whole number or "full", not {quoted(self.batch)}'
                )
            check_number("batch", self.batch, True, {"low": 1, "high": MOST_NUMBERS})
        if self.draws is not None and self.order != "random":
            raise ConfigError("draws", 'belongs to order = "random"')
