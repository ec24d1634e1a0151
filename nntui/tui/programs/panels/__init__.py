"""The panels of a program; each draws one frozen value."""
