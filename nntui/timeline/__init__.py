"""The timeline: a run, every update of which can be reached again, exactly."""

from nntui.timeline.run import Run
from nntui.timeline.snapshot import LayerView, Snapshot

__all__ = ["LayerView", "Run", "Snapshot"]
