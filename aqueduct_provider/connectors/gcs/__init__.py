"""Google Cloud Storage as a data system: files."""
