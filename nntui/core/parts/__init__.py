"""Registries of the parts of a network: activations, losses, optimisers, faults and others."""
