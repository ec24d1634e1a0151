"""Players: what the core recorded, played by compiled code, and the choice of the player."""
