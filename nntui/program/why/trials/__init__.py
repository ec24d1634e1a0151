"""Trains variants of a program from several seeds, and says what counts as learned."""
