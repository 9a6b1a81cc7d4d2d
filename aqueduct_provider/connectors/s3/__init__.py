"""S3 as a data system: files."""
