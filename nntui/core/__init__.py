"""The numerical engine: small dense networks trained one update at a time, in NumPy alone.

It uses no files, no terminal, no clock and no global state.

Array shapes
------------
Units are on axis 0 and data rows ("samples") on axis 1: an activation is ``(units, samples)``,
a weight matrix ``(units out, units in)``, a bias ``(units, 1)``.  Everything is float64.

Reading order: `settings.configuration` (what can be configured), `tape` (an update recorded once
and played often), `formulas` and `parts` (activations, losses, optimisers, faults, ...), then in
`engine`: `network` and `update` (record the tape), `stepper` (holds its buffers), `trainer`
(plays it), `state` (what training changes), `algebra` and `ensemble` (the same tape for many
networks side by side).
"""
