"""The benchmark: nntui against hand-written NumPy loops, in the same process."""

from nntui.bench.report import bench

__all__ = ["bench"]
