"""What a program is given in place of the world: output, files, seeds, plots, and no effects."""
