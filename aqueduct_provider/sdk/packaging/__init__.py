"""A function -> its function archive, and the refusal of what would fail on a worker."""
