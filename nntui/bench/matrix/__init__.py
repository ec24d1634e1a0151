"""Planted-fault matrix: networks with a known cause of failure, and how often it is found."""

from nntui.bench.matrix.matrix_run import ALL, PARTS, QUICK_SEEDS, SEEDS, run_matrix

__all__ = ["ALL", "PARTS", "QUICK_SEEDS", "SEEDS", "run_matrix"]
