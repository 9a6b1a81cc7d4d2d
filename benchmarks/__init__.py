"""Measures the figures of this package, side by side with the original where it has an equal."""
