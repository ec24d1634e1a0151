"""Settings of the reported loss: what it is, over which rows, and when."""

from dataclasses import dataclass

from nntui.core.errors import ConfigError
from nntui.core.parts.losses import LOSSES, REDUCTIONS
from nntui.core.settings.section import Section, entry

BATCH, ALL = REPORTED_ROWS = ("batch", "all")
BEFORE, AFTER = MOMENTS = ("before", "after")


@dataclass(frozen=True, kw_only=True)
class Report(Section):
    """The reported loss: what the program prints after an epoch.

    With ``rows = "batch"`` it accumulates while the epoch runs: each batch contributes its loss
    with the parameters from before its own update (with one batch per epoch, that is the loss
    before the update), and the penalties are those after the epoch.  With ``rows = "all"`` loss
    and penalties are computed over all training rows at one moment: with the parameters from
    before the epoch's last update, or with those after it.

    It is stated in the units that the targets have without ``data.scale_targets``, so that a
    goal means the same whether targets are scaled or not; cross-entropies have no units.
    """

    loss: str = entry(doc="the loss that is printed", choices=LOSSES)
    reduction: str = entry("mean", doc="over the samples of the epoch", choices=REDUCTIONS)
    penalty: bool = entry(False, doc="add the penalties of the weights")
    rows: str = entry(
        BATCH,
        doc="the samples of the epoch, as they are used; or all training rows at one moment",
        choices=REPORTED_ROWS,
        later=True,
    )
    when: str = entry(
        BEFORE,
        doc="rows all: with the parameters before or after the epoch's last update",
        choices=MOMENTS,
        later=True,
    )
    every: int = entry(
        1, doc="epochs from one report to the next, from epoch 0 on", low=1, high=10**9, later=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.when == AFTER and self.rows != ALL:
            raise ConfigError(
                "when",
                '"after" needs rows = "all": batches count with the parameters from before their '
                "own updates",
            )

    def epochs(self, start: int, stop: int) -> range:
        """The epochs from ``start`` to before ``stop`` whose loss is reported."""
        return range(self.next_from(start), stop, self.every)

    def is_due(self, epoch: int) -> bool:
        """Whether the loss of ``epoch``, counted from 0, is reported."""
        return epoch % self.every == 0

    def next_from(self, epoch: int) -> int:
        """The first epoch from ``epoch`` on whose loss is reported."""
        return -(-epoch // self.every) * self.every

    @property
    def covers_all(self) -> bool:
        """Whether it is computed over all training rows at one moment."""
        return self.rows == ALL
