"""Sessions on disk: one file that holds a whole tree of branches."""
