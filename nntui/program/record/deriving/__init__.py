"""Derivatives of single operations: by rule, by sent numbers, by finite differences."""
