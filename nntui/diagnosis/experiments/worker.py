"""Train a block of seeds in a worker process, which reads the preset once from a file."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from nntui.core.engine.data import load_data
from nntui.diagnosis.deadline import Deadline
from nntui.presets.preset import Goal, Preset
from nntui.presets.schema import override
from nntui.sweeps.block import Block, Outcome, train_block


@dataclass(frozen=True)
class Job:
    """A `Block` without its data, which may be large."""

    file: Path
    """Where `share` put the preset."""
    changes: Mapping[str, Any]
    goal: Goal
    epochs: int
    seeds: tuple[int, ...]
    player: str


def share(preset: Preset, file: Path) -> None:
    """Write ``preset`` to ``file``, for `do` to read."""
    file.write_bytes(pickle.dumps(preset))


@lru_cache(maxsize=1)
def _shared(file: Path) -> Preset:
    preset = pickle.loads(file.read_bytes())
    assert isinstance(preset, Preset)
    return preset


def make_ready(file: Path) -> None:
    """Read the preset and its data in advance."""
    load_data(_shared(file).configuration)


def do(job: Job, deadline: Deadline) -> list[Outcome]:
    """Train ``job`` as `train_until` does."""
    configuration = override(_shared(job.file), job.changes).configuration
    block = Block(configuration, job.goal, job.epochs, job.seeds, job.player)
    return train_until(block, deadline)


def train_until(block: Block, deadline: Deadline) -> list[Outcome]:
    """Train ``block``, giving up what has not come to an end at ``deadline``."""
    return train_block(block, lambda: deadline.passed)
