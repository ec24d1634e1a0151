"""Train a block of seeds in a worker process, which is sent the preset once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nntui.core.engine.data import load_data
from nntui.diagnosis.deadline import Deadline
from nntui.presets.preset import Goal, Preset
from nntui.presets.schema import override
from nntui.sweeps.block import Block, Outcome, train_block
from nntui.sweeps.processes import shared_object


@dataclass(frozen=True)
class Job:
    """A `Block` without its data, which may be large."""

    changes: Mapping[str, Any]
    """Of the preset that is shared with the process."""
    goal: Goal
    epochs: int
    seeds: tuple[int, ...]
    player: str


def make_ready() -> None:
    """Load the data of the preset in advance."""
    load_data(_preset().configuration)


def do(job: Job, deadline: Deadline) -> list[Outcome]:
    """Train ``job`` as `train_until` does."""
    configuration = override(_preset(), job.changes).configuration
    block = Block(configuration, job.goal, job.epochs, job.seeds, job.player)
    return train_until(block, deadline)


def _preset() -> Preset:
    preset = shared_object()
    assert isinstance(preset, Preset)
    return preset


def train_until(block: Block, deadline: Deadline) -> list[Outcome]:
    """Train ``block``, giving up what has not come to an end at ``deadline``."""
    return train_block(block, lambda: deadline.passed)
