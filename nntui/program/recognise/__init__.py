"""Finds the preset that computes what a program computes, proven by running both."""
