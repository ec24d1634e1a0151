"""Drawing: from values to coloured characters."""
