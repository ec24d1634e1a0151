"""Checks of the program: forward pass, gradients, updates and the printed loss."""
