"""Try fixes within a time budget."""
