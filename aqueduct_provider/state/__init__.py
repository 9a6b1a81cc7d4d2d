"""Stage 9: exec states, written in every outcome, last of all."""
