"""The independent judge's side in the process that executes a program: stdlib and NumPy alone.

It is imported by its last name from its own folder, so that it loads nothing of nntui.
"""
