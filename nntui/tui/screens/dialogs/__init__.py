"""Dialogs: each asks one thing above another screen, and is closed once."""
