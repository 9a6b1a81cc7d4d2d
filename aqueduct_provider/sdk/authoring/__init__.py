"""What users write: decorated functions, the graph that their calls record, and its eager evaluation."""
