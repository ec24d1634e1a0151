"""Checks of a program against its configuration: forward pass, gradients, updates, loss."""
