"""The panels of the workbench, one widget a module."""
