"""Settings of a network and its training: validated, frozen dataclasses."""
