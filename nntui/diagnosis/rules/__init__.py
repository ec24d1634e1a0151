"""Rules that turn what is measured into findings."""
