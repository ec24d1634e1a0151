"""Fixes tried over many seeds within a time budget."""
