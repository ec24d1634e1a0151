"""The workbench: one scenario, its panels, and the actions on its run."""
