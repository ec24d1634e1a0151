"""The parts of a network: registries of activations, losses, optimisers, faults and others."""
