"""Players: what plays the recorded updates, NumPy call by call or one function that is compiled.

A run has one player from its first update to its last, because the two round the last bits of sums
and of functions such as exp differently.
"""

NUMPY, COMPILED = "numpy", "compiled"
AUTO = "auto"
"""The compiled one where it is installed and not slower, else NumPy."""
PLAYERS = (AUTO, NUMPY, COMPILED)
