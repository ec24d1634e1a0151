"""Values that are replaced to see which one makes wrong updates right."""
