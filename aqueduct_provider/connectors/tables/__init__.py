"""Arrow batches on their way between data systems and files."""
