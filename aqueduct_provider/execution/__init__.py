"""Run one operator, once."""
