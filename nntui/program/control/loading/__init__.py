"""Reads a program and the modules beside it, and says why one cannot be looked at."""
