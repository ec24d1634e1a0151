"""The benchmark: nntui against the loops that people write, side by side in one process."""

from nntui.bench.report import bench

__all__ = ["bench"]
