"""The microscope screen and its panels."""
