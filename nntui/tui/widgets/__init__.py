"""The panels of the workbench, one a module; each shows what its reactives hold."""
