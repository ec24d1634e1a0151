"""One update in arithmetic: the equations of a unit, a sample and a weight, with their numbers."""

from nntui.timeline.microscope.lines import Line, arithmetic, written

__all__ = ["Line", "arithmetic", "written"]
