"""The engine: network, update, trainer and ensemble, recorded once on a tape and played."""
