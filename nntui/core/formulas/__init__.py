"""Formulas: written once as text, then played on a tape, differentiated, evaluated, and printed.

Reading order: `expression` (the tree), `functions` (what can be called), `parsing` (from text),
`calculus` (simplify and differentiate), `recording` (onto a tape), `evaluation` (real and
complex numbers), `printing` (back to text, and to NumPy or PyTorch source).
"""
