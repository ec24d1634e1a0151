"""The changes of a line that are tried, one module for every kind."""
