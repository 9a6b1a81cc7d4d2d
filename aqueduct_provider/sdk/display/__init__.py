"""Flows, runs and artifacts as people see them, in terminals and notebooks."""
