"""The timeline: a run, every update of which can be reached again, exactly."""

from nntui.timeline.run import Run, load_session
from nntui.timeline.views.snapshot import LayerView, Snapshot

__all__ = ["LayerView", "Run", "Snapshot", "load_session"]
