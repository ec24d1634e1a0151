"""Holds recorded updates against the gradient of a loss."""
