"""Names the line that makes an update wrong, by replacing one value of its record at a time."""
