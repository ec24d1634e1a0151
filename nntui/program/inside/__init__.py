"""The check of a program, as it runs in the program's own interpreter."""
