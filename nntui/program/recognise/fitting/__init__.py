"""Fits the parts of a preset to what a program was seen to do."""
