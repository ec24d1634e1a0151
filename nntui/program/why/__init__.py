"""Diagnoses a person's program: the program as a subject, and experiments with it."""
