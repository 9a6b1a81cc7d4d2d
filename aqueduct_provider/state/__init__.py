"""Keep exec states, written in every outcome, last of all."""
