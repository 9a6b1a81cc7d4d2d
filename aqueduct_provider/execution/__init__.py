"""Stage 6: one operator, run once."""
