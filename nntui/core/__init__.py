"""The numerical engine: small dense networks trained one update at a time, in NumPy alone.

Nothing here knows a file, a terminal, a clock or global state.

Array shapes
------------
Units stand on axis 0 and data rows ("samples") on axis 1: an activation is ``(units, samples)``,
a weight matrix ``(units out, units in)``, a bias ``(units, 1)``.  Everything is float64.

Reading order: `configuration` (what can be said), `tape` (how one update is written down once
and played often), `activations`, `losses`, `optimisers`, `faults` (what is written on it),
`network` and `backprop` (who writes it), `trainer` (who plays it), `state` (what it changes);
then `algebra` and `ensemble` (the same tape for many networks side by side).
"""
