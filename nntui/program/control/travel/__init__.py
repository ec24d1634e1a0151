"""Stops a program at its updates, and travels through them: forward, and back to copies."""
