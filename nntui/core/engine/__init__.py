"""The engine: network, update, trainer and ensemble on recorded tapes."""
