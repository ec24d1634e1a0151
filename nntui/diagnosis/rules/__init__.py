"""Rules that turn measurements into findings."""
