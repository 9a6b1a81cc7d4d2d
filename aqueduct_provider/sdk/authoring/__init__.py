"""Decorated functions, the graph that their calls record, and its eager evaluation."""
