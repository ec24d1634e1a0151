"""The planted-fault matrix: faults with a known cause, and how well the diagnosis names them."""

from nntui.bench.matrix.execution import ALL, PARTS, QUICK_SEEDS, SEEDS, run_matrix

__all__ = ["ALL", "PARTS", "QUICK_SEEDS", "SEEDS", "run_matrix"]
