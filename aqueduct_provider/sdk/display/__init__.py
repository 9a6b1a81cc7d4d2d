"""Flows, runs and artifacts as terminals and notebooks show them."""
