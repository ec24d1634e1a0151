"""Formulas: written once as text, then recorded on a tape, differentiated, evaluated or printed.

Reading order: `expression` (the tree), `functions` (available functions), `parsing` (from text),
`calculus` (simplify and differentiate), `recording` (onto a tape), `evaluation` (real and
complex numbers), `printing` (back to text, and to NumPy or PyTorch source).
"""
