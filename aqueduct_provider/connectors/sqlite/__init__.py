"""SQLite via ADBC."""
